import { recordOutcome, releaseShared, type OutcomeReport } from '../../app/outcomes/report.js';
import { Failure } from '../../app/failure.js';
import type { Decision } from '../../verify/decision.js';
import { usage } from '../options/given.js';
import type { Release } from '../../app/ports/fleet-memory.js';
import { fleetAt, fleetUrl } from '../../workspace/fleet/memory.js';
import { localState, type LocalState } from '../../workspace/state.js';
import type { LocalWorkspace } from '../../workspace/workspace.js';

/** What of a call's end is up to its caller. */
export interface OutcomeOptions {
  /**
   * True for an error of a call that failed before it acted, such as a connection that was refused: its place in the daily limit is given
   * back, where the passport says `daily_limit: {release: true}`. Without this nothing is given back.
   */
  readonly release?: (error: unknown) => boolean;
}

/** The names of `OutcomeOptions`. */
export const OUTCOME_OPTION_NAMES = ['release'] as const;

/** Fails on options that cannot be used. @throws Failure USAGE */
export function checkOutcomeOptions({ release }: OutcomeOptions): void {
  if (release !== undefined && typeof release !== 'function')
    throw usage('"release" is not a function.', 'release: (error) => error.code === "ECONNREFUSED"');
}

/** What cannot be told has happened. */
function didNotHappen(release: OutcomeOptions['release'], error: unknown): boolean {
  try {
    return release?.(error) === true;
  } catch {
    return false;
  }
}

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
  async of<R>(
    { intent_hash: intentHash, outcome_token: token }: Decision,
    run: () => R | Promise<R>,
    { release }: OutcomeOptions = {},
  ): Promise<R> {
    const { ticks } = this.#workspace.world;
    const started = ticks();
    const ended = (status: 'ok' | 'error', detail: string | null, more: object = {}): Promise<void> => {
      if (intentHash === null || token === null) return Promise.resolve();
      const durationMs = Math.round((ticks() - started) / 1000);
      return this.report({ intentHash, status, token, durationMs, detail, ...more });
    };
    let result: R;
    try {
      result = await run();
    } catch (error) {
      // The message may hold what the tool was given: the log keeps the error's name alone.
      const name = error instanceof Error ? error.name.slice(0, 100) : null;
      await ended('error', name, didNotHappen(release, error) ? { release: true } : {});
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

  /** What a fleet counts is given back there first; while it does not answer, nothing is. */
  async #releases(state: LocalState, reports: readonly OutcomeReport[]): Promise<readonly (Release | null)[]> {
    if (!reports.some(({ release }) => release === true)) return [];
    const fleet = await fleetAt(this.#workspace, fleetUrl(this.#workspace));
    return Promise.all(reports.map((report) => releaseShared(state, fleet?.memory ?? null, report)));
  }

  async #write(): Promise<void> {
    const { world } = this.#workspace;
    await new Promise<void>((resolve) => world.nextTurn(resolve));
    const reports = this.#waiting;
    this.#waiting = [];
    this.#writing = null;
    try {
      const state = await localState(this.#workspace);
      const shared = await this.#releases(state, reports);
      const answers = state.transact((ledger) =>
        reports.map((report, i) => recordOutcome(ledger, report, world.clock(), shared[i])),
      );
      for (const { not_released } of answers)
        if (not_released !== null) this.#notice(`Nothing was given back to the daily limit: ${not_released}.`);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#notice(`What became of ${reports.length} shielded calls is not in the log: ${error.message}`);
    }
  }
}
