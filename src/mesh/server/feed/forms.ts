/** How an event is told on each kind of stream. */
import { isOfStanding, parseEvent, referenceForm, type MeshEvent } from '../../log/event.js';
import { comment, frame } from '../../../protocol/framing/sse.js';
import type { MeshStore } from '../../log/store.js';
import type { EventRecord } from '../../ruling.js';
import type { StreamForm } from './stream.js';

/** Each form that a stream of events may have. */
export const FORMS: readonly StreamForm[] = ['native', 'first', 'reference'];

/**
 * An event as a stream of this form tells it. The first version would take a kind that it does not know for a revocation: in its place
 * come the hashes of what is skipped, and a reset, after which it goes on behind it by the snapshot.
 */
export function frameOf(form: StreamForm, event: MeshEvent, text: string, revoked: boolean): string {
  const known = event.v === 1;
  if (form === 'reference')
    return isOfStanding(event)
      ? frame(null, event.id, referenceForm(event, revoked))
      : comment(`skipped ${event.hash}`);
  if (known || form === 'native') return frame('event', event.id, text);
  const { seq, term, prev_hash, hash } = event;
  const reset = { reason: 'newer-kind', snapshot: '/v1/mesh/snapshot' };
  return (
    frame('skipped', null, JSON.stringify({ seq, term, prev_hash, hash })) + frame('reset', null, JSON.stringify(reset))
  );
}

/** Who of the subjects that `records` suspend is revoked now. What changed in between follows as an event. */
export async function revokedAmong(
  store: Pick<MeshStore, 'standing'>,
  records: readonly EventRecord[],
): Promise<ReadonlySet<string>> {
  // The text is canonical, so that nearly all need no second parsing.
  const likely = records.filter(({ text }) => text.includes('"type":"suspension"'));
  const events = likely.map(({ text }) => parseEvent(text)).filter(({ type }) => type === 'suspension');
  const suspended = new Set(events.map((event) => event.agent_id));
  const standings = await Promise.all([...suspended].map((subject) => store.standing(subject)));
  return new Set(standings.filter((each) => each?.status === 'revoked').map((each) => each!.subject));
}
