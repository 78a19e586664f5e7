/** Step 6: the constraints of section 5, a file each. What they read in the params is in `constraints/reading/`. */
import type { ConstraintKind, Constraints } from '../protocol/constraints/rules.js';
import type { Violation } from './decision.js';
import { approval } from './constraints/approval.js';
import { bound } from './constraints/bounds.js';
import { dailyLimit } from './constraints/daily.js';
import { allowedDomains } from './constraints/domains.js';
import { geoRestriction } from './constraints/geo.js';
import type { ConstraintCheck, Judged } from './constraints/judged.js';
import { currency, monetaryLimit } from './constraints/money.js';
import { rate } from './constraints/rates.js';
import { givenParam, required } from './constraints/required.js';
import { timeWindow } from './constraints/time-window.js';
import { allowedValues, deniedValues } from './constraints/values.js';

/** What stands behind each row of the table. A kind without a check does not compile. */
export const CONSTRAINT_CHECKS: { readonly [Kind in ConstraintKind]: ConstraintCheck<Kind> } = {
  currency, //                          E202 E211
  monetary_limit: monetaryLimit, //     E202
  daily_limit: dailyLimit, //           E212
  allowed_domains: allowedDomains, //   E203
  rate, //                              E205
  allowed_values: allowedValues, //     E204 E206
  denied_values: deniedValues, //       E206
  bound, //                             E207 E211
  required, //                          E208
  given: givenParam, //                 E208
  approval, //                          E209
  time_window: timeWindow, //           E213
  geo_restriction: geoRestriction, //   E214
};

/** Everything about the intent that breaks a constraint, in the order of section 5; empty when all of them hold. */
export function checkConstraints(constraints: Constraints, judged: Judged): Violation[] {
  const violations: Violation[] = [];
  for (const constraint of constraints.all) {
    if (constraint.actions !== null && !constraint.actions.has(judged.action)) continue;
    const found = (CONSTRAINT_CHECKS[constraint.kind] as ConstraintCheck<ConstraintKind>)(constraint, judged);
    if (found.length > 0) violations.push(...found);
  }
  return violations;
}
