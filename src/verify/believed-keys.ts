/**
 * Keys can be stopped wherever a signature of theirs is believed (protocol, section 4). A denied key is judged by its text: an id
 * can be given to another key, and one key can stand under several ids.
 */
import type { VerifyKey } from '../protocol/ed25519/verify.js';
import { formatPublicKey } from '../protocol/identity/keys.js';
import { readPublicKey } from '../protocol/identity/public-key-forms.js';
import { formatTime } from '../protocol/time.js';
import type { Facts, StandingRecord } from './context.js';
import { violation, type Violation } from './decision.js';

/** What a key was believed about: the intent, the passport, a mandate, an approval. */
export type KeyRole = 'agent' | 'issuer' | 'mandate' | 'approver';

/** A signature that was believed, and the keys that may have made it. */
export interface BelievedKey {
  readonly role: KeyRole;
  readonly candidates: readonly { readonly keyId: string | null; readonly key: VerifyKey }[];
  /** True when the signature holds under `key`, which is one of the candidates. Asked only where one of them is denied. */
  readonly holds: (key: VerifyKey) => boolean;
}

/** What is denied of the keys that were believed: E406 for each signature that no key made which is in good standing. */
export function deniedKeys(
  facts: Pick<Facts, 'standing' | 'standingNow'>,
  believed: readonly BelievedKey[],
  agent_id: string,
): Violation[] {
  return believed.flatMap(({ role, candidates, holds }) => {
    if (candidates.every((candidate) => denialOf(facts, candidate) === null)) return [];
    const judged = candidates.map((candidate) => ({ ...candidate, record: denialOf(facts, candidate) }));
    // Another key that is still good may have made it: of two in their overlap only one has to be denied.
    const signers = judged.length === 1 ? judged : judged.filter(({ key }) => holds(key));
    const [denied] = signers;
    if (denied === undefined || signers.some(({ record }) => record === null)) return [];
    const { record, key, keyId } = denied;
    const { reason, changedAt, changedBy, status } = record!;
    const whose = WHOSE[role];
    const message = `The key that signed ${whose} is ${status}: ${reason ?? 'no reason given'}.`;
    return [
      violation('KEY_REVOKED', message, {
        role,
        subject: key.text,
        key_id: keyId,
        reason,
        revoked_at: formatTime(changedAt),
        revoked_by: changedBy,
        agent_id,
      }),
    ];
  });
}

const WHOSE: Readonly<Record<KeyRole, string>> = {
  agent: 'the intent',
  issuer: "the agent's passport",
  mandate: 'the mandate',
  approver: 'the approval',
};

/** The record that denies a key, by its text or, where it could not be resolved when it was denied, by its id. */
function denialOf(
  facts: Pick<Facts, 'standing' | 'standingNow'>,
  { keyId, key }: BelievedKey['candidates'][number],
): StandingRecord | null {
  const own = deniedNow(facts, key.text);
  return own ?? (keyId === null ? null : deniedNow(facts, keyId));
}

/** The record that denies `subject` now, or null: a did:key also stands and falls with the key that it spells. A suspension ends by itself. */
export function deniedNow(facts: Pick<Facts, 'standing' | 'standingNow'>, subject: string): StandingRecord | null {
  const own = inForce(facts, facts.standing(subject));
  if (own !== null || !subject.startsWith('did:key:')) return own;
  const spelled = readPublicKey(subject);
  return spelled.kind === 'key' ? inForce(facts, facts.standing(formatPublicKey(spelled.publicKey))) : null;
}

function inForce(facts: Pick<Facts, 'standingNow'>, record: StandingRecord | null): StandingRecord | null {
  if (record === null || record.status === 'active') return null;
  if (record.status === 'suspended' && record.suspendedUntil !== null && facts.standingNow >= record.suspendedUntil)
    return null;
  return record;
}

/** The id of the key that made a signature; null where it has none, or none made it. Asked of the keys themselves only where several may have. */
export function signingKeyId({ candidates, holds }: BelievedKey): string | null {
  const [only] = candidates;
  const signer = candidates.length === 1 ? only : candidates.find(({ key }) => holds(key));
  return signer?.keyId ?? null;
}
