import { checkConstraints, type Judged } from '../constraints.js';
import { unaccountable, withoutHistory } from '../constraints/history.js';
import { keepsState, type Identified } from '../context.js';
import { verdictOf, type Verdict, type Violation } from '../decision.js';

/** Step 6: every constraint of the passport and of the caller holds; all violations are collected. */
export function constraints({ intent, limits, facts, now }: Identified): Verdict {
  const { agent_id, action, params, target = null } = intent.document;
  const judged: Judged = {
    agentId: agent_id,
    action,
    params,
    target,
    now,
    geo: facts.geo,
    approved: facts.approved,
    intentHash: intent.hash,
    read: facts.read,
  };
  const violations: Violation[] = [];
  if (!keepsState(facts)) for (const each of limits) violations.push(...withoutHistory(each, agent_id));
  else violations.push(...unaccountable(limits, agent_id));
  if (violations.length === 0) for (const each of limits) violations.push(...checkConstraints(each, judged));
  return verdictOf(violations);
}
