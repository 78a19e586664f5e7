import { formatMinor, jsonOfMinor } from '../../protocol/constraints/money.js';
import { violation } from '../decision.js';
import { largestOf, worstAbove } from './reading/amount.js';
import { HOLDS, type ConstraintCheck } from './judged.js';
import { amountsUnder, guessedBy, whereFound } from './money.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/** What was accepted in the last 24 hours and the largest reading of this amount together stay within the limit. */
export const dailyLimit: ConstraintCheck<'daily_limit'> = (rule, judged) => {
  const { limit, currency } = rule;
  const { agentId } = judged;
  const amounts = amountsUnder(rule, judged);
  const largest = amounts === null ? null : largestOf(amounts);
  if (amounts === null || largest === null) return HOLDS;
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
