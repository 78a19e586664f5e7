import type { Passport } from '../../protocol/passport.js';
import { formatTime } from '../../protocol/time.js';
import type { BelievedKey } from '../believed-keys.js';
import type { Claim, PinnedKey } from '../context.js';
import { failed, PASSED, violation, type Verdict } from '../decision.js';
import { verifySignature, type VerifyKey } from '../../protocol/ed25519/verify.js';

/** Step 1: the agent is known, its passport is whole, signed by a pinned principal, and in force. */
export function passport({ intent, finding, pins, now }: Claim): Verdict {
  const agent_id = intent.document.agent_id;
  if (finding.status === 'unknown') {
    return failed(violation('UNKNOWN_AGENT', `No passport of ${agent_id} is known here.`, { agent_id }));
  }
  if (finding.status === 'unreadable') {
    const message = `The passport of ${agent_id} is not valid: ${finding.reason}.`;
    return failed(violation('PASSPORT_INVALID', message, { reason: finding.reason, principal: null, agent_id }));
  }
  const found = finding.passport;
  const problem = issuerProblem(found, pins(found.document.principal));
  if (problem !== null) {
    const { principal } = found.document;
    return failed(violation('PASSPORT_INVALID', problem, { reason: problem, principal, agent_id }));
  }
  const { issued_at, expires_at } = found.document;
  if (found.expiresAt !== null && !(now < found.expiresAt)) {
    const message = `The passport of ${agent_id} expired at ${expires_at}.`;
    return failed(violation('PASSPORT_EXPIRED', message, { issued_at, expires_at, now: formatTime(now), agent_id }));
  }
  return PASSED;
}

/** What is wrong with a passport's issuer, in one sentence, or null when a pinned key of its principal signed it. */
export function issuerProblem(passport: Passport, pins: readonly PinnedKey[]): string | null {
  const { principal, issuer_key_id } = passport.document;
  if (pins.length === 0) {
    return `The principal ${principal} is not pinned on this machine; if you trust it: aip principal add ${principal} --public-key <key>.`;
  }
  const last = judged.get(passport);
  if (last?.holds === true && pins.some(({ key }) => key === last.key)) return null;
  const named = pins.filter((pin) => pin.keyId === issuer_key_id);
  // A pin made by hand has no number of its own to go by, so a key under another id is tried as well.
  const signed = [...named, ...pins.filter((pin) => pin.keyId !== issuer_key_id)].some((pin) =>
    signedBy(passport, pin.key),
  );
  return signed
    ? null
    : `The passport does not carry a valid signature of ${principal}: it was edited, or another key signed it.`;
}

/** The principal's signature on a passport, with the pinned keys that may have made it. */
export function issuerOf(passport: Passport, pins: (principal: string) => readonly PinnedKey[]): BelievedKey {
  return {
    role: 'issuer',
    candidates: pins(passport.document.principal),
    holds: (key) => signedBy(passport, key),
  };
}

/** One passport is checked against one key once, however many intents it vouches for. */
const judged = new WeakMap<Passport, { key: VerifyKey; holds: boolean }>();

function signedBy(passport: Passport, key: VerifyKey): boolean {
  const known = judged.get(passport);
  if (known !== undefined && known.key === key) return known.holds;
  const holds = verifySignature(key, passport.signedBytes, passport.signature);
  judged.set(passport, { key, holds });
  return holds;
}
