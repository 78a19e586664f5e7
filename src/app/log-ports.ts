/** What reports need from the log beside its entries. The state file implements it; nothing here does I/O. */
import type { Counts, RecentFailure } from '../trust/health.js';
import type { TrustRules } from '../trust/rules.js';
import type { TrustEvent, TrustReading } from '../trust/score.js';

/** What was logged of an agent in one hour. */
export interface HourCounts {
  /** Start of the hour, ms since the epoch. */
  readonly start: number;
  readonly successful: number;
  readonly failed: number;
  readonly unattributed: number;
}

/** How agents behaved: counted and folded in the transaction that writes each entry, so that a report costs the same however long the log is. */
export interface Conduct {
  /** Sets how scores are computed from now on; the guide's rules until then. What was folded by other rules stays and is not used. */
  judgeBy(rules: TrustRules): void;
  /** Every agent that the log holds to something. */
  agents(): readonly string[];
  /**
   * What was logged since then. Counts are kept by the minute for two days and by the hour before: `since` comes back rounded down to that.
   */
  counts(agentId: string, since: number | null): { readonly since: number | null; readonly counts: Counts };
  /** Hours in which something was logged, ascending. */
  hours(agentId: string, from: number): readonly HourCounts[];
  /** The newest refusals that the agent can be held to, newest first, at most 5. */
  recentFailures(agentId: string, since: number | null): readonly RecentFailure[];
  /** The score as of `now` (ms). Inside a transaction it includes what the transaction appended. */
  trust(agentId: string, now: number): TrustReading;
  /** The score at the end of each hour in which it moved, ascending. */
  trustByHour(agentId: string, from: number): readonly { readonly start: number; readonly score: number }[];
  /** Computes the score anew from the log, telling every event that moved it. */
  retrace(agentId: string, now: number, onEvent: (event: TrustEvent) => void): TrustReading;
}
