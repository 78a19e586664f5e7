/** Ends of calls that are written together: the disk is waited for once for many, and no caller waits for it. */
import type { OutcomeReport } from './report.js';

/** How long the end of a call may wait for others to be written with it (ms). */
const GATHER_MS = 50;
/** Ends that wait at most. */
const MOST_WAITING = 256;
/** Ends in one commit where few wait: a call that comes meanwhile waits for all of them. */
const FEW = 8;
/** Of many a quarter: the disk is waited for once a commit. */
const SHARE = 4;
/** Between two commits, in which calls are answered (ms). */
const PAUSE_MS = 5;

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
  readonly #waiting: OutcomeReport[] = [];
  #cancels: readonly (() => void)[] = [];

  constructor(deps: GatheringDeps) {
    this.#deps = deps;
  }

  /** Written soon, with others that end within 50 ms. */
  tell(report: OutcomeReport): void {
    this.#waiting.push(report);
    if (this.#waiting.length >= MOST_WAITING) return this.write();
    if (this.#cancels.length === 0) this.#later(GATHER_MS);
  }

  /** Writes all that waits. Never throws: the calls have happened either way, and a timer's error would end the program. */
  write(): void {
    this.#record(this.#waiting.length);
  }

  #later(ms: number): void {
    const some = (): void => {
      this.#record(Math.max(FEW, Math.ceil(this.#waiting.length / SHARE)));
      if (this.#waiting.length > 0) this.#later(PAUSE_MS);
    };
    this.#cancels = [this.#deps.after(ms, some), this.#deps.atExit(() => this.write())];
  }

  #record(count: number): void {
    for (const cancel of this.#cancels) cancel();
    this.#cancels = [];
    const reports = this.#waiting.splice(0, count);
    if (reports.length === 0) return;
    try {
      for (const why of this.#deps.record(reports)) this.#deps.missing(why);
    } catch (error) {
      this.#deps.missing(error instanceof Error ? error.message : 'unknown failure');
    }
  }
}
