/** An agent's health as the guide's `check_agent_health` reports it: numbers, and what is wrong with them. */
import { isPending } from '../protocol/log/attribution.js';
import type { TrustReading } from './score.js';

/** The guide's limits. */
const WARN_FAILURE_RATE = 0.1;
const WARN_TRUST = 0.7;
/** Under this the guide revokes. */
const CRITICAL_TRUST = 0.5;

/** Something about an agent that a person should look at. */
export interface HealthWarning {
  readonly code: 'high_failure_rate' | 'low_trust' | 'rapid_failures' | 'unusual_actions' | 'unattributed_refusals';
  readonly message: string;
}

/** A refusal that the agent is held to. */
export interface RecentFailure {
  readonly error_code: string;
  readonly action: string | null;
  /** RFC 3339. */
  readonly timestamp: string;
  readonly seq: number;
}

/** What was counted in the time looked at. */
export interface Counts {
  readonly successful: number;
  /** Refusals that the agent can be held to. */
  readonly failed: number;
  /** Refusals that may be a stranger's doing. */
  readonly unattributed: number;
  /** How many of these were counted and have no entry of their own, as there were too many in a minute. */
  readonly folded: number;
  readonly codes: ReadonlyMap<string, number>;
}

/** What became of accepted intents, as their callers say. */
export interface OutcomeCounts {
  readonly ok: number;
  readonly error: number;
  /** Accepted longer ago than `log.outcome_ttl`, without a report of how it ended. */
  readonly unknown: number;
  /** Accepted since then, without a final word yet. */
  readonly running: number;
}

/** `aip health <agent> --json`. Keys are stable and always present. */
export interface HealthReport {
  readonly agent_id: string;
  /** RFC 3339; null for all that was ever counted. */
  readonly since: string | null;
  /** All that was logged, `unattributed` included. */
  readonly total: number;
  readonly successful: number;
  readonly failed: number;
  /**
   * Of what the agent can be held to, `successful + failed`; null when there is none. A stranger's rubbish must neither raise the failure
   * rate nor dilute it.
   */
  readonly success_rate: number | null;
  readonly failure_rate: number | null;
  readonly unattributed: number;
  readonly trust_score: number;
  readonly trust_meaningful: boolean;
  readonly warnings: readonly HealthWarning[];
  /** Newest first, at most 5. */
  readonly recent_failures: readonly RecentFailure[];
  readonly outcomes: OutcomeCounts;
  /** Most frequent first, at most 5. */
  readonly top_codes: readonly { readonly error_code: string; readonly count: number }[];
  readonly status: 'ok' | 'warning' | 'critical';
}

/** What a report is made of. */
export interface HealthFacts {
  readonly agentId: string;
  readonly since: string | null;
  /** ms; 0 for always. */
  readonly sinceMs: number;
  readonly counts: Counts;
  readonly trust: TrustReading;
  readonly recentFailures: readonly RecentFailure[];
  readonly outcomes: OutcomeCounts;
}

const MOST = 5;

/** The report of one agent. Pure: the same facts give the same report. */
export function healthReport(facts: HealthFacts): HealthReport {
  const { agentId, since, sinceMs, counts, trust, recentFailures, outcomes } = facts;
  const { successful, failed, unattributed, folded, codes } = counts;
  const held = successful + failed;
  const failureRate = held === 0 ? null : failed / held;
  const warnings: HealthWarning[] = [];
  const warn = (code: HealthWarning['code'], message: string): void => void warnings.push({ code, message });
  if (failureRate !== null && failureRate > WARN_FAILURE_RATE) {
    warn('high_failure_rate', `High failure rate: ${failed} of ${held} refused (${percent(failureRate)}).`);
  }
  if (trust.meaningful && trust.score < WARN_TRUST) {
    warn('low_trust', `Low trust score: ${scoreBelow(trust.score)}, under ${WARN_TRUST}.`);
  }
  for (const { type, threshold, window_seconds, metAt } of trust.patterns) {
    if (metAt === null || metAt < sinceMs) continue;
    const what = type === 'rapid_failures' ? 'refusals' : 'actions it was never accepted for before';
    warn(type, `${threshold} ${what} within ${window_seconds} s, last at ${new Date(metAt).toISOString()}.`);
  }
  const strange = unattributed - pendingIn(codes);
  if (strange > 0) {
    warn(
      'unattributed_refusals',
      `${strange} refused in its name that may be a stranger's doing, or is no fault of its own${folded === 0 ? '' : ` (${folded} of them counted without an entry)`}; not counted against it.`,
    );
  }
  const critical = trust.meaningful && trust.score < CRITICAL_TRUST;
  return {
    agent_id: agentId,
    since,
    total: held + unattributed,
    successful,
    failed,
    success_rate: held === 0 ? null : successful / held,
    failure_rate: failureRate,
    unattributed,
    trust_score: trust.score,
    trust_meaningful: trust.meaningful,
    warnings,
    recent_failures: recentFailures.slice(0, MOST),
    outcomes,
    top_codes: [...codes]
      .map(([error_code, count]) => ({ error_code, count }))
      .sort((a, b) => b.count - a.count || (a.error_code < b.error_code ? -1 : 1))
      .slice(0, MOST),
    status: critical ? 'critical' : warnings.length > 0 ? 'warning' : 'ok',
  };
}

/** What waited for a person is the ordinary way of an action that needs approval: nothing to be warned of. */
function pendingIn(codes: Counts['codes']): number {
  let pending = 0;
  for (const [code, count] of codes) if (isPending(code)) pending += count;
  return pending;
}

/** A score beside a limit that it is under: two decimals, as everywhere, and never rounded up to the limit. */
export function scoreBelow(score: number): string {
  // What a sum of hundredths leaves behind the comma is no hundredth less.
  return (Math.floor(score * 100 + 1e-6) / 100).toFixed(2);
}

/** One decimal, as the guide prints it. */
export function percent(rate: number): string {
  return `${(rate * 100).toFixed(1)}%`;
}
