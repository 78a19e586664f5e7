import { checkConstraints, type Judged } from '../constraints.js';
import { unaccountable, withoutHistory } from '../constraints/history.js';
import { NO_STATE, type Facts, type Held } from '../context.js';
import type { Meter, MeterReading } from '../meters.js';
import { verdictOf, type Verdict, type Violation } from '../decision.js';

/** Every constraint of the passport and of the caller holds; all violations are collected. */
export function constraints({ intent, limits, facts }: Held): Verdict {
  const { agent_id, action, params, target = null } = intent.document;
  const judged: Judged = {
    agentId: agent_id,
    action,
    params,
    target,
    now: facts.now,
    geo: facts.geo,
    approved: facts.approved,
    intentHash: intent.hash,
    read: (meter) => read(facts, agent_id, meter),
  };
  const violations: Violation[] = [];
  if (facts.memory === null) for (const each of limits) violations.push(...withoutHistory(each, agent_id));
  else violations.push(...unaccountable(limits, agent_id));
  if (violations.length === 0) for (const each of limits) violations.push(...checkConstraints(each, judged));
  return verdictOf(violations);
}

function read({ memory, now }: Facts, agentId: string, meter: Meter): MeterReading {
  if (memory === null) throw new Error(NO_STATE);
  return memory.read(agentId, meter, now);
}
