import { hmacHolds } from '../../../../protocol/aip1/hmac.js';
import type { Envelope, Tier } from '../../../../protocol/aip1/envelope.js';
import type { VerifyKey } from '../../../../protocol/ed25519/verify.js';
import type { Passport } from '../../../../protocol/passport.js';
import type { BelievedKey } from '../../../believed-keys.js';
import type { PassportFinding, SignatureQuestion } from '../../../context.js';
import { issuerProblem } from '../../../checks/issuer.js';
import type { JsonObject } from '../../../../protocol/json/values.js';
import { failed, PASSED, type Verdict, type Violation } from '../../../decision.js';
import type { Aip1Claim } from '../context.js';
import { aip1Violation } from '../violations.js';

/** A passport that may speak for the agent, or why the one known here may not; null when none is known. */
export type HolderPassport = { readonly passport: Passport } | PassportProblem | null;

/** RFC-001 has no word for passports: what is wrong with one is said as of a mandate. */
export interface PassportProblem {
  readonly problem: string;
  readonly code: 'MANDATE_INVALID' | 'MANDATE_EXPIRED';
  readonly details?: JsonObject;
}

/** The passport known for the agent, held to the rules of the native dialect: whole, signed by a pinned principal, in force. */
export function holderPassport({ envelope, finding, pins, policy, now }: Aip1Claim): HolderPassport {
  if (finding.status === 'unknown') return null;
  if (finding.status === 'unreadable') return invalid(`its passport is not valid: ${finding.reason}`);
  const { passport } = finding;
  if (passport.agent.id !== envelope.agentId) return invalid('the passport found is of another agent');
  const problem = issuerProblem(passport, pins(passport.document.principal));
  if (problem !== null) return invalid(problem);
  if (passport.issuedAt - now > policy.maxSkewMs) return expired('its passport is dated ahead');
  if (passport.expiresAt !== null && now >= passport.expiresAt) return expired('its passport has expired');
  return { passport };
}

const invalid = (problem: string): PassportProblem => ({ problem, code: 'MANDATE_INVALID' });
const expired = (problem: string): PassportProblem => ({ problem, code: 'MANDATE_EXPIRED' });

/** E406 or E407: the passport known for the agent does not count. */
export function passportViolation({ problem, code, details }: PassportProblem, { agentId }: Envelope): Violation {
  const message = `No trusted key of ${agentId} is known here: ${problem}`;
  return aip1Violation(code, message, { reason: problem, issuer: null, ...details, agent_id: agentId });
}

/**
 * E100, E406, E407: the proof holds over one of the spellings of the envelope. Where a passport is known its keys decide, and a key named by the
 * user does not: else its holder could speak for every agent. A passport that does not hold is never replaced by less.
 */
export function signature(claim: Aip1Claim, standing: HolderPassport, tier: Tier): Verdict {
  const { envelope } = claim;
  const { proof } = envelope;
  const fail = (message: string, reason: string) =>
    failed(aip1Violation('INVALID_SIGNATURE', message, { reason, agent_id: envelope.agentId }));
  if (standing !== null && 'problem' in standing) {
    return failed(passportViolation(standing, envelope));
  }
  if (proof === null) return fail('The proof value is not base64url of 64 bytes, or of 32 at tier 0.', 'form');
  if (proof.length === 32) {
    if (tier !== 0) return fail('An HMAC is a proof at tier 0 only.', 'tier');
    const bound = boundTo(claim, standing);
    // A shared key proves less than a signature: who holds it is not only the agent.
    if (bound !== null)
      return fail(`The proof is an HMAC, and ${bound} of ${envelope.agentId} is known here.`, 'bound_key');
    if (claim.sharedKey === null) return fail('The proof is an HMAC, and no shared key was given.', 'unknown_key');
    const key = claim.sharedKey.bytes;
    return holds(envelope, (text) => hmacHolds(key, text, proof))
      ? PASSED
      : fail(`The HMAC does not match the envelope under the shared key.`, 'mismatch');
  }
  const keys =
    standing !== null ? keysOf(standing.passport, claim.now) : claim.publicKey === null ? [] : [claim.publicKey];
  if (keys.length === 0) return fail(`No passport and no key of ${envelope.agentId} is known here.`, 'unknown_key');
  return holds(envelope, (text) => keys.some((key) => claim.signatureHolds(key, text, proof)))
    ? PASSED
    : fail(`The signature does not match the envelope under the key of ${envelope.agentId}.`, 'mismatch');
}

/** What binds the agent to a key of its own, so that an HMAC speaks for it no more; null when nothing does. */
function boundTo({ mandate, unbound }: Aip1Claim, standing: HolderPassport): string | null {
  if (standing !== null) return 'a passport';
  if (!unbound) return 'a key';
  return mandate.status === 'none' ? null : 'a mandate';
}

/** The proof of an envelope, with the keys that may have made it; empty for an HMAC, which no key pair made. */
export function signersOf(claim: Aip1Claim, passport: Passport | null): BelievedKey[] {
  const { envelope } = claim;
  const { proof } = envelope;
  if (proof === null || proof.length !== 64) return [];
  const bare = claim.publicKey === null ? [] : [{ keyId: null, key: claim.publicKey }];
  const keys = passport === null ? [] : keysOf(passport, claim.now);
  const candidates =
    passport === null
      ? bare
      : [passport.currentKey, ...passport.previousKeys].filter((candidate) => keys.includes(candidate.key));
  return [
    {
      role: 'agent',
      candidates,
      holds: (key) => holds(envelope, (text) => claim.signatureHolds(key, text, proof)),
    },
  ];
}

/** The key and the spelling that are tried first; what else there is waits for their answer. */
export function firstQuestion(
  { proof, signedBytes }: Envelope,
  finding: PassportFinding,
  publicKey: VerifyKey | null,
): SignatureQuestion | null {
  const key = finding.status === 'found' ? finding.passport.currentKey.key : publicKey;
  return key === null || proof?.length !== 64 ? null : { key, message: signedBytes, signature: proof };
}

/** The current key, and former ones in their overlap: an envelope does not say which one signed it. */
function keysOf({ currentKey, previousKeys }: Passport, now: number): VerifyKey[] {
  const overlapping = previousKeys.filter(({ validUntil }) => validUntil !== null && now < validUntil);
  return [currentKey.key, ...overlapping.map(({ key }) => key)];
}

/** True where the proof holds over one of the spellings. */
export function holds({ spellings }: Envelope, proves: (text: Uint8Array) => boolean): boolean {
  for (const text of spellings()) if (proves(text)) return true;
  return false;
}
