import { violation } from '../decision.js';
import { HOLDS, paramOf, said, type ConstraintCheck } from './judged.js';

/** The number in the param is within its bound; the bound itself is allowed. Both are JSON numbers, so the comparison is exact. */
export const bound: ConstraintCheck<'bound'> = ({ name, side, param, limit }, { agentId, params }) => {
  const value = paramOf(params, param);
  if (value === undefined) return HOLDS;
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    const reason = `it is not a number, and "${name}" bounds it`;
    return [
      violation('PARAMS_INVALID', `"${param}" is ${said(value)}: ${reason}.`, { param, reason, agent_id: agentId }),
    ];
  }
  if (side === 'max' ? value <= limit : value >= limit) return HOLDS;
  return [
    violation(
      'VALUE_LIMIT_EXCEEDED',
      `"${param}" is ${value}, and ${side === 'max' ? 'at most' : 'at least'} ${limit} is allowed.`,
      { requested: value, limit, param, agent_id: agentId },
    ),
  ];
};
