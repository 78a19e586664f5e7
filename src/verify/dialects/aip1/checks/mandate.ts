import { formatTime } from '../../../../protocol/time.js';
import { principalOfAgent } from '../../../../protocol/identity/did.js';
import { failed, skipped, verdictOf, type Verdict, type Violation } from '../../../decision.js';
import type { BelievedKey } from '../../../believed-keys.js';
import type { SignatureOracle } from '../../../context.js';
import type { Aip1Claim } from '../context.js';
import type { MandateFinding } from '../trust.js';
import { aip1Violation } from '../violations.js';

/** Whose signature on a mandate counts, and when. */
export interface MandateTrust {
  readonly pins: Aip1Claim['pins'];
  readonly signatureHolds: SignatureOracle;
  readonly maxSkewMs: number;
  /** ms since the epoch. */
  readonly now: number;
}

/** E405 to E408: a mandate that counts was signed by its issuer for this agent, and is in force. */
export function mandate(claim: Aip1Claim): Verdict {
  const { envelope, mandate: finding, policy, pins, signatureHolds, now } = claim;
  const agent_id = envelope.agentId;
  if (finding.status === 'none') {
    if (!policy.requireMandate) return skipped('no mandate was given');
    return failed(aip1Violation('MANDATE_REQUIRED', 'A mandate is required, and none was given.', { agent_id }));
  }
  return judgeMandate(finding, agent_id, { pins, signatureHolds, maxSkewMs: policy.maxSkewMs, now });
}

/** E406 to E408, of a mandate presented for `agent`, or for whom it names when that is null. */
export function judgeMandate(
  finding: Exclude<MandateFinding, { status: 'none' }>,
  agent: string | null,
  trust: MandateTrust,
): Verdict {
  const { maxSkewMs, now } = trust;
  if (finding.status === 'unreadable') {
    const { reason } = finding;
    return failed(
      aip1Violation('MANDATE_INVALID', `The mandate cannot be read: ${reason}.`, {
        reason,
        issuer: null,
        agent_id: agent,
      }),
    );
  }
  const given = finding.mandate;
  const agent_id = agent ?? given.subject;
  const problem = issuerProblem(finding, agent_id, trust);
  if (problem !== null) {
    const details = { reason: problem, issuer: given.issuer, agent_id };
    return failed(aip1Violation('MANDATE_INVALID', `The mandate does not count: ${problem}.`, details));
  }
  const violations: Violation[] = [];
  if (given.subject !== agent_id) {
    const message = `The mandate was granted to ${given.subject}, not to ${agent_id}.`;
    const details = { mandate_id: given.id, subject: given.subject, agent_id };
    violations.push(aip1Violation('MANDATE_SUBJECT_MISMATCH', message, details));
  }
  const early = given.issuedAt - now > maxSkewMs;
  if (early || (given.expiresAt !== null && now > given.expiresAt)) {
    const issued_at = formatTime(given.issuedAt);
    const expires_at = given.expiresAt === null ? null : formatTime(given.expiresAt);
    const message = early ? `The mandate is in force from ${issued_at}.` : `The mandate expired at ${expires_at}.`;
    const details = { mandate_id: given.id, issued_at, expires_at, agent_id };
    violations.push(aip1Violation('MANDATE_EXPIRED', message, details));
  }
  return verdictOf(violations);
}

/** The issuer's signature on a mandate that counts, with the keys that may have made it. */
export function mandateSigner({
  mandate: finding,
  pins,
  signatureHolds,
}: Pick<Aip1Claim, 'mandate' | 'pins' | 'signatureHolds'>): BelievedKey[] {
  if (finding.status !== 'found' || finding.mandate.signature === null) return [];
  const { mandate: given, issuerKey } = finding;
  const { signature } = given;
  return [
    {
      role: 'mandate',
      candidates: issuerKey === null ? pins(given.issuer) : [{ keyId: null, key: issuerKey }],
      holds: (key) => [...given.spellings()].some((text) => signatureHolds(key, text, signature!)),
    },
  ];
}

/** Why no trusted key of the issuer signed the mandate, or null when one did. */
function issuerProblem(
  { mandate: given, issuerKey }: Extract<MandateFinding, { status: 'found' }>,
  agentId: string,
  { pins, signatureHolds }: MandateTrust,
): string | null {
  const { signature } = given;
  if (signature === null) return 'its proof value is not base64url of 64 bytes';
  if (issuerKey === null && given.issuer !== principalOfAgent(agentId)) {
    // A pin says whom a principal is, not that it may speak for the agents of others.
    return `${given.issuer} does not answer for ${agentId}`;
  }
  const keys = issuerKey === null ? pins(given.issuer).map(({ key }) => key) : [issuerKey];
  if (keys.length === 0) return `no key of ${given.issuer} is known here`;
  for (const text of given.spellings()) {
    if (keys.some((key) => signatureHolds(key, text, signature))) return null;
  }
  return `no trusted key of ${given.issuer} signed it as it stands`;
}
