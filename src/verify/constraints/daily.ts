import { formatMinor, jsonOfMinor } from '../../protocol/constraints/money.js';
import { violation } from '../decision.js';
import { amountsIn, isCertain, largestOf, worstAbove } from './reading/amount.js';
import { otherCurrency } from './reading/currency.js';
import { HOLDS, type ConstraintCheck } from './judged.js';
import { guessedBy, whereFound } from './money.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/** What was accepted in the last 24 hours and the largest reading of this amount together stay within the limit. */
export const dailyLimit: ConstraintCheck<'daily_limit'> = (rule, judged) => {
  const { limit, currency, source } = rule;
  const { agentId, params, members } = judged;
  if (otherCurrency(params, members, rule, [source]) !== null) return HOLDS;
  const amounts = amountsIn(params, members, source, currency);
  const largest = largestOf(amounts);
  if (!isCertain(amounts) || largest === null) return HOLDS;
  const reading = judged.read({ kind: 'sum', currency, windowMs: DAY_MS, asked: largest.minor, limit });
  if (reading.kind !== 'sum') throw new Error('a sum was asked for and a count was read');
  const amount = worstAbove(amounts, limit - reading.spent);
  if (amount === null) return HOLDS;
  return [
    violation(
      'DAILY_LIMIT_EXCEEDED',
      `${formatMinor(amount.minor, currency)} asked${whereFound(amount)} and ${formatMinor(reading.spent, currency)} spent in 24 hours, ${formatMinor(limit, currency)} allowed.`,
      {
        requested: jsonOfMinor(amount.minor, currency),
        spent: jsonOfMinor(reading.spent, currency),
        limit: jsonOfMinor(limit, currency),
        window: '24h',
        ...guessedBy(amount),
        agent_id: agentId,
      },
    ),
  ];
};
