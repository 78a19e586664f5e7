/** Step 6: the constraints of section 5, a file a check. */
import type { ConstraintKind, Constraints } from '../../protocol/constraint.js';
import type { Violation } from '../decision.js';
import { approval } from './approval.js';
import { bound } from './bounds.js';
import { dailyLimit } from './daily.js';
import { allowedDomains } from './domains.js';
import { geoRestriction } from './geo.js';
import type { ConstraintCheck, Judged } from './judged.js';
import { currency, monetaryLimit } from './money.js';
import { rate } from './rates.js';
import { required } from './required.js';
import { timeWindow } from './time-window.js';
import { allowedValues, deniedValues } from './values.js';

export type { Judged } from './judged.js';
export { accountingOf, needsHistory, usageOf } from './usage.js';

/** What stands behind each row of the table. A kind without a check does not compile. */
const CHECKS: { readonly [Kind in ConstraintKind]: ConstraintCheck<Kind> } = {
  currency, //                          E202 E211
  monetary_limit: monetaryLimit, //     E202
  daily_limit: dailyLimit, //           E212
  allowed_domains: allowedDomains, //   E203
  rate, //                              E205
  allowed_values: allowedValues, //     E204 E206
  denied_values: deniedValues, //       E206
  bound, //                             E207 E211
  required, //                          E208
  approval, //                          E209
  time_window: timeWindow, //           E213
  geo_restriction: geoRestriction, //   E214
};

/** Everything about the intent that breaks a constraint, in the order of section 5; empty when all of them hold. */
export function checkConstraints(constraints: Constraints, judged: Judged): Violation[] {
  const violations: Violation[] = [];
  for (const constraint of constraints.all) {
    const found = (CHECKS[constraint.kind] as ConstraintCheck<ConstraintKind>)(constraint, judged);
    if (found.length > 0) violations.push(...found);
  }
  return violations;
}
