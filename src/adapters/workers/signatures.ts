/** Signatures judged on other cores, a batch at a time: handing each to the thread pool by itself costs a fifth of judging it. */
import { Worker } from 'node:worker_threads';
import type { SignatureQuestion, SignatureWorkers } from '../../app/ports/signatures.js';
import type { VerifyKey } from '../../protocol/ed25519/verify.js';
import PROGRAM from 'built:signature-worker';
import { SIGNATURE_BYTES, type Task } from './signature-task.js';

/** Starts `count` workers. They keep no process alive, and one that ends leaves its questions unanswered. */
export function startSignatureWorkers(count: number): SignatureWorkers & { stop(): Promise<void> } {
  const threads = Array.from({ length: count }, () => new Thread());
  return {
    get ready() {
      return threads.every(({ ready }) => ready);
    },
    async check(questions) {
      const share = Math.ceil(questions.length / threads.length);
      const parts = threads.map((thread, i) => thread.check(questions.slice(i * share, (i + 1) * share)));
      return (await Promise.all(parts)).flat();
    },
    stop: async () => void (await Promise.all(threads.map((thread) => thread.stop()))),
  };
}

class Thread {
  readonly #worker = new Worker(PROGRAM, { eval: true, stdin: false, execArgv: [], env: {} });
  /** In the order of their tasks; a worker answers in that order. */
  #waiting: ((answers: Uint8Array | null) => void)[] = [];
  #state: 'starting' | 'ready' | 'over' = 'starting';

  constructor() {
    this.#worker.unref();
    this.#worker.on('message', (answers: Uint8Array | null) => {
      if (answers === null) this.#state = 'ready';
      else this.#waiting.shift()?.(answers);
    });
    for (const event of ['error', 'exit', 'messageerror']) this.#worker.on(event, () => this.#end());
  }

  get ready(): boolean {
    return this.#state === 'ready';
  }

  /** Null for what was not answered. */
  async check(questions: readonly SignatureQuestion[]): Promise<(boolean | null)[]> {
    if (this.#state === 'over' || questions.length === 0) return questions.map(() => null);
    const task = taskOf(questions);
    const answers = await new Promise<Uint8Array | null>((resolve) => {
      this.#waiting.push(resolve);
      // While something is asked, the answer is worth waiting for.
      this.#worker.ref();
      this.#worker.postMessage(task, [task.messages.buffer as ArrayBuffer, task.signatures.buffer as ArrayBuffer]);
    });
    if (this.#waiting.length === 0) this.#worker.unref();
    return questions.map(({ signature }, i) => {
      const answer = answers?.[i];
      // A shorter or longer one was cut to its place in the task.
      return answer === undefined ? null : answer === 1 && signature.length === SIGNATURE_BYTES;
    });
  }

  async stop(): Promise<void> {
    this.#end();
    await this.#worker.terminate();
  }

  #end(): void {
    this.#state = 'over';
    for (const resolve of this.#waiting.splice(0)) resolve(null);
  }
}

function taskOf(questions: readonly SignatureQuestion[]): Task {
  const keys = new Map<VerifyKey, number>();
  const keyOf = new Uint32Array(questions.length);
  const ends = new Uint32Array(questions.length);
  const messages = new Uint8Array(questions.reduce((total, { message }) => total + message.length, 0));
  const signatures = new Uint8Array(SIGNATURE_BYTES * questions.length);
  let end = 0;
  for (const [i, { key, message, signature }] of questions.entries()) {
    let place = keys.get(key);
    if (place === undefined) keys.set(key, (place = keys.size));
    keyOf[i] = place;
    messages.set(message, end);
    ends[i] = end += message.length;
    signatures.set(signature.subarray(0, SIGNATURE_BYTES), SIGNATURE_BYTES * i);
  }
  return { keys: [...keys.keys()].map(({ publicKey }) => publicKey), keyOf, messages, ends, signatures };
}
