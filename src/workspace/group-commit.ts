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

/** Most intents that share one transaction, unless one call brings more. */
const MOST = 256;
/** From this many on, the thread pool computes the signatures of a batch while another one is committed. */
const WORTH_SHARING = 16;
/** Batches that a memory shared with other machines is asked about at once: while one travels, the next one gathers. */
const IN_FLIGHT = 2;
/** Batches whose signatures are computed ahead of the commit. */
const AHEAD = 2;

interface Call {
  readonly submissions: readonly Submission[];
  readonly options: VerifyOptions;
  /** Never rejects. */
  readonly answer: (judgements: readonly Judgement[]) => void | Promise<void>;
  readonly fail: (error: unknown) => void;
}

interface Ready {
  readonly calls: readonly Call[];
  readonly batch: PreparedBatch;
  /** Set for a call that failed among others: it may be the one they all failed for. */
  readonly alone?: true;
  /** Why it could not be prepared, where calls are in order: those before it have their answers first. */
  readonly trouble?: { readonly error: unknown };
}

/** How the calls of a group stand to each other. */
export interface GroupOptions {
  /** True while each call must be prepared by itself, since its hooks may take seconds; absent: never. */
  readonly asksHooks?: () => boolean;
  /**
   * True where calls are judged and answered in the order in which they are made: a batch is committed once the answers before it were
   * taken, and behind a failure nothing is judged. Absent, calls are strangers to each other: none fails or waits for another's sake.
   */
  readonly inOrder?: boolean;
  /** False keeps the signatures off the thread pool. */
  readonly parallel?: boolean;
}

/**
 * Lets calls that are made at the same time share a transaction: the disk is waited for once a batch, not once an intent.
 * A call joins the batch that is open when it is made; none waits for others to come. While a batch is committed, the signatures of the
 * next ones are computed.
 */
export class GroupCommit {
  readonly #deps: VerifierDeps;
  readonly #nextTurn: (work: () => void) => void;
  readonly #asksHooks: () => boolean;
  readonly #inOrder: boolean;
  readonly #parallel: boolean;
  readonly #waiting: Call[] = [];
  readonly #ready: Ready[] = [];
  readonly #idle: (() => void)[] = [];
  /** Settles when the batch that was begun last is prepared, and all before it. */
  #before: Promise<unknown> = Promise.resolve();
  /** What calls in order ended with. */
  #stopped: { readonly error: unknown } | null = null;
  #preparing = 0;
  #travelling = 0;
  #open = 0;
  #turnComing = false;

  constructor(
    deps: VerifierDeps,
    nextTurn: (work: () => void) => void,
    { asksHooks = () => false, inOrder = false, parallel = true }: GroupOptions = {},
  ) {
    this.#deps = deps;
    this.#nextTurn = nextTurn;
    this.#asksHooks = asksHooks;
    this.#inOrder = inOrder;
    this.#parallel = parallel;
  }

  /** Rejects only when the world fails; then nothing was decided. */
  verify(submission: Submission, options: VerifyOptions): Promise<Judgement> {
    return new Promise((resolve, reject) =>
      this.#join({ submissions: [submission], options, answer: ([judgement]) => resolve(judgement!), fail: reject }),
    );
  }

  /**
   * Several at once, in one transaction. `told` is given the decisions once they are kept; where calls are in order, nothing more is
   * committed until it resolves. Rejects when the world fails, or `told` does.
   */
  verifyAll(
    submissions: readonly Submission[],
    options: VerifyOptions,
    told: (judgements: readonly Judgement[]) => Promise<void>,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const answer = (judgements: readonly Judgement[]): Promise<void> =>
        told(judgements).then(resolve, (error: unknown) => {
          this.#stop(error);
          reject(error);
        });
      this.#join({ submissions, options, answer, fail: reject });
    });
  }

  /** Resolves when every call made so far has its answer. */
  idle(): Promise<void> {
    return this.#open === 0 ? Promise.resolve() : new Promise((resolve) => void this.#idle.push(resolve));
  }

  #join(call: Call): void {
    this.#open++;
    this.#waiting.push(call);
    this.#arrange();
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
    if (this.#travelling >= (this.#inOrder ? 1 : IN_FLIGHT)) return;
    const ready = this.#ready.shift();
    if (ready !== undefined) this.#commit(ready);
    if (this.#ready.length > 0) this.#arrange();
  }

  /** The oldest calls that may share a transaction. A hook may take seconds, so no call waits for another's; in order, a call is a batch. */
  #take(): Call[] {
    const { options, submissions } = this.#waiting[0]!;
    const most = this.#inOrder || this.#asksHooks() ? 1 : MOST;
    let count = 1;
    let intents = submissions.length;
    for (let next = this.#waiting[count]; next !== undefined; next = this.#waiting[++count]) {
      intents += next.submissions.length;
      if (intents > most || !sameOptions(next.options, options)) break;
    }
    return this.#waiting.splice(0, count);
  }

  #prepare(calls: Call[]): void {
    const counts = !this.#asksHooks();
    if (counts) this.#preparing++;
    const { options } = calls[0]!;
    const submissions = calls.flatMap((call) => call.submissions);
    const parallel = this.#parallel && submissions.length >= WORTH_SHARING;
    const prepared = prepareBatch(this.#deps, { ...options, parallel }, submissions);
    (this.#inOrder ? this.#behind(prepared) : prepared)
      .then(
        (batch) => void this.#ready.push({ calls, batch }),
        (error: unknown) => {
          if (this.#inOrder) this.#ready.push({ calls, batch: [], trouble: { error } });
          else this.#failed(calls, error, (alone) => this.#prepare([alone]));
        },
      )
      .finally(() => {
        if (counts) this.#preparing--;
        this.#arrange();
      });
  }

  /** The same batch, once all that were begun before it are prepared. */
  #behind(prepared: Promise<PreparedBatch>): Promise<PreparedBatch> {
    const inTurn = Promise.allSettled([this.#before, prepared]).then(() => prepared);
    this.#before = inTurn;
    return inTurn;
  }

  #commit(first: Ready): void {
    if (first.trouble !== undefined) this.#stop(first.trouble.error);
    if (this.#stopped !== null) return this.#rejected(first.calls, this.#stopped.error);
    const calls = [...first.calls];
    const batch = [...first.batch];
    const { options } = calls[0]!;
    const joins = !this.#inOrder && first.alone !== true;
    for (let next = this.#ready[0]; next !== undefined && joins; next = this.#ready[0]) {
      if (batch.length + next.batch.length > MOST || !sameOptions(next.calls[0]!.options, options)) break;
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
    if (committed instanceof Promise || this.#inOrder) void this.#travel({ calls, batch }, committed);
    else void this.#committed(calls, committed);
  }

  async #travel(ready: Ready, committed: Judgement[] | Promise<Judgement[]>): Promise<void> {
    this.#travelling++;
    try {
      await this.#committed(ready.calls, await committed);
    } catch (error) {
      this.#uncommitted(ready, error);
    }
    this.#travelling--;
    this.#arrange();
  }

  async #committed(calls: readonly Call[], judgements: readonly Judgement[]): Promise<void> {
    let from = 0;
    for (const { submissions, answer } of calls) {
      const answered = answer(judgements.slice(from, (from += submissions.length)));
      if (this.#inOrder) await answered;
    }
    this.#answered(calls.length);
  }

  #uncommitted({ calls, batch }: Ready, error: unknown): void {
    let from = 0;
    const own = new Map(calls.map((call) => [call, batch.slice(from, (from += call.submissions.length))] as const));
    this.#failed(
      calls,
      error,
      (alone) => void this.#ready.push({ calls: [alone], batch: own.get(alone)!, alone: true }),
    );
  }

  /** What the world refuses concerns all of a batch. A bug concerns one, and strangers must not suffer for it. */
  #failed(calls: readonly Call[], error: unknown, again: (alone: Call) => void): void {
    if (this.#inOrder) this.#stop(error);
    else if (calls.length > 1 && !(error instanceof Failure)) {
      for (const call of calls) again(call);
      return;
    }
    this.#rejected(calls, error);
  }

  /** What comes behind a failure has no place in the order any more. */
  #stop(error: unknown): void {
    if (this.#inOrder) this.#stopped ??= { error };
  }

  #rejected(calls: readonly Call[], error: unknown): void {
    for (const { fail } of calls) fail(error);
    this.#answered(calls.length);
  }

  #answered(count: number): void {
    this.#open -= count;
    if (this.#open > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}

function sameOptions(a: VerifyOptions, b: VerifyOptions): boolean {
  const { policy, parallel: _, ...rest } = a;
  return a === b || (isSame(rest, b) && isSame(policy, b.policy) && isSame(b.policy, policy));
}

/** True where every member of `a` is that of `b` as well. */
function isSame<T extends object>(a: Partial<T>, b: T): boolean {
  return (Object.keys(a) as (keyof T)[]).every((name) => a[name] === b[name]);
}
