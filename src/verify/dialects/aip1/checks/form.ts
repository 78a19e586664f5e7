import { PROTOCOL_VERSION, type Envelope } from '../../../../protocol/aip1/envelope.js';
import { formatTime } from '../../../../protocol/time.js';
import type { Policy } from '../../../context.js';
import { failed, PASSED, type Verdict } from '../../../decision.js';
import type { Aip1Claim, Reading } from '../context.js';
import { aip1Violation } from '../violations.js';

const NONCE = /^nonce:[0-9a-fA-F]{32,}$/;
/** No envelope is in force longer than the longest ttl, whatever its expiry says: its nonce must be remembered that long. */
export const MAX_LIFETIME_MS = 86_400_000;

/** E104: another `protocol_version` than this one. */
export function version(reading: Reading): Verdict {
  if (reading.status !== 'version') return PASSED;
  const message = `Protocol version ${JSON.stringify(reading.found.slice(0, 64))} is not supported; ${PROTOCOL_VERSION} is.`;
  const details = { protocol_version: reading.found.slice(0, 64), supported: [PROTOCOL_VERSION], agent_id: null };
  return failed(aip1Violation('VERSION_UNSUPPORTED', message, details));
}

/** E103: members that are missing, unknown or of another form. */
export function schema(reading: Reading): Verdict {
  if (reading.status !== 'malformed') return PASSED;
  const { reason, offset } = reading;
  return failed(
    aip1Violation('SCHEMA_INVALID', `This is not an AIP-1 envelope: ${reason}.`, { reason, offset, agent_id: null }),
  );
}

/** E101: in force until its expiry, the instant itself included, and not dated ahead of what clocks may differ. */
export function expiry({ envelope, now, policy }: Aip1Claim): Verdict {
  const { agentId, issuedAt } = envelope;
  const end = endUnder(envelope, policy);
  // Asked so that a bound which is no number refuses.
  if (now <= end && issuedAt - now <= policy.maxSkewMs) return PASSED;
  const message =
    now > end
      ? `The envelope expired ${Math.ceil((now - end) / 1000)} s ago.`
      : `The envelope is dated ${Math.ceil((issuedAt - now) / 1000)} s ahead; at most ${policy.maxSkewMs / 1000} s are allowed.`;
  const details = {
    issued_at: formatTime(issuedAt),
    expires_at: formatTime(end),
    now: formatTime(now),
    agent_id: agentId,
  };
  return failed(aip1Violation('EXPIRED_ENVELOPE', message, details));
}

/** The same under the verifier's own limit: how long it lives is not for the signer alone to say. */
function endUnder(envelope: Envelope, { ageLimitMs = Infinity }: Pick<Policy, 'ageLimitMs'>): number {
  return Math.min(endOf(envelope), envelope.issuedAt + ageLimitMs);
}

/** The last instant at which the envelope is in force for some verifier, in ms since the epoch: its nonce is kept until then. */
export function endOf({ issuedAt, expiresAt }: Pick<Envelope, 'issuedAt' | 'expiresAt'>): number {
  return Math.min(expiresAt, issuedAt + MAX_LIFETIME_MS);
}

/** E105: a nonce of another form. */
export function nonce({ envelope }: Aip1Claim): Verdict {
  const { agentId, entropy } = envelope;
  if (NONCE.test(entropy)) return PASSED;
  const message = 'The entropy is not "nonce:" and at least 32 hex digits.';
  return failed(aip1Violation('NONCE_INVALID', message, { reason: 'form', agent_id: agentId }));
}
