import type { Json } from '../../protocol/json/values.js';
import { violation, type Violation } from '../decision.js';
import { said, shown, type ConstraintCheck } from './judged.js';
import { readBy } from './reading/reads.js';

/** A decision lists this many; the intent is refused anyway. */
const MAX_REPORTED = 16;

/** The numbers in the params are within their bound; the bound itself is allowed. Both are JSON numbers, so the comparison is exact. */
export const bound: ConstraintCheck<'bound'> = ({ name, side, reads, limit }, { agentId, members }) => {
  const found: Violation[] = [];
  const look = (value: Json, path: string): void => {
    if (found.length === MAX_REPORTED) return;
    const param = shown(path);
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      const reason = `it is not a number, and "${name}" bounds it`;
      found.push(
        violation('PARAMS_INVALID', `"${param}" is ${said(value)}: ${reason}.`, { param, reason, agent_id: agentId }),
      );
    } else if (side === 'max' ? value > limit : value < limit) {
      const allowed = side === 'max' ? 'at most' : 'at least';
      found.push(
        violation('VALUE_LIMIT_EXCEEDED', `"${param}" is ${value}, and ${allowed} ${limit} is allowed.`, {
          requested: value,
          limit,
          param,
          agent_id: agentId,
        }),
      );
    }
  };
  for (const { value, path } of readBy(members, reads)) look(value, path);
  return found;
};
