import { formatTime } from '../../../../protocol/time.js';
import { issuerProblem } from '../../../checks/issuer.js';
import type { NativeClaim } from '../context.js';
import { failed, PASSED, violation, type Verdict } from '../../../decision.js';

/** Step 1: the agent is known, its passport is whole, signed by a pinned principal, and in force. */
export function passport({ intent, finding, pins, maxSkewMs, now }: NativeClaim): Verdict {
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
  // One dated ahead would be in force before its time, and shut out what is issued until then.
  if (found.issuedAt - now > maxSkewMs) {
    const message = `The passport of ${agent_id} is dated ahead: it is in force from ${issued_at}.`;
    return failed(violation('PASSPORT_EXPIRED', message, { issued_at, expires_at, now: formatTime(now), agent_id }));
  }
  if (found.expiresAt !== null && !(now < found.expiresAt)) {
    const message = `The passport of ${agent_id} expired at ${expires_at}.`;
    return failed(violation('PASSPORT_EXPIRED', message, { issued_at, expires_at, now: formatTime(now), agent_id }));
  }
  return PASSED;
}
