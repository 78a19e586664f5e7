import type { Json } from '../../protocol/json/values.js';
import { violation, type Violation } from '../decision.js';
import { paramOf, said, shown, shownAll, type ConstraintCheck, type Judged } from './judged.js';

/** Every value of the param is on the list, exactly as it is written there. */
export const allowedValues: ConstraintCheck<'allowed_values'> = (rule, judged) =>
  offenders(rule.params, judged, (value) => !rule.values.has(value)).map(({ param, values }) =>
    violation(rule.code, `${said(values[0]!)} (in "${shown(param)}") is not in "${rule.name}".`, {
      requested: shownAll(values),
      allowed: rule.written,
      param,
      agent_id: judged.agentId,
    }),
  );

/** No value of the param is on the list. What cannot be compared, a list in a list or an object, could hide one and is refused. */
export const deniedValues: ConstraintCheck<'denied_values'> = (rule, judged) =>
  offenders(
    rule.params,
    judged,
    (value) => rule.values.has(value) || (typeof value === 'object' && value !== null),
  ).map(({ param, values }): Violation =>
    violation(rule.code, `${said(values[0]!)} (in "${shown(param)}") is denied by "${rule.name}".`, {
      requested: shownAll(values),
      // A deny-list names no value that would do.
      allowed: null,
      param,
      agent_id: judged.agentId,
    }),
  );

interface Offenders {
  readonly param: string;
  readonly values: readonly Json[];
}

function offenders(names: readonly string[], { params }: Judged, offends: (value: Json) => boolean): Offenders[] {
  const found: Offenders[] = [];
  for (const param of names) {
    const value = paramOf(params, param);
    if (value === undefined) continue;
    const values = (Array.isArray(value) ? value : [value]).filter(offends);
    if (values.length > 0) found.push({ param, values });
  }
  return found;
}
