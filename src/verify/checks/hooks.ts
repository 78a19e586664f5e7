import type { Held } from '../context.js';
import { skipped, verdictOf, violation, type Verdict, type Violation } from '../decision.js';

/** Custom verification. A hook may allow, reject with a code of its own, or ask for a person's approval. */
export function hooks({ intent, facts }: Held): Verdict {
  if (facts.hooks.length === 0) return skipped('no hooks are registered');
  const { agent_id } = intent.document;
  const violations: Violation[] = [];
  for (const outcome of facts.hooks) {
    if (outcome.result === 'allow') continue;
    if (outcome.result === 'reject') violations.push(outcome.violation);
    else if (!facts.approved) {
      const { reason } = outcome;
      violations.push(violation('APPROVAL_REQUIRED', reason, { reason, intent_hash: intent.hash, agent_id }));
    }
  }
  return verdictOf(violations);
}
