/** What reports need from the log beside its entries. The state file implements it; nothing here does I/O. */
import type { Link } from '../../protocol/log/chain.js';
import type { ReadNode } from '../../protocol/transparency/tree.js';
import type { ErasureDraft, LogRecord } from '../../protocol/log/entry.js';
import type { DecidedEntry } from './state.js';
import type { Counts, RecentFailure, OutcomeCounts } from '../../trust/health.js';
import type { TrustRules } from '../../trust/rules.js';
import type { TrustEvent, TrustReading } from '../../trust/score.js';

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
  /** What `work` asks here is answered as of one moment, whatever is logged meanwhile. */
  atOneMoment<T>(work: () => T): T;
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
  /** What became of what was accepted since then; what was accepted before `unknownBefore` (ms) without an outcome is unknown. */
  outcomes(agentId: string, since: number | null, unknownBefore: number): OutcomeCounts;
  /** The score as of `now` (ms). Inside a transaction it includes what the transaction appended. */
  trust(agentId: string, now: number): TrustReading;
  /** The score at the end of each hour in which it moved, ascending. */
  trustByHour(agentId: string, from: number): readonly { readonly start: number; readonly score: number }[];
  /** Computes the score anew from the log, telling every event that moved it. */
  retrace(agentId: string, now: number, onEvent: (event: TrustEvent) => void): TrustReading;
}

/** How a fold of one agent stands at a place of the log, ready to be kept. */
export interface TrustFloor {
  readonly agentId: string;
  /** The newest entry taken in. */
  readonly seq: number;
  /** JSON. */
  readonly state: string;
}

/** By what entries are old, in ms since the epoch: the moment before which they are, and the time now. */
export interface Aging {
  readonly before: number;
  readonly now: number;
}

/** What is kept about the log as a whole: signed statements, and what may be removed. */
export interface LogArchive {
  /** As they were signed, oldest first. */
  statements(kind: 'checkpoint' | 'pruning'): readonly string[];
  addCheckpoint(seq: number, text: string): void;
  /**
   * The last of the oldest entries that are all older than `before`; null when there is none. One that is dated behind `now` was written while the
   * clock was ahead: it is as old as the next that is not.
   */
  lastBefore(aging: Aging): Link | null;
  /** The folds of all agents at entry `until`, under the rules in use. Reads the entries up to there. */
  floors(until: number): readonly TrustFloor[];
  /** Moves the beginning of the log to after `until`, with the statement that says so. False when the log is no longer what it was at `after`. */
  moveBase(after: Link, until: Link, statement: string, floors: readonly TrustFloor[]): boolean;
  /**
   * Writes what is left of entries whose values are erased, forgets the requests for approval that `isAsked` names by their JSON text, and
   * appends the statement, in one transaction. `changed` reads the entries inside of it: what another process took from them must not come back.
   */
  erase(changed: () => readonly LogRecord[], statement: ErasureDraft, isAsked: (request: string) => boolean): Erasure;
  /** Writes the file anew, so that nothing that was erased stands in it or beside it. False where another process still reads what was written before. */
  overwriteErased(): boolean;
  /** Deletes a bounded number of entries before the beginning, and returns how many; 0 when there are none left. */
  sweep(): number;
}

/** What an erasure did. */
export interface Erasure {
  readonly seq: number;
  /** Requests for approval that are forgotten. */
  readonly requests: number;
}

/** What proofs are made of, beside the entries. */
export interface ProvableLog {
  /** The tree over the entries behind number `after`: how many leaves, and their nodes. */
  tree(): { readonly after: number; readonly size: number; readonly nodes: ReadNode };
  /** Entries that may hold this intent hash or nonce, ascending: to be compared with what they hold. */
  find(value: string): readonly number[];
  /** The verification with this number; null when there is none. */
  decision(seq: number): DecidedEntry | null;
  /** The entries that say what became of the decision with this number, ascending. */
  outcomesOf(seq: number): readonly number[];
  /** The text of the document that the decision with this number is of, where it is kept beside its entry; null where it is not. */
  sentDocument(seq: number): string | null;
  /** The RFC 8785 text of a passport under which an intent was judged here; null when it is not known. */
  judgedPassport(hash: string): string | null;
  /** Whether a passport under which an intent was judged here has this text as a value: an id, or the text of a key. */
  wasJudgedWith(text: string): boolean;
}
