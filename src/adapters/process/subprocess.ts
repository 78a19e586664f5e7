import { spawn } from 'node:child_process';
import { findProgram } from './foreground.js';

export interface SubprocessOptions {
  /** The whole environment of the child: nothing is inherited. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** The program is a line of the system's shell, and has no further arguments. */
  readonly shell?: true;
  /** Written to the child's stdin, which is then closed. */
  readonly input?: string;
  /** So many milliseconds stdin stays open and empty before that; none where it is left out. */
  readonly inputAfterMs?: number;
  /** The child is killed with SIGKILL after this many milliseconds. */
  readonly timeoutMs: number;
  /** Output beyond this many bytes ends the child. */
  readonly maxOutputBytes: number;
}

export type SubprocessResult =
  | { readonly kind: 'exited'; readonly code: number | null; readonly signal: string | null; readonly stdout: string }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'overflow' }
  | { readonly kind: 'unstarted'; readonly reason: string };

/** So long the pipes of a child that has ended may stay open, in ms, before they are taken to be held by another. */
const HELD_MS = 100;

/**
 * Runs a program, without a shell unless one is asked for, and ends within `timeoutMs`, whatever the child does. The promise does not wait for the pipes of a
 * child that was killed, or has ended and said something: a grandchild that inherited them could hold them open for good.
 */
export function runSubprocess(
  file: string,
  args: readonly string[],
  options: SubprocessOptions,
): Promise<SubprocessResult> {
  return new Promise((resolve) => {
    let child;
    try {
      const looksFor = process.platform === 'win32' && options.shell !== true;
      const found = looksFor ? findProgram(file, { env: options.env, cwd: options.cwd ?? process.cwd() }) : file;
      if (found === null) return resolve({ kind: 'unstarted', reason: 'ENOENT' });
      child = spawn(found, [...args], {
        env: options.env,
        stdio: ['pipe', 'pipe', 'ignore'],
        windowsHide: true,
        shell: options.shell === true,
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      });
    } catch (cause) {
      resolve({ kind: 'unstarted', reason: (cause as NodeJS.ErrnoException).code ?? 'unknown' });
      return;
    }
    const { stdin, stdout } = child;
    const chunks: Buffer[] = [];
    let size = 0;
    const stop = (result: SubprocessResult): void => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      stdin.destroy();
      stdout.destroy();
      child.unref();
      resolve(result);
    };
    const timer = setTimeout(() => stop({ kind: 'timeout' }), options.timeoutMs);
    stdout.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > options.maxOutputBytes) stop({ kind: 'overflow' });
    });
    child.on('error', (cause: NodeJS.ErrnoException) => stop({ kind: 'unstarted', reason: cause.code ?? 'unknown' }));
    const exited = (code: number | null, signal: string | null): SubprocessResult => {
      return { kind: 'exited', code, signal, stdout: Buffer.concat(chunks).toString('utf8') };
    };
    child.on('exit', (code, signal) => {
      const said = (): void => {
        if (size > 0 || code !== 0) stop(exited(code, signal));
      };
      // What it wrote before it ended is read in the next turn at the latest, however late that is.
      setTimeout(() => setImmediate(said), HELD_MS).unref();
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve(exited(code, signal));
    });
    // A child that dies before it has read its input breaks the pipe; its exit says why.
    stdin.on('error', () => {});
    const give = (): void => void stdin.end(options.input ?? '');
    if (options.inputAfterMs === undefined) give();
    else setTimeout(give, options.inputAfterMs).unref();
  });
}
