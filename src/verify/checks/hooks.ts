import { DEFAULT_TTL_MS } from '../../protocol/approvals/approval.js';
import type { Constraints } from '../../protocol/constraints/rules.js';
import type { ApprovalPolicy } from '../approvals/approving.js';
import { approvalMissing } from '../constraints/approval.js';
import type { Held } from '../context.js';
import { skipped, verdictOf, type Verdict, type Violation } from '../decision.js';

/** Custom verification. A hook may allow, reject with a code of its own, or ask for a person's approval. */
export function hooks({ intent, facts, limits }: Held): Verdict {
  if (facts.hooks.length === 0) return skipped('no hooks are registered');
  const { agent_id } = intent.document;
  const violations: Violation[] = [];
  for (const outcome of facts.hooks) {
    if (outcome.result === 'allow') continue;
    if (outcome.result === 'reject') violations.push(outcome.violation);
    else {
      const missing = approvalMissing(policyOf(limits), facts.approving(), {
        intentHash: intent.hash,
        agentId: agent_id,
      });
      if (missing !== null) violations.push(missing(outcome.reason, outcome.reason));
    }
  }
  return verdictOf(violations);
}

/** Who approves what a hook asks about: those whom the limits name, else the principal. */
function policyOf(limits: readonly Constraints[]): ApprovalPolicy {
  for (const { all } of limits) {
    for (const rule of all) if (rule.kind === 'approval' && rule.approvers !== null) return rule;
  }
  return { approvers: null, count: 1, ttlMs: DEFAULT_TTL_MS };
}
