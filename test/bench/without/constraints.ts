/** Takes the place of the check of constraints in a measurement: nothing is read by any limit. */
import type { Verdict, Warning } from '../../../src/verify/decision.js';
import { verdictOf } from '../../../src/verify/decision.js';

export * from '../../../src/verify/checks/constraints.js';

export const constraints = (): Verdict => verdictOf([]);
export const warningsOfConstraints = (): readonly Warning[] => [];
