import { recordOutcome, type OutcomeReport } from '../../app/outcomes/report.js';
import { Failure } from '../../app/failure.js';
import type { Decision } from '../../verify/decision.js';
import { localState } from '../../workspace/state.js';
import type { LocalWorkspace } from '../../workspace/workspace.js';

/** Writes what became of shielded calls: those that end in one turn in one commit. */
export class OutcomeWriter {
  readonly #workspace: LocalWorkspace;
  readonly #notice: (notice: string) => void;
  #waiting: OutcomeReport[] = [];
  #writing: Promise<void> | null = null;

  constructor(workspace: LocalWorkspace, notice: (notice: string) => void) {
    this.#workspace = workspace;
    this.#notice = notice;
  }

  /** Runs what a decision allowed, and reports how it ended. */
  async of<R>({ intent_hash: intentHash, outcome_token: token }: Decision, run: () => R | Promise<R>): Promise<R> {
    const { ticks } = this.#workspace.world;
    const started = ticks();
    const ended = (status: 'ok' | 'error', detail: string | null): Promise<void> => {
      if (intentHash === null || token === null) return Promise.resolve();
      const durationMs = Math.round((ticks() - started) / 1000);
      return this.report({ intentHash, status, token, durationMs, detail });
    };
    let result: R;
    try {
      result = await run();
    } catch (error) {
      // The message may hold what the tool was given: the log keeps the error's name alone.
      await ended('error', error instanceof Error ? error.name.slice(0, 100) : null);
      throw error;
    }
    await ended('ok', null);
    return result;
  }

  /** Resolves when it is on the disk, or was said not to be: the call has happened either way. */
  report(report: OutcomeReport): Promise<void> {
    this.#waiting.push(report);
    this.#writing ??= this.#write();
    return this.#writing;
  }

  async #write(): Promise<void> {
    const { world } = this.#workspace;
    await new Promise<void>((resolve) => world.nextTurn(resolve));
    const reports = this.#waiting;
    this.#waiting = [];
    this.#writing = null;
    try {
      const state = await localState(this.#workspace);
      state.transact((ledger) => reports.map((report) => recordOutcome(ledger, report, world.clock())));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#notice(`What became of ${reports.length} shielded calls is not in the log: ${error.message}`);
    }
  }
}
