/**
 * Hooks in threads. Code that never gives its thread back (a loop, a pattern that backtracks) would keep the program from its own timers:
 * no limit of time would hold, no signal would end it, and a coding agent runs the tool once its patience is over.
 */
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { HookModule } from '../../app/ports/hook-modules.js';
import type { JsonObject } from '../../protocol/json/values.js';
import PROGRAM from 'built:hook-worker';
import type { HookFile, ThreadQuestion, ThreadReply } from './hook-messages.js';

/** How long a file may take to load, in ms. */
const LOAD_MS = 30_000;
/** How long a thread may take to take a message, in ms: one that takes longer is held up by a question before. */
const TAKEN_MS = 500;
/** Threads that one question is brought to at most. */
const MOST_TRIES = 4;

/**
 * Loads the hooks of `file` into a thread, which keeps no process alive. A question that holds it up for more than `lateMs` ends it; those
 * behind it are asked in another one.
 * @throws Error why they cannot be loaded
 */
export async function hooksInThread(file: string, lateMs: number): Promise<HookModule & { stop(): Promise<void> }> {
  const { href } = pathToFileURL(file);
  const threads = new Set<HookThread>();
  const start = async (): Promise<HookThread> => {
    const thread = await HookThread.start(href, lateMs);
    threads.add(thread);
    thread.onEnd(() => threads.delete(thread));
    return thread;
  };
  const first = await start();
  let free: Promise<HookThread> = Promise.resolve(first);
  const ask = async (index: number, intent: JsonObject, tries = MOST_TRIES): Promise<unknown> => {
    const asked = free;
    const thread = await asked.catch(() => null);
    const answer = await thread?.ask(index, intent);
    if (thread !== null && answer !== NOT_TAKEN) return answer;
    if (tries === 1) throw new Error('no thread takes its question');
    thread?.retire();
    if (free === asked) {
      free = start();
      // Where it fails, the next question tries anew.
      if (thread === null) await free;
    }
    return ask(index, intent, tries - 1);
  };
  return {
    names: first.names,
    ask: (index, intent) => ask(index, intent),
    stop: async () => void (await Promise.all([...threads].map((thread) => thread.end(null)))),
  };
}

/** What is told of a question that never reached a hook. */
const NOT_TAKEN = Symbol('not taken');

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
  taken: boolean;
  timer: NodeJS.Timeout;
}

class HookThread {
  readonly #worker: Worker;
  readonly #lateMs: number;
  readonly #waiting = new Map<number, Waiting>();
  names: readonly (string | null)[] = [];
  #isOver = false;
  #isRetired = false;
  #asked = 0;
  /** Runs while it is asked whether it still takes messages. */
  #silent: NodeJS.Timeout | undefined;

  /** @throws Error why the hooks cannot be loaded */
  static async start(href: string, lateMs: number): Promise<HookThread> {
    const thread = new HookThread(href, lateMs);
    thread.names = (await thread.#wait(0, LOAD_MS)) as readonly (string | null)[];
    thread.#worker.unref();
    return thread;
  }

  private constructor(href: string, lateMs: number) {
    this.#lateMs = lateMs;
    const workerData: HookFile = { href };
    // What hooks print would stand among decisions, or among the messages of MCP.
    this.#worker = new Worker(PROGRAM, { eval: true, stdin: false, stdout: true, execArgv: [], workerData });
    this.#worker.stdout.on('data', (part: Buffer) => void process.stderr.write(part));
    this.#worker.on('message', (reply: ThreadReply) => this.#took(reply));
    this.#worker.on('error', (error: Error) => void this.end(error.message));
    this.#worker.on('exit', () => void this.end('its thread ended'));
  }

  /** The hook's answer, or NOT_TAKEN. @throws Error what it threw, or why it will not answer */
  ask(index: number, intent: JsonObject): Promise<unknown> {
    if (this.#isOver) return Promise.resolve(NOT_TAKEN);
    const id = (this.#asked += 1);
    const answer = this.#wait(id, TAKEN_MS);
    // While something is asked, the answer is worth waiting for.
    this.#worker.ref();
    this.#send({ id, index, intent });
    return answer;
  }

  onEnd(work: () => void): void {
    this.#worker.once('exit', work);
  }

  /** Ends once what it has taken is answered, or late: nothing more is asked of it. */
  retire(): void {
    this.#isRetired = true;
    if (this.#waiting.size === 0) void this.end(null);
  }

  /** `why` is told to what waits for an answer; null where nobody does any more. */
  async end(why: string | null): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#silent);
    for (const [id, { taken, timer }] of this.#waiting) {
      clearTimeout(timer);
      if (why !== null) this.#settle(id, taken ? new Error(why) : NOT_TAKEN);
    }
    await this.#worker.terminate();
  }

  #wait(id: number, ms: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#late(id), ms);
      this.#waiting.set(id, { resolve, reject, taken: id === 0, timer });
    });
  }

  #took(reply: ThreadReply): void {
    clearTimeout(this.#silent);
    this.#silent = undefined;
    if (reply.type === 'alive') return;
    const id = 'id' in reply ? reply.id : 0;
    const waiting = this.#waiting.get(id);
    if (reply.type === 'taken') {
      if (waiting === undefined) return;
      clearTimeout(waiting.timer);
      waiting.taken = true;
      waiting.timer = setTimeout(() => this.#late(id), this.#lateMs);
    } else if (reply.type === 'loaded') this.#settle(id, reply.names);
    else if (reply.type === 'answer') this.#settle(id, reply.answer);
    else this.#settle(id, new Error(reply.message));
  }

  #late(id: number): void {
    if (id === 0) return void this.end(`it took more than ${LOAD_MS} ms`);
    if (this.#waiting.get(id)?.taken === false) return this.#settle(id, NOT_TAKEN);
    this.#settle(id, new Error('it did not answer in time'));
    // A hook that waits for something is late, and others may be asked; one that never gives its thread back is ended.
    this.#silent ??= setTimeout(() => void this.end('it did not answer in time'), TAKEN_MS);
    this.#send(null);
  }

  #settle(id: number, answer: unknown): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    if (this.#waiting.size === 0) {
      this.#worker.unref();
      if (this.#isRetired) void this.end(null);
    }
    if (answer instanceof Error) waiting.reject(answer);
    else waiting.resolve(answer);
  }

  #send(question: ThreadQuestion): void {
    this.#worker.postMessage(question);
  }
}
