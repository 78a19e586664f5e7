import type { VerifyKey } from '../../../../protocol/ed25519/verify.js';
import type { Intent } from '../../../../protocol/intent.js';
import type { Passport, PassportKey } from '../../../../protocol/passport.js';
import { formatTime } from '../../../../protocol/time.js';
import type { NativeClaim } from '../context.js';
import { failed, PASSED, violation, type Verdict } from '../../../decision.js';

/** Step 2: the intent's bytes were signed by a key of the agent's passport that is valid now. */
export function signature(claim: NativeClaim): Verdict {
  const { intent, finding, signatureHolds, now } = claim;
  const { agent_id, key_id = null } = intent.document;
  if (finding.status !== 'found') throw new Error('signature judged without a passport');
  const keys = signingKeys(finding.passport, intent, now);
  if (!Array.isArray(keys)) {
    const valid_until = keys.validUntil === null ? null : formatTime(keys.validUntil);
    return failed(violation('KEY_NOT_VALID', keys.message, { key_id, valid_until, agent_id }));
  }
  const bytes = intent.signature;
  const fail = (message: string, reason: string) =>
    failed(violation('INVALID_SIGNATURE', message, { key_id, reason, agent_id }));
  if (bytes === null) return fail('The signature is not 128 lower-case hex digits.', 'form');
  if (keys.some((key) => signatureHolds(key, intent.signedBytes, bytes))) return PASSED;
  return fail(`The signature does not match the intent under the key of ${agent_id}.`, 'mismatch');
}

/** The same with their ids; empty where none is valid. */
export function candidateKeys(passport: Passport, intent: Intent, now: number): readonly PassportKey[] {
  const keys = signingKeys(passport, intent, now);
  if (!Array.isArray(keys)) return [];
  return [passport.currentKey, ...passport.previousKeys].filter(({ key }) => keys.includes(key));
}

/**
 * The keys an intent may have been signed with: the one it names or, when it names none, the current key and former
 * keys still in their overlap, so that an agent goes on working while its new key is deployed.
 */
export function signingKeys(
  passport: Passport,
  intent: Intent,
  now: number,
): VerifyKey[] | { message: string; validUntil: number | null } {
  const { key_id } = intent.document;
  const { currentKey, previousKeys } = passport;
  if (key_id === undefined) {
    const overlapping = previousKeys.filter((former) => former.validUntil !== null && now < former.validUntil);
    return [currentKey.key, ...overlapping.map((former) => former.key)];
  }
  if (key_id === currentKey.keyId) return [currentKey.key];
  const former = previousKeys.find((key) => key.keyId === key_id);
  if (former === undefined) return { message: `The passport holds no key ${key_id}.`, validUntil: null };
  if (former.validUntil !== null && now < former.validUntil) return [former.key];
  return { message: `The key ${key_id} was rotated out, and its overlap has ended.`, validUntil: former.validUntil };
}
