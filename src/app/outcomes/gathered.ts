/** Ends of calls that are written together: the disk is waited for once for many, and no caller waits for it. */
import { Failure } from '../failure.js';
import type { OutcomeReport } from './report.js';

/** How long the end of a call may wait for others to be written with it (ms). */
const GATHER_MS = 50;
/** Ends that wait at most. */
const MOST_WAITING = 256;

/** What gathering stands on. */
export interface GatheringDeps {
  /** Runs `work` after `ms` unless the returned function is called first. */
  readonly after: (ms: number, work: () => void) => () => void;
  /** Runs `work` when the process ends, unless the returned function is called first. */
  readonly atExit: (work: () => void) => () => void;
  /** Writes them in one commit. What could not be written is told, in sentences. @throws Failure */
  readonly record: (reports: readonly OutcomeReport[]) => readonly string[];
  /** Told what is not in the log, and why. */
  readonly missing: (why: string) => void;
}

/** Ends that wait to be written. */
export class GatheredOutcomes {
  readonly #deps: GatheringDeps;
  #waiting: OutcomeReport[] = [];
  #cancels: readonly (() => void)[] = [];

  constructor(deps: GatheringDeps) {
    this.#deps = deps;
  }

  /** Written within 50 ms, with others that end by then. */
  tell(report: OutcomeReport): void {
    this.#waiting.push(report);
    if (this.#waiting.length >= MOST_WAITING) return this.write();
    if (this.#cancels.length > 0) return;
    const write = (): void => this.write();
    this.#cancels = [this.#deps.after(GATHER_MS, write), this.#deps.atExit(write)];
  }

  /** Writes what waits. Never throws for a world that fails: the calls have happened either way. */
  write(): void {
    for (const cancel of this.#cancels) cancel();
    this.#cancels = [];
    const reports = this.#waiting;
    this.#waiting = [];
    if (reports.length === 0) return;
    try {
      for (const why of this.#deps.record(reports)) this.#deps.missing(why);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#deps.missing(error.message);
    }
  }
}
