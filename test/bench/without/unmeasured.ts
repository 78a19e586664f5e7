/** Takes the place of the look for limits that measure nothing. */
import type { Violation, Warning } from '../../../src/verify/decision.js';

export * from '../../../src/verify/limits/unmeasured.js';

export const unmeasured = (): [] => [];
export const unmeasuredViolations = (): readonly Violation[] => [];
export const unmeasuredWarnings = (): readonly Warning[] => [];
