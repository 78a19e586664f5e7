import { checkConstraints } from '../constraints.js';
import { hiddenCharacters } from '../limits/hidden.js';
import { membersOf } from '../constraints/reading/members.js';
import { unmeasured, unmeasuredViolations, unmeasuredWarnings } from '../limits/unmeasured.js';
import type { Judged } from '../constraints/judged.js';
import type { Constraints } from '../../protocol/constraints/rules.js';
import { BOUND } from '../../protocol/log/attribution.js';
import { spentApproval } from '../constraints/approval.js';
import { unaccountable, withoutHistory } from '../limits/history.js';
import type { Passport } from '../../protocol/passport.js';
import { NO_STATE, type Facts, type Held, type Policy } from '../context.js';
import type { Meter, MeterReading } from '../meters.js';
import { failed, verdictOf, type Verdict, type Violation, type Warning } from '../decision.js';

/** What the check reads beside the facts. An envelope may come without any passport. */
export interface Measured extends Held {
  readonly passport: Passport | null;
  readonly policy: Pick<Policy, 'unmeasured'>;
}

/** Every constraint of the passport and of the caller holds; all violations are collected. */
export function constraints(context: Measured): Verdict {
  const { limits, passport, policy, facts } = context;
  const judged = judgedOf(context);
  const { agentId } = judged;
  // What is read must be what is there, before anything is judged by it.
  const hidden = hiddenCharacters(limits, judged);
  if (hidden.length > 0) return verdictOf(hidden);
  const spent = spentApproval(context);
  if (spent !== null) return failed(spent);
  const violations: Violation[] = [];
  if (facts.memory === null) for (const each of limits) violations.push(...withoutHistory(each, agentId));
  else violations.push(...unaccountable(limits, agentId));
  if (violations.length === 0) {
    for (const each of limits) {
      const broken = checkConstraints(each, judged);
      violations.push(...(each === passport?.constraints ? broken : broken.map(ofCaller)));
    }
    if (policy.unmeasured === 'deny') violations.push(...unmeasuredViolations(unmeasured(limits, judged), agentId));
  }
  return verdictOf(violations);
}

/** What an agent is not held to: a param that its passport does not ask for, and that its passport would take. */
const NOT_OF_PASSPORT: ReadonlySet<string> = new Set(['REQUIRED_PARAM_MISSING', 'PARAMS_INVALID']);

function ofCaller(found: Violation): Violation {
  if (!NOT_OF_PASSPORT.has(found.entry.name)) return found;
  return { ...found, details: { ...found.details, [BOUND]: 'caller' } };
}

/** The limits that found nothing to measure, for the warnings of a decision that came as far as the constraints. */
export function warningsOfConstraints(context: Measured): readonly Warning[] {
  const { limits } = context;
  if (limits.every(isEmpty) || schemaOf(context) !== null) return NO_WARNINGS;
  return unmeasuredWarnings(unmeasured(limits, judgedOf(context)));
}

const NO_WARNINGS: readonly Warning[] = [];

function isEmpty({ all }: Constraints): boolean {
  return all.length === 0;
}

function schemaOf({ passport, intent }: Measured): Judged['schema'] {
  return passport?.actions.get(intent.document.action) ?? null;
}

/**
 * What was read for the last context: the constraints, the warnings and the counters of one decision ask the same, one after the other.
 * One place, because a weak map of all intents of a batch costs the garbage collector more than it saves.
 */
let last: { readonly context: Measured; readonly judged: Judged } | null = null;

function judgedOf(context: Measured): Judged {
  if (last?.context !== context) last = { context, judged: readFor(context) };
  return last.judged;
}

/** The params of a context, member by member. */
export function membersRead(context: Measured): Judged['members'] {
  return judgedOf(context).members;
}

function readFor(context: Measured): Judged {
  const { intent, facts } = context;
  const { agent_id, action, params, target = null } = intent.document;
  return {
    agentId: agent_id,
    action,
    params,
    members: membersOf(params),
    schema: schemaOf(context),
    target,
    now: facts.now,
    geo: facts.geo,
    approving: facts.approving,
    intentHash: intent.hash,
    read: (meter) => read(facts, agent_id, meter),
  };
}

function read({ memory, now }: Facts, agentId: string, meter: Meter): MeterReading {
  if (memory === null) throw new Error(NO_STATE);
  return memory.read(agentId, meter, now);
}
