/** The fleet's log: entries of all verifiers, numbered in the order of their arrival. */
import type { Status } from './standing.js';

const PLACE = /^(?:([0-9a-f]{32})\.)?(0|[1-9][0-9]{0,14})$/;

/** Where a reader continues: `<mesh log_id>.<row>`. */
export function formatRow(logId: string, row: number): string {
  return `${logId}.${row}`;
}

/** The row in a place, which may be bare; `other` when it is of another mesh's log, null when it is no place. */
export function rowAfter(text: string, logId: string): number | 'other' | null {
  const match = PLACE.exec(text);
  if (match === null) return null;
  return match[1] !== undefined && match[1] !== logId ? 'other' : Number(match[2]);
}

/** How accepted actions ended, as the callers of the decisions reported it; claims of others are left out. */
export interface FleetOutcomes {
  readonly ok: number;
  readonly error: number;
  /** Accepted, and without a final word in the shipped logs so far. */
  readonly unknown: number;
}

/** How an agent behaved at all verifiers that ship their logs. */
export interface FleetAgent {
  readonly agentId: string;
  readonly successful: number;
  /** Refusals that it can be held to. */
  readonly failed: number;
  /** Refusals that may be a stranger's doing. */
  readonly unattributed: number;
  /** What became of what was accepted. */
  readonly outcomes: FleetOutcomes;
  /** 0 to 1. */
  readonly trust: number;
  /** False while there are too few entries to tell. */
  readonly trustMeaningful: boolean;
  /** The newest entry, ms since the epoch. */
  readonly lastAt: number;
  /** Accepted and refused in each of the last 24 hours, oldest first, `unattributed` among the refused. */
  readonly hours: readonly (readonly [accepted: number, refused: number])[];
}

/** Keeps count over the fleet's log. */
export interface FleetConduct {
  /** Every agent in the log as of `now`; those that were seen last, first. */
  agents(now: number): Promise<readonly FleetAgent[]>;
}

/** The status of an agent as a page shows it: its own, its principal's or the whole mesh's, whichever is the strongest. */
export interface EffectiveStatus {
  readonly status: Status;
  readonly reason: string | null;
  /** The subject that the status is of. */
  readonly of: string;
}
