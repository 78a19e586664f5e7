import type { ApprovalRule } from '../../protocol/constraints/rules.js';
import { foldedName } from '../../protocol/constraints/grammar.js';
import { formatMinor } from '../../protocol/constraints/money.js';
import type { Json } from '../../protocol/json/values.js';
import { violation } from '../decision.js';
import { isInCurrency, readAmount } from './amount.js';
import { HOLDS, paramOf, type ConstraintCheck, type Judged } from './judged.js';

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
  if (rule.actions.has(judged.action)) return `the action ${judged.action} needs approval`;
  if (rule.environments.size > 0) {
    const reason = environmentReason(rule.environments, judged);
    if (reason !== null) return reason;
  }
  if (rule.above === null) return null;
  for (const param of rule.params) {
    const reason = amountReason(param, rule.currency, rule.above, judged);
    if (reason !== null) return reason;
  }
  return null;
}

function environmentReason(environments: ReadonlySet<string>, { params, target }: Judged): string | null {
  const values: Json[] = target === null ? [] : [target];
  for (const name of ['environment', 'environments']) {
    const value = paramOf(params, name);
    if (Array.isArray(value)) values.push(...value);
    else if (value !== undefined) values.push(value);
  }
  for (const value of values) {
    // What is not a name could be any environment to the executor.
    if (typeof value !== 'string') return 'the environment cannot be read';
    if (environments.has(foldedName(value))) return `the environment ${foldedName(value)} needs approval`;
  }
  return null;
}

function amountReason(param: string, currency: string, above: bigint, { params }: Judged): string | null {
  const amount = readAmount(params, param, currency);
  if (amount === null) return null;
  if (!amount.ok || !isInCurrency(params, currency)) return `the amount cannot be read in ${currency}`;
  return amount.minor > above ? `amounts above ${formatMinor(above, currency)} need approval` : null;
}
