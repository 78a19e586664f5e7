import { checkConstraints } from '../constraints/index.js';
import type { Identified } from '../context.js';
import { verdictOf, type Verdict } from '../decision.js';

/** Step 6: every constraint of the passport holds; all violations are collected. */
export function constraints({ intent, passport, facts, now }: Identified): Verdict {
  const { agent_id, action, params, target = null } = intent.document;
  return verdictOf(
    checkConstraints(passport.constraints, {
      agentId: agent_id,
      action,
      params,
      target,
      now,
      geo: facts.geo,
      approved: facts.approved,
      intentHash: intent.hash,
      read: facts.read,
    }),
  );
}
