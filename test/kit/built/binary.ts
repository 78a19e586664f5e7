/** The built program in a folder of its own: started, waited for, and started by the dozen. */
import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { BINARY, FORMS, requireBuilt } from './program.js';
import { expectCivil, type Answer } from '../native/household.js';
import { scratch } from '../scratch.js';

/** A command that takes longer than this hangs, in ms. */
const PATIENCE = 60_000;

export interface Place {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A folder with its own home; both go away after the test. */
export function place(env: Readonly<Record<string, string>> = {}): Place {
  requireBuilt();
  const folder = scratch();
  const { PATH = '' } = process.env;
  return { folder, env: { PATH, HOME: folder, ...FORMS, AIP_HOME: join(folder, 'home'), CI: '1', ...env } };
}

export function aip({ folder, env }: Place, argv: readonly string[], stdin: string | Uint8Array = ''): Answer {
  const { status, stdout, stderr, error } = spawnSync(process.execPath, [BINARY, ...argv], {
    cwd: folder,
    env,
    input: stdin,
    encoding: 'utf8',
    timeout: PATIENCE,
    killSignal: 'SIGKILL',
    maxBuffer: 256 * 1024 * 1024,
  });
  if (status === null) throw new Error(`aip ${argv.join(' ')} did not end: ${error?.message ?? stderr}`);
  const answer = { code: status, out: stdout, err: stderr };
  expectCivil(answer);
  return answer;
}

/** The same, to talk with while it runs. It is killed when the test is over, whatever happened. */
export function start({ folder, env }: Place, argv: readonly string[]): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [BINARY, ...argv], { cwd: folder, env, stdio: 'pipe' });
  child.stdin.on('error', () => undefined);
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** Runs it without waiting for others to end. */
export function launch({ folder, env }: Place, argv: readonly string[]): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [BINARY, ...argv], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      if (code === null) reject(new Error(`aip ${argv.join(' ')} did not end: ${err}`));
      else resolve({ code, out, err });
    });
  });
}

/** Runs `n` of them, at most `atOnce` at the same time: a small machine would only swap. */
export async function crowd(n: number, run: (i: number) => Promise<Answer>, atOnce = 16): Promise<Answer[]> {
  const answers: Answer[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: Math.min(n, atOnce) }, async () => {
      while (next < n) {
        const i = next++;
        answers[i] = await run(i);
      }
    }),
  );
  answers.forEach(expectCivil);
  return answers;
}
