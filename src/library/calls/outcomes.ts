import { GatheredOutcomes } from '../../app/outcomes/gathered.js';
import { recordOutcome, recordOutcomes, releaseShared, type OutcomeReport } from '../../app/outcomes/report.js';
import type { State } from '../../app/ports/state.js';
import { Failure, usage } from '../../app/failure.js';
import type { Decision } from '../../verify/decision.js';
import { fleetAt, fleetUrl } from '../../workspace/fleet/memory.js';
import { localState } from '../../workspace/state.js';
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

function isAsyncGenerator(value: unknown): value is AsyncGenerator {
  return Object.prototype.toString.call(value) === '[object AsyncGenerator]';
}

/** A generator has done nothing yet: how the call ended is known when it has. */
async function* followed(
  parts: AsyncGenerator,
  {
    ended,
    failed,
  }: { ended: (status: 'ok' | 'unknown', detail: null) => unknown; failed: (error: unknown) => unknown },
): AsyncGenerator {
  let over = false;
  try {
    const last: unknown = yield* parts;
    over = true;
    await ended('ok', null);
    return last;
  } catch (error) {
    over = true;
    await failed(error);
    throw error;
  } finally {
    // Left by its reader before its end.
    if (!over) await ended('unknown', null);
  }
}

/** Writes what became of shielded calls: soon and together, and at once where a place in a limit is given back. */
export class OutcomeWriter {
  readonly #workspace: LocalWorkspace;
  readonly #notice: (notice: string) => void;
  readonly #gathered: GatheredOutcomes;
  /** The state that took the last decision. */
  #state: State | null = null;

  constructor(workspace: LocalWorkspace, notice: (notice: string) => void) {
    const { after, atExit } = workspace.world;
    this.#workspace = workspace;
    this.#notice = notice;
    this.#gathered = new GatheredOutcomes({
      after,
      atExit,
      record: (reports) => this.#record(reports),
      missing: (why) => notice(`What became of a shielded call is not in the log: ${why}`),
    });
  }

  /** Runs what a decision allowed, and reports how it ended. */
  async of<R>(
    { intent_hash: intentHash, outcome_token: token }: Decision,
    run: () => R | Promise<R>,
    { release }: OutcomeOptions = {},
  ): Promise<R> {
    const { ticks } = this.#workspace.world;
    const started = ticks();
    const ended = (status: OutcomeReport['status'], detail: string | null, more: object = {}): Promise<void> | void => {
      if (intentHash === null || token === null) return;
      const durationMs = Math.round((ticks() - started) / 1000);
      return this.#report({ intentHash, status, token, durationMs, detail, ...more });
    };
    const failed = (error: unknown): Promise<void> | void => {
      // The message may hold what the tool was given: the log keeps the error's name alone.
      const name = error instanceof Error ? error.name.slice(0, 100) : null;
      return ended('error', name, didNotHappen(release, error) ? { release: true } : {});
    };
    let result: R;
    try {
      result = await run();
    } catch (error) {
      await failed(error);
      throw error;
    }
    if (isAsyncGenerator(result)) return followed(result, { ended, failed }) as R;
    await ended('ok', null);
    return result;
  }

  /** Writes what waits: before the log is read, and before the state is closed. */
  write(): void {
    this.#gathered.write();
  }

  async #report(report: OutcomeReport): Promise<void> {
    try {
      this.#state = await localState(this.#workspace);
      // The next call may need the place that is given back.
      if (report.release === true) return await this.#giveBack(this.#state, report);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#notice(`What became of a shielded call is not in the log: ${error.message}`);
      return;
    }
    this.#gathered.tell(report);
  }

  /** What a fleet counts is given back there first; while it does not answer, nothing is. */
  async #giveBack(state: State, report: OutcomeReport): Promise<void> {
    const fleet = await fleetAt(this.#workspace, fleetUrl(this.#workspace));
    const shared = await releaseShared(state, fleet?.memory ?? null, report);
    const { clock } = this.#workspace.world;
    const { not_released: kept } = state.transact((ledger) => recordOutcome(ledger, report, clock(), shared));
    if (kept !== null) this.#notice(`Nothing was given back to the daily limit: ${kept}.`);
  }

  #record(reports: readonly OutcomeReport[]): readonly string[] {
    const { clock } = this.#workspace.world;
    const answers = this.#state!.transact((ledger) => recordOutcomes(ledger, reports, clock()));
    return answers.flatMap((answer) => (answer instanceof Failure ? [answer.message] : []));
  }
}
