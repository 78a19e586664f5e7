import type { Json } from '../../protocol/json/values.js';
import { violation } from '../decision.js';
import { HOLDS, paramOf, type ConstraintCheck } from './judged.js';

/** The param is there and says something. */
export const required: ConstraintCheck<'required'> = ({ param }, { agentId, params }) =>
  isMissing(paramOf(params, param))
    ? [violation('REQUIRED_PARAM_MISSING', `"${param}" is required.`, { param, agent_id: agentId })]
    : HOLDS;

// Zero counts as given: whether 0 is a sensible value is what min_<name> and the params schema say.
function isMissing(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === false) return true;
  if (typeof value === 'string') return value.trim() === '';
  return typeof value === 'object' && Object.keys(value).length === 0;
}
