/** What is under way between a client and a server: requests without answer, and calls that wait for their verdict. */
import { isObject, type JsonObject } from '../../protocol/json/values.js';
import type { RpcId } from './message.js';
import type { CallOutcome, SessionRoute } from './ports.js';

/** A request that the server has not answered. */
export interface Pending {
  readonly method: string;
  /** True for a request of the later era, whose results say of which type they are. */
  readonly modern: boolean;
  /** What its outcome is written under; null where nothing was signed for it. */
  readonly intentHash: string | null;
  /** The key of what may go on; null for what is not decided. */
  readonly call: string | null;
  /** A page that the guard itself asked for. */
  readonly own: ((result: JsonObject | null) => void) | null;
  /** Where its answer goes. */
  readonly route: SessionRoute;
}

/** What a result says of the call that it answers: a task has only begun, and a server that asks for more has not carried it out. */
export function outcomeOf({ isError, resultType, task }: JsonObject): CallOutcome {
  if (isError === true) return 'error';
  return resultType === 'task' || resultType === 'input_required' || isObject(task) ? 'unknown' : 'ok';
}

/** How a task stands that does not run any more. */
const ENDED: ReadonlySet<unknown> = new Set(['completed', 'failed', 'cancelled']);
/** More than an agent would leave running: the server fills this map. */
const MOST_TASKS = 1024;

/** The tasks that a server works on, as far as it said so. */
export class RunningTasks {
  /** By its id, what a request about it carries. */
  readonly #running = new Map<string, JsonObject>();
  /** Those that were taken: a server may say of one that it works on, in answer to each request that it ends. */
  readonly #taken = new Set<string>();

  /** What answers a call or a request about a task, or tells of one. `carried`: beside the id in requests about it. */
  told(said: JsonObject, carried: JsonObject): void {
    const { taskId, status } = isObject(said.task) ? said.task : said;
    if (typeof taskId !== 'string' || typeof status !== 'string') return;
    const [oldest] = this.#running.keys();
    if (ENDED.has(status)) this.#running.delete(taskId);
    else if (!this.#taken.has(taskId)) {
      if (this.#running.size >= MOST_TASKS) this.#running.delete(oldest!);
      this.#running.set(taskId, carried);
    }
  }

  /** The params of a request about each, once. */
  take(): JsonObject[] {
    const running = [...this.#running].map(([taskId, carried]) => ({ ...carried, taskId }));
    if (this.#taken.size >= MOST_TASKS) this.#taken.clear();
    for (const { taskId } of running) this.#taken.add(taskId);
    this.#running.clear();
    return running;
  }
}

/** The open requests of one session. */
export class OpenRequests {
  readonly #asked = new Map<RpcId, Pending>();
  readonly #held = new Map<RpcId, () => boolean>();
  #own = 0;
  readonly #outcome: (intentHash: string, outcome: CallOutcome) => void;

  /** @param outcome told what became of what was allowed */
  constructor(outcome: (intentHash: string, outcome: CallOutcome) => void) {
    this.#outcome = outcome;
  }

  /** True while a request of this id is unanswered or waits for its verdict. */
  has(id: RpcId): boolean {
    return this.#asked.has(id) || this.#held.has(id);
  }

  /** An id for a request of the guard's own, under which nothing is open: a client picks its ids as it likes. */
  ownId(): RpcId {
    do this.#own += 1;
    while (this.has(`aip:${this.#own}`));
    return `aip:${this.#own}`;
  }

  /** True while the server has been asked under this id. */
  asked(id: RpcId): boolean {
    return this.#asked.has(id);
  }

  /** The id of the one request that the server has not answered; null where there are several, or none. */
  onlyAsked(): RpcId | null {
    const [only, ...others] = this.#asked.keys();
    return only === undefined || others.length > 0 ? null : only;
  }

  /** The server is asked. */
  ask(id: RpcId, pending: Pending): void {
    this.#asked.set(id, pending);
  }

  /** Keeps `id` among the calls that wait while `work` lasts. `held` is false from when a cancel ends that, also where the id is used anew. */
  async hold(id: RpcId, work: (held: () => boolean) => Promise<void>): Promise<void> {
    const held = (): boolean => this.#held.get(id) === held;
    this.#held.set(id, held);
    try {
      await work(held);
    } finally {
      if (held()) this.#held.delete(id);
    }
  }

  /** Ends a call that waits for its verdict. True where there was one. */
  release(id: RpcId): boolean {
    return this.#held.delete(id);
  }

  /** Takes out what was asked, and tells its outcome; null for an id that was not asked, whose answer is dropped. */
  settle(id: RpcId, outcome: CallOutcome, result: JsonObject | null = null): Pending | null {
    const pending = this.#asked.get(id);
    if (pending === undefined) return null;
    this.#asked.delete(id);
    pending.own?.(result);
    if (pending.intentHash !== null) this.#outcome(pending.intentHash, outcome);
    return pending;
  }

  /** What is unanswered now, and was asked by the client. */
  ofClient(): [RpcId, Pending][] {
    return [...this.#asked].filter(([, { own }]) => own === null);
  }

  /** Ends everything: what was allowed and not answered has an unknown end. */
  clear(): [RpcId, Pending][] {
    const open = this.ofClient();
    for (const id of [...this.#asked.keys()]) this.settle(id, 'unknown');
    this.#held.clear();
    return open;
  }
}
