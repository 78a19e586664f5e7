import {
  commitBatch,
  prepareBatch,
  type PreparedBatch,
  type Submission,
  type VerifierDeps,
  type VerifyOptions,
} from '../app/verification/intents.js';
import { Failure } from '../app/failure.js';
import type { Judgement } from '../verify/judge.js';

/** Most intents that share one transaction. */
const MOST = 256;
/** From this many on, the thread pool computes the signatures of a batch while another one is committed. */
const WORTH_SHARING = 16;
/** Batches that a memory shared with other machines is asked about at once: while one travels, the next one gathers. */
const IN_FLIGHT = 2;
/** Batches whose signatures are computed ahead of the commit. */
const AHEAD = 2;

interface Call {
  readonly submission: Submission;
  readonly options: VerifyOptions;
  readonly resolve: (judgement: Judgement) => void;
  readonly reject: (error: unknown) => void;
}

interface Ready {
  readonly calls: readonly Call[];
  readonly batch: PreparedBatch;
  /** Set for a call that failed among others: it may be the one they all failed for. */
  readonly alone?: true;
}

/**
 * Lets calls that are made at the same time share a transaction: the disk is waited for once a batch, not once an intent.
 * A call joins the batch that is open when it is made; none waits for others to come.
 */
export class GroupCommit {
  readonly #deps: VerifierDeps;
  readonly #nextTurn: (work: () => void) => void;
  readonly #asksHooks: () => boolean;
  readonly #waiting: Call[] = [];
  readonly #ready: Ready[] = [];
  readonly #idle: (() => void)[] = [];
  #preparing = 0;
  #travelling = 0;
  #open = 0;
  #turnComing = false;

  constructor(deps: VerifierDeps, nextTurn: (work: () => void) => void, asksHooks: () => boolean) {
    this.#deps = deps;
    this.#nextTurn = nextTurn;
    this.#asksHooks = asksHooks;
  }

  /** Rejects only when the world fails; then nothing was decided. */
  verify(submission: Submission, options: VerifyOptions): Promise<Judgement> {
    return new Promise((resolve, reject) => {
      this.#open++;
      this.#waiting.push({ submission, options, resolve, reject });
      this.#arrange();
    });
  }

  /** Resolves when every call made so far has its answer. */
  idle(): Promise<void> {
    return this.#open === 0 ? Promise.resolve() : new Promise((resolve) => void this.#idle.push(resolve));
  }

  #arrange(): void {
    if (this.#turnComing) return;
    this.#turnComing = true;
    this.#nextTurn(() => this.#turn());
  }

  /** Starts the next signatures before it commits, so that the thread pool works during the commit. */
  #turn(): void {
    this.#turnComing = false;
    while (this.#waiting.length > 0 && this.#preparing < AHEAD) this.#prepare(this.#take());
    if (this.#travelling >= IN_FLIGHT) return;
    const ready = this.#ready.shift();
    if (ready !== undefined) this.#commit(ready);
    if (this.#ready.length > 0) this.#arrange();
  }

  /** The oldest calls that may share a transaction. A hook may take seconds, so no call waits for another's. */
  #take(): Call[] {
    const { options } = this.#waiting[0]!;
    const most = this.#asksHooks() ? 1 : MOST;
    let count = 1;
    while (count < most && count < this.#waiting.length && sameOptions(this.#waiting[count]!.options, options)) count++;
    return this.#waiting.splice(0, count);
  }

  #prepare(calls: Call[]): void {
    const counts = !this.#asksHooks();
    if (counts) this.#preparing++;
    const { options } = calls[0]!;
    const parallel = calls.length >= WORTH_SHARING;
    prepareBatch(
      this.#deps,
      { ...options, parallel },
      calls.map(({ submission }) => submission),
    )
      .then(
        (batch) => void this.#ready.push({ calls, batch }),
        (error: unknown) => this.#failed(calls, error, (alone) => this.#prepare([alone])),
      )
      .finally(() => {
        if (counts) this.#preparing--;
        this.#arrange();
      });
  }

  #commit(first: Ready): void {
    const calls = [...first.calls];
    const batch = [...first.batch];
    const { options } = calls[0]!;
    for (let next = this.#ready[0]; next !== undefined && first.alone !== true; next = this.#ready[0]) {
      if (calls.length + next.calls.length > MOST || !sameOptions(next.calls[0]!.options, options)) break;
      if (next.alone === true) break;
      this.#ready.shift();
      calls.push(...next.calls);
      batch.push(...next.batch);
    }
    let committed: Judgement[] | Promise<Judgement[]>;
    try {
      committed = commitBatch(this.#deps, options, batch);
    } catch (error) {
      this.#uncommitted({ calls, batch }, error);
      return;
    }
    if (committed instanceof Promise) void this.#travel({ calls, batch }, committed);
    else this.#committed(calls, committed);
  }

  async #travel(ready: Ready, committed: Promise<Judgement[]>): Promise<void> {
    this.#travelling++;
    try {
      this.#committed(ready.calls, await committed);
    } catch (error) {
      this.#uncommitted(ready, error);
    }
    this.#travelling--;
    this.#arrange();
  }

  #committed(calls: readonly Call[], judgements: readonly Judgement[]): void {
    for (const [i, call] of calls.entries()) call.resolve(judgements[i]!);
    this.#answered(calls.length);
  }

  #uncommitted({ calls, batch }: Ready, error: unknown): void {
    this.#failed(
      calls,
      error,
      (alone) => void this.#ready.push({ calls: [alone], batch: [batch[calls.indexOf(alone)]!], alone: true }),
    );
  }

  /** What the world refuses concerns all of a batch. A bug concerns one, and the others must not suffer for it. */
  #failed(calls: readonly Call[], error: unknown, again: (alone: Call) => void): void {
    if (calls.length > 1 && !(error instanceof Failure)) {
      for (const call of calls) again(call);
      return;
    }
    for (const call of calls) call.reject(error);
    this.#answered(calls.length);
  }

  #answered(count: number): void {
    this.#open -= count;
    if (this.#open > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}

function sameOptions(a: VerifyOptions, b: VerifyOptions): boolean {
  return (
    a === b ||
    (a.at === b.at &&
      a.geo === b.geo &&
      a.dryRun === b.dryRun &&
      a.logParams === b.logParams &&
      a.policy.maxAgeMs === b.policy.maxAgeMs &&
      a.policy.ageLimitMs === b.policy.ageLimitMs &&
      a.policy.maxSkewMs === b.policy.maxSkewMs &&
      a.policy.minTrust === b.policy.minTrust &&
      a.policy.unmeasured === b.policy.unmeasured)
  );
}
