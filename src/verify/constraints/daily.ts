import { formatMinor, jsonOfMinor } from '../../protocol/constraints/money.js';
import { violation } from '../decision.js';
import { isInCurrency, readAmount } from './amount.js';
import { HOLDS, type ConstraintCheck } from './judged.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/** What was accepted in the last 24 hours and this amount together stay within the limit. */
export const dailyLimit: ConstraintCheck<'daily_limit'> = ({ limit, currency, param }, judged) => {
  const { agentId, params } = judged;
  if (!isInCurrency(params, currency)) return HOLDS;
  const amount = readAmount(params, param, currency);
  if (amount === null || !amount.ok) return HOLDS;
  const reading = judged.read({ kind: 'sum', currency, windowMs: DAY_MS });
  if (reading.kind !== 'sum') throw new Error('a sum was asked for and a count was read');
  if (reading.spent + amount.minor <= limit) return HOLDS;
  return [
    violation(
      'DAILY_LIMIT_EXCEEDED',
      `${formatMinor(amount.minor, currency)} asked and ${formatMinor(reading.spent, currency)} spent in 24 hours, ${formatMinor(limit, currency)} allowed.`,
      {
        requested: jsonOfMinor(amount.minor, currency),
        spent: jsonOfMinor(reading.spent, currency),
        limit: jsonOfMinor(limit, currency),
        window: '24h',
        agent_id: agentId,
      },
    ),
  ];
};
