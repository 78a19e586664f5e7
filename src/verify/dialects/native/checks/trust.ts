import type { Identified } from '../context.js';
import { failed, PASSED, skipped, violation, type Verdict } from '../../../decision.js';

/** Step 9: the agent's score is at or above this verifier's minimum, where one is set. */
export function trust({ intent, policy, facts }: Identified): Verdict {
  const minimum = policy.minTrust;
  if (minimum === null) return skipped('no minimum is set');
  const { agent_id } = intent.document;
  const score = facts.trust()?.score ?? null;
  if (score !== null && score >= minimum) return PASSED;
  const message =
    score === null ? 'The agent has no trust score yet.' : `The trust score is ${score}; the minimum is ${minimum}.`;
  return failed(violation('TRUST_SCORE_LOW', message, { score, minimum, agent_id }));
}
