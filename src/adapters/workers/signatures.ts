/** Signatures judged on other cores, a batch at a time: handing each to the thread pool by itself costs a fifth of judging it. */
import { Worker } from 'node:worker_threads';
import type { SignatureQuestion, SignatureWorkers } from '../../app/ports/signatures.js';
import { acceptableSignature } from '../../protocol/ed25519/acceptance.js';
import type { VerifyKey } from '../../protocol/ed25519/verify.js';

interface Task {
  readonly keys: readonly Uint8Array[];
  /** Of each signature, the place of its key in `keys`. */
  readonly keyOf: Uint32Array;
  /** All messages, one after the other, and where each ends. */
  readonly messages: Uint8Array;
  readonly ends: Uint32Array;
  /** 64 bytes each. */
  readonly signatures: Uint8Array;
}

/** What a worker runs: it is started from this text, because the package is one script. Answers 1 for each signature that holds. */
const PROGRAM = `
const { parentPort } = require('node:worker_threads');
const { createPublicKey, verify } = require('node:crypto');
const known = new Map();
function keyOf(raw) {
  const x = Buffer.from(raw).toString('base64url');
  if (!known.has(x)) {
    if (known.size > 4096) known.clear();
    known.set(x, createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }));
  }
  return known.get(x);
}
parentPort.on('message', ({ keys, keyOf: indexes, messages, ends, signatures }) => {
  const handles = keys.map(keyOf);
  const answers = new Uint8Array(ends.length);
  for (let i = 0; i < ends.length; i++) {
    const message = messages.subarray(i === 0 ? 0 : ends[i - 1], ends[i]);
    const signature = signatures.subarray(64 * i, 64 * i + 64);
    answers[i] = verify(null, message, handles[indexes[i]], signature) ? 1 : 0;
  }
  parentPort.postMessage(answers);
});
parentPort.postMessage(null);
`;

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
      return answer === undefined ? null : answer === 1 && acceptableSignature(signature);
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
  const signatures = new Uint8Array(64 * questions.length);
  let end = 0;
  for (const [i, { key, message, signature }] of questions.entries()) {
    let place = keys.get(key);
    if (place === undefined) keys.set(key, (place = keys.size));
    keyOf[i] = place;
    messages.set(message, end);
    ends[i] = end += message.length;
    signatures.set(signature.subarray(0, 64), 64 * i);
  }
  return { keys: [...keys.keys()].map(({ publicKey }) => publicKey), keyOf, messages, ends, signatures };
}
