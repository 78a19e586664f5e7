import { failed, PASSED, skipped, type Verdict } from '../../../decision.js';
import type { Aip1Context } from '../context.js';
import { rfcTrustScore } from '../../../../protocol/aip1/trust-score.js';
import { aip1Violation } from '../violations.js';

/**
 * E404: the score is at or above this verifier's minimum. At every tier, because the agent chooses its tier, it is the score that
 * intents of the native dialect are held to. Tier 2 asks for RFC-001's own as well, which lets first contact through (section 9.3).
 */
export function trust({ envelope, policy, facts, tier }: Aip1Context): Verdict {
  const minimum = policy.minTrust;
  if (minimum === null) return skipped('no minimum is set');
  const known = facts.trust();
  const scores = [known?.score ?? null];
  if (tier === 2 && known !== null && known.history.total > 0) {
    scores.push(rfcTrustScore({ ...known.history, delegationDepth: Math.max(1, envelope.delegation.length) }));
  }
  const low = scores.find((score) => score === null || !(score >= minimum));
  if (low === undefined) return PASSED;
  const message =
    low === null ? 'The agent has no trust score yet.' : `The trust score is ${low}; the minimum is ${minimum}.`;
  return failed(aip1Violation('TRUST_SCORE_LOW', message, { score: low, minimum, agent_id: envelope.agentId }));
}
