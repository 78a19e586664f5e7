/** Keys that are named by their ids, as this machine knows them: what stops a key is its text (protocol, section 1). */
import { standingTime, type MeshCopy } from '../ports/mesh.js';
import { knownKeys, type KeySources } from '../keys/known-keys.js';
import { statusAt } from '../../mesh/standing.js';
import { isNamedKey } from '../../mesh/subject.js';
import { formatPublicKey } from '../../protocol/identity/keys.js';
import type { Order } from './orders.js';
import type { KeyNames } from './stopped.js';

/** The text of the key that `subject` is the id of, by passports and pins; null where it is not known here, or `subject` is no id of a key. */
export function keyTextHere(state: KeySources, subject: string): string | null {
  if (!isNamedKey(subject)) return null;
  const known = knownKeys(state).find(({ keyId, publicKey }) => keyId === subject && publicKey !== null);
  return known === undefined ? null : formatPublicKey(known.publicKey!);
}

/** The ids by which this machine knows each key that is named by its text. */
export function keyIdsHere(state: KeySources): KeyNames {
  const ids = new Map<string, string[]>();
  for (const { keyId, publicKey } of knownKeys(state)) {
    if (publicKey === null) continue;
    const text = formatPublicKey(publicKey);
    ids.set(text, [...(ids.get(text) ?? []), keyId]);
  }
  return (subject) => ids.get(subject) ?? [];
}

/**
 * The order as it is carried out on this machine alone. A key that could not be resolved when it was denied is reinstated under its id.
 */
export function orderByText(copy: Pick<MeshCopy, 'local' | 'note'>, order: Order, now: number): Order {
  const { keyText = null, subject, action } = order;
  if (keyText === null) return order;
  const underId = action === 'reinstate' && statusAt(copy.local(subject), standingTime(copy, now)) !== 'active';
  return underId ? order : { ...order, subject: keyText };
}
