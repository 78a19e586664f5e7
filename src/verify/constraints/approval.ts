import { foldedText } from '../../protocol/constraints/folded.js';
import { formatMinor } from '../../protocol/constraints/money.js';
import type { ApprovalRule, MoneySource } from '../../protocol/constraints/rules.js';
import type { Json } from '../../protocol/json/values.js';
import { endsWith, thingNamed } from '../../protocol/naming/names.js';
import { ENVIRONMENT_WORDS } from '../../protocol/naming/vocabulary.js';
import { violation } from '../decision.js';
import { amountsIn, largestOf, otherCurrency } from './amount.js';
import { HOLDS, type ConstraintCheck, type Judged } from './judged.js';

/** A person has approved exactly this intent, where the passport asks for it. Any one trigger is enough. */
export const approval: ConstraintCheck<'approval'> = (rule, judged) => {
  if (judged.approved) return HOLDS;
  const reason = reasonFor(rule, judged);
  if (reason === null) return HOLDS;
  return [
    violation('APPROVAL_REQUIRED', `A person has to approve this: ${reason}.`, {
      reason,
      intent_hash: judged.intentHash,
      agent_id: judged.agentId,
    }),
  ];
};

function reasonFor(rule: ApprovalRule, judged: Judged): string | null {
  if (rule.always) return 'every action of this agent needs approval';
  if (rule.triggers.has(judged.action)) return `the action ${judged.action} needs approval`;
  if (rule.environments.size > 0) {
    const reason = environmentReason(rule.environments, judged);
    if (reason !== null) return reason;
  }
  if (rule.above === null) return null;
  for (const source of rule.sources) {
    const reason = amountReason(source, rule.currency, rule.above, judged);
    if (reason !== null) return reason;
  }
  return null;
}

const ENVIRONMENT = thingNamed(...ENVIRONMENT_WORDS);

function environmentReason(environments: ReadonlySet<string>, { members, target }: Judged): string | null {
  const values: Json[] = target === null ? [] : [target, ...target.split(/[/:.]/)];
  for (const { name, value } of members) {
    if (!endsWith(name, ENVIRONMENT)) continue;
    if (Array.isArray(value)) values.push(...(value as readonly Json[]));
    else values.push(value);
  }
  for (const value of values) {
    // What is not a name could be any environment to the executor.
    if (typeof value !== 'string') return 'the environment cannot be read';
    if (environments.has(foldedText(value))) return `the environment ${foldedText(value)} needs approval`;
  }
  return null;
}

function amountReason(
  source: MoneySource,
  currency: string,
  above: bigint,
  { params, members }: Judged,
): string | null {
  const amounts = amountsIn(params, members, source, currency);
  if (amounts.unreadable.length > 0) return `the amount cannot be read in ${currency}`;
  const largest = largestOf(amounts);
  if (largest === null) return null;
  if (otherCurrency(params, members, currency) !== null) return `the amount cannot be read in ${currency}`;
  return largest.minor > above ? `amounts above ${formatMinor(above, currency)} need approval` : null;
}
