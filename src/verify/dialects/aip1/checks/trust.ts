import { failed, PASSED, skipped, type Verdict } from '../../../decision.js';
import type { Aip1Context } from '../context.js';
import { rfcTrustScore } from '../../../../protocol/aip1/trust-score.js';
import { aip1Violation } from '../violations.js';

/** E404: the score is at or above this verifier's minimum. First contact is let through whatever the minimum (RFC-001, section 9.3). */
export function trust({ envelope, policy, facts }: Aip1Context): Verdict {
  const minimum = policy.minTrust;
  if (minimum === null) return skipped('no minimum is set');
  const history = facts.trust()?.history ?? null;
  if (history === null || history.total === 0) return skipped('the agent has no history here yet');
  const score = rfcTrustScore({ ...history, delegationDepth: Math.max(1, envelope.delegation.length) });
  if (score >= minimum) return PASSED;
  const message = `The trust score is ${score}; the minimum is ${minimum}.`;
  return failed(aip1Violation('TRUST_SCORE_LOW', message, { score, minimum, agent_id: envelope.agentId }));
}
