import { formatMinor, jsonOfMinor } from '../../protocol/constraints/money.js';
import { violation, type Violation } from '../decision.js';
import { isInCurrency, readAmount } from './amount.js';
import { HOLDS, paramOf, said, shown, type ConstraintCheck } from './judged.js';

/** Every amount is in the passport's currency and can be read exactly; the limits below rely on it. */
export const currency: ConstraintCheck<'currency'> = (rule, { agentId, params }) => {
  if (!isInCurrency(params, rule.currency)) {
    const requested = paramOf(params, 'currency') ?? null;
    return [
      violation(
        'MONETARY_LIMIT_EXCEEDED',
        `Currency ${said(requested)} asked, ${rule.currency} allowed${rule.assumed ? ' (the default of a passport that names none)' : ''}.`,
        {
          requested: shown(requested),
          limit: rule.limit === null ? null : jsonOfMinor(rule.limit, rule.currency),
          currency: rule.currency,
          param: 'currency',
          agent_id: agentId,
        },
      ),
    ];
  }
  const violations: Violation[] = [];
  for (const name of rule.params) {
    const amount = readAmount(params, name, rule.currency);
    if (amount === null || amount.ok) continue;
    violations.push(
      violation('PARAMS_INVALID', `"${amount.param}" is not an amount of ${rule.currency}: ${amount.reason}.`, {
        param: amount.param,
        reason: amount.reason,
        agent_id: agentId,
      }),
    );
  }
  return violations;
};

/** No single action asks for more than the limit; the limit itself is allowed. */
export const monetaryLimit: ConstraintCheck<'monetary_limit'> = ({ limit, currency, param }, { agentId, params }) => {
  // Unreadable amounts and other currencies are refused by `currency`, which stands before every limit.
  if (!isInCurrency(params, currency)) return HOLDS;
  const amount = readAmount(params, param, currency);
  if (amount === null || !amount.ok || amount.minor <= limit) return HOLDS;
  return [
    violation(
      'MONETARY_LIMIT_EXCEEDED',
      `${formatMinor(amount.minor, currency)} asked, ${formatMinor(limit, currency)} allowed.`,
      {
        requested: jsonOfMinor(amount.minor, currency),
        limit: jsonOfMinor(limit, currency),
        currency,
        param: amount.param,
        agent_id: agentId,
      },
    ),
  ];
};
