/** The one place where a decision is put together, for every dialect. */
import type { Concern } from '../protocol/codes.js';
import type { Intent } from '../protocol/intent.js';
import { formatTime } from '../protocol/time.js';
import { STANDING_UNKNOWN } from './checks/revocation.js';
import type { CheckReport, Decision, Refusal, RevocationReport, Violation, Warning } from './decision.js';
import type { Dialect } from './dialect.js';
import type { Findings } from './pipeline.js';

/** A decision, and what its refusal is about; null when it is a yes. */
export interface Judgement {
  readonly decision: Decision;
  readonly concern: Concern | null;
}

/** All that a decision says. */
export interface DecisionParts {
  readonly dialect: Pick<Dialect, 'name' | 'steps'>;
  /** Null for a document that could not be read. */
  readonly intent: Intent | null;
  readonly outcome: Findings;
  readonly revocation: RevocationReport;
  readonly warnings: readonly Warning[];
  /** ms since the epoch. */
  readonly now: number;
  readonly source: string | null;
  /** Draws the token of a yes. */
  readonly outcomeToken: () => string | null;
}

/** Puts a decision together. It is a yes only for an intent on which every step reported and none failed. */
export function judgementOf(parts: DecisionParts): Judgement {
  const { dialect, intent, outcome, revocation, warnings, now, source, outcomeToken } = parts;
  const { agent_id, action } = intent?.document ?? { agent_id: null, action: null };
  const [first] = outcome.violations;
  const complete = intent !== null && outcome.reports.length === dialect.steps.length;
  if (first === undefined && !complete) throw new Error('a decision without all of its steps');
  const decision: Decision = {
    success: first === undefined && complete,
    dialect: dialect.name,
    agent_id,
    action,
    intent_hash: intent?.hash ?? null,
    error_code: first?.entry.code ?? null,
    error_message: first?.entry.name ?? null,
    message: first?.message ?? `${agent_id} may do "${action}".`,
    details: first?.details ?? null,
    violations: outcome.violations.map(refusalOf),
    checks: withSkipped(outcome.reports, dialect.steps),
    revocation,
    warnings,
    verified_at: formatTime(now),
    source,
    outcome_token: first === undefined ? outcomeToken() : null,
  };
  return { decision, concern: first?.entry.concern ?? null };
}

/** The decision on a document that could not be read: nothing in it is believed. */
export function unreadable(
  dialect: Pick<Dialect, 'name' | 'steps'>,
  outcome: Findings,
  now: number,
  source: string | null,
): Judgement {
  const found = { outcome, revocation: STANDING_UNKNOWN, warnings: [], now, source, outcomeToken: () => null };
  return judgementOf({ dialect, intent: null, ...found });
}

function refusalOf({ entry, details }: Violation): Refusal {
  return { error_code: entry.code, error_message: entry.name, details };
}

function withSkipped(reports: readonly CheckReport[], steps: readonly string[]): readonly CheckReport[] {
  const rest = steps.slice(reports.length);
  return [
    ...reports,
    ...rest.map((check) => ({ check, status: 'skipped' as const, reason: 'an earlier step failed' })),
  ];
}
