/** The mechanism of every dialect: checks run in a stated order and stop at the first that fails. */
import type { CheckReport, Verdict, Violation } from './decision.js';

/** One step: its name in decisions, and the rule. */
export interface Check<Context> {
  readonly name: string;
  readonly run: (context: Context) => Verdict;
}

/** What a list of steps found so far. */
export interface Findings {
  readonly reports: readonly CheckReport[];
  /** Empty when every step passed or was skipped for a stated reason. */
  readonly violations: readonly Violation[];
}

/** Runs a list of checks in order, after `before`, up to and including the first that fails. */
export function runChecks<Context>(
  checks: readonly Check<Context>[],
  context: Context,
  before: readonly CheckReport[] = [],
): Findings {
  const reports = before.slice();
  for (const check of checks) {
    const verdict = check.run(context);
    if (verdict.status === 'failed') {
      reports.push({ check: check.name, status: 'failed', reason: verdict.violations[0].entry.name });
      return { reports, violations: verdict.violations };
    }
    reports.push(
      verdict.status === 'passed'
        ? { check: check.name, status: 'passed' }
        : { check: check.name, status: 'skipped', reason: verdict.reason },
    );
  }
  return { reports, violations: [] };
}
