import { checkConstraints, type Judged } from '../constraints/index.js';
import { withoutHistory } from '../constraints/history.js';
import { keepsState, type Identified } from '../context.js';
import { verdictOf, type Verdict } from '../decision.js';

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
  const unknowable = keepsState(facts) ? [] : limits.flatMap((constraints) => withoutHistory(constraints, agent_id));
  return verdictOf(unknowable.length > 0 ? unknowable : limits.flatMap((each) => checkConstraints(each, judged)));
}
