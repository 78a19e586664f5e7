import { verifySignature, type VerifyKey } from '../../protocol/ed25519/verify.js';
import type { Passport } from '../../protocol/passport.js';
import type { BelievedKey } from '../believed-keys.js';
import type { PinnedKey } from '../context.js';

/** What is wrong with a passport's issuer, in one sentence, or null when a pinned key of its principal signed it. */
export function issuerProblem(passport: Passport, pins: readonly PinnedKey[]): string | null {
  const { principal, issuer_key_id } = passport.document;
  if (pins.length === 0) {
    return `The principal ${principal} is not pinned on this machine.`;
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
