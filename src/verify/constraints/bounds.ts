import { violation, type Violation } from '../decision.js';
import { MAX_REPORTED, said, shown, type ConstraintCheck } from './judged.js';
import { readBy } from './reading/reads.js';

/** The numbers in the params are within their bound; the bound itself is allowed. Both are JSON numbers, so the comparison is exact. */
export const bound: ConstraintCheck<'bound'> = ({ name, side, reads, limit }, { agentId, members }) => {
  const found: Violation[] = [];
  for (const { value, path } of readBy(members, reads)) {
    if (found.length === MAX_REPORTED) break;
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
  }
  return found;
};
