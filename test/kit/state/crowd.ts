import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Readable, Writable } from 'node:stream';
import { bundle } from '../bundle.js';

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** A worker process, and what it has said so far. */
export class Worker {
  readonly child: Child;
  /** Whole lines; a line cut short by a kill was never said. */
  readonly lines: string[] = [];
  #rest = '';
  #errors = '';
  readonly #ended: Promise<void>;
  #said: () => void = () => undefined;

  constructor(file: string, args: readonly string[], uid: number | null) {
    this.child = spawn(process.execPath, [file, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...(uid === null ? {} : { AIP_TEST_UID: String(uid) }) },
    });
    // A process that was killed no longer reads what it is told.
    this.child.stdin.on('error', () => undefined);
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (this.#rest + text).split('\n');
      this.#rest = lines.pop()!;
      this.lines.push(...lines);
      this.#said();
    });
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#errors += text));
    this.#ended = new Promise((resolve) => this.child.once('close', () => resolve()));
  }

  async ready(): Promise<void> {
    const said = new Promise<void>((resolve) => (this.#said = resolve));
    if (this.lines.length === 0) await Promise.race([said, this.#ended]);
    if (this.lines.shift() !== 'ready') throw new Error(`a worker did not start: ${this.#errors}`);
  }

  go(): void {
    this.child.stdin.end('go\n');
  }

  /** What it said after `ready`; fails when it ended in a way that nobody asked for. */
  async answer(): Promise<readonly string[]> {
    await this.#ended;
    if (this.child.exitCode !== 0) throw new Error(`a worker ended with ${this.child.exitCode}: ${this.#errors}`);
    return this.lines;
  }

  async kill(): Promise<readonly string[]> {
    this.child.kill('SIGKILL');
    await this.#ended;
    return this.lines;
  }
}

export async function worker(args: readonly string[], uid: number | null = null): Promise<Worker> {
  const file = await bundle(fileURLToPath(new URL('worker.ts', import.meta.url)));
  return new Worker(file, args, uid);
}

/** Runs `n` processes that all start their work at the same moment, and returns what each said. */
export async function crowd(n: number, args: readonly string[]): Promise<string[]> {
  const workers = await Promise.all(Array.from({ length: n }, () => worker(args)));
  await Promise.all(workers.map((each) => each.ready()));
  for (const each of workers) each.go();
  const answers = await Promise.all(workers.map((each) => each.answer()));
  return answers.map((lines) => lines.join('\n'));
}
