import { parseEventId, type Head } from '../../log/head.js';
import type { MeshStore } from '../../log/store.js';

/** Where a client goes on. */
export type Position =
  | { readonly kind: 'after'; readonly seq: number }
  | { readonly kind: 'reset'; readonly reason: 'other-log' | 'other-history' | 'ahead' | 'gone' };

/**
 * Where a stream that names `id` (an event id, or a bare seq) continues under `head`; null when it is neither. `retained`: so many events are given
 * again at most.
 */
export async function positionAfter(
  id: string,
  head: Head,
  retained: number,
  store: Pick<MeshStore, 'read'>,
): Promise<Position | null> {
  const bare = /^(0|[1-9][0-9]{0,14})$/.test(id) ? Number(id) : null;
  const parsed = bare === null ? parseEventId(id) : { logId: head.logId, term: null, seq: bare };
  if (parsed === null) return null;
  const { logId, term, seq } = parsed;
  if (logId !== head.logId) return { kind: 'reset', reason: 'other-log' };
  if (seq > head.seq) return { kind: 'reset', reason: 'ahead' };
  if (head.seq - seq > retained) return { kind: 'reset', reason: 'gone' };
  if (seq > 0 && term !== null) {
    const [record] = await store.read(seq - 1, 1);
    if (record === undefined || record.term !== term) return { kind: 'reset', reason: 'other-history' };
  }
  return { kind: 'after', seq };
}
