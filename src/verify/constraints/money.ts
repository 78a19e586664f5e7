import { formatMinor, jsonOfMinor } from '../../protocol/constraints/money.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { GUESSED } from '../../protocol/log/attribution.js';
import { violation, type Violation } from '../decision.js';
import { amountsIn, otherCurrency, worstAbove, type Amount } from './reading/amount.js';
import { HOLDS, said, shown, type ConstraintCheck } from './judged.js';

/** Every amount is in the passport's currency and can be read exactly; the limits below rely on it. */
export const currency: ConstraintCheck<'currency'> = (rule, { agentId, params, members }) => {
  const other = otherCurrency(params, members, rule);
  if (other !== null) {
    return [
      violation(
        'MONETARY_LIMIT_EXCEEDED',
        `Currency ${said(other.value)} asked, ${rule.currency} allowed${rule.assumed ? ' (the default of a passport that names none)' : ''}.`,
        {
          requested: shown(other.value),
          limit: rule.limit === null ? null : jsonOfMinor(rule.limit, rule.currency),
          currency: rule.currency,
          param: shown(other.path),
          agent_id: agentId,
        },
      ),
    ];
  }
  const violations: Violation[] = [];
  for (const source of rule.sources) {
    for (const { param, reason } of amountsIn(params, members, source, rule.currency).unreadable) {
      violations.push(
        violation('PARAMS_INVALID', `"${param}" is not an amount of ${rule.currency}: ${reason}.`, {
          param,
          reason,
          agent_id: agentId,
        }),
      );
    }
  }
  return violations;
};

/** No single action asks for more than the limit; the limit itself is allowed. */
export const monetaryLimit: ConstraintCheck<'monetary_limit'> = (rule, judged) => {
  const { limit, currency, source } = rule;
  const { agentId, params, members } = judged;
  // Unreadable amounts and other currencies are refused by `currency`, which stands before every limit.
  if (otherCurrency(params, members, rule) !== null) return HOLDS;
  const amounts = amountsIn(params, members, source, currency);
  if (amounts.unreadable.length > 0) return HOLDS;
  const amount = worstAbove(amounts, limit);
  if (amount === null) return HOLDS;
  return [
    violation(
      'MONETARY_LIMIT_EXCEEDED',
      `${formatMinor(amount.minor, currency)} asked${whereFound(amount)}, ${formatMinor(limit, currency)} allowed.`,
      {
        requested: jsonOfMinor(amount.minor, currency),
        limit: jsonOfMinor(limit, currency),
        currency,
        param: shown(amount.param),
        ...guessedBy(amount),
        agent_id: agentId,
      },
    ),
  ];
};

/** An amount that was found by a word says where, so that a person sees what was taken for money. */
export function whereFound({ param, guessed }: Amount): string {
  return guessed ? ` (in ${said(param)})` : '';
}

/** The mark of a guess, where it is one. */
export function guessedBy({ guessed }: Amount): JsonObject {
  return guessed ? { [GUESSED]: true } : {};
}
