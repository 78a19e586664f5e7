import { wordsOf } from '../../protocol/naming/name-words.js';
import { visibleText } from '../../protocol/naming/hidden.js';
import { nameOf } from '../../protocol/naming/names.js';
import type { RequiredRule } from '../../protocol/constraints/rules.js';
import type { Json, JsonObject } from '../../protocol/json/values.js';
import { violation } from '../decision.js';
import { HOLDS, type ConstraintCheck, type Judged } from './judged.js';
import { declaredIn } from './reading/declared.js';
import { isRead, readBy } from './reading/reads.js';

/** A param of the name is there and says something. */
export const required: ConstraintCheck<'required'> = (rule, judged) => {
  if (!isFor(rule, judged)) return HOLDS;
  const param = rule.reads.shown;
  return readBy(judged.members, rule.reads).some(({ value }) => !isEmpty(value))
    ? HOLDS
    : [violation('REQUIRED_PARAM_MISSING', `"${param}" is required.`, { param, agent_id: judged.agentId })];
};

/** The param is there, if only as null. */
export const givenParam: ConstraintCheck<'given'> = ({ param: { text: param, key } }, { agentId, members }) => {
  if (members.some(({ name }) => name.key === key)) return HOLDS;
  const message = `"${param}" is left out, and a limit reads it; null says that there is none.`;
  return [violation('REQUIRED_PARAM_MISSING', message, { param, agent_id: agentId })];
};

/** Actions that take something back, or only look. */
const EXCEPT: ReadonlySet<string> = new Set(['cancel', 'list', 'get', 'read']);

/** Without `actions`: where the schema declares the param, and without a schema everywhere but where nothing is done. */
function isFor({ actions, reads }: RequiredRule, { action, schema }: Judged): boolean {
  if (actions !== null) return true;
  if (schema === null) return !EXCEPT.has(wordsOf(action)[0] ?? '');
  return declaredIn(schema).some((name) => isRead(nameOf(name), reads));
}

// Zero counts as given: whether 0 is a sensible value is what min_<name> and the params schema say.
function isEmpty(value: Json): boolean {
  if (value === null || value === false) return true;
  if (typeof value === 'string') return visibleText(value).trim() === '';
  return typeof value === 'object' && Object.values(value as JsonObject).every(isEmpty);
}
