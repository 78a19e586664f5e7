/** Runs another program in this one's place: its streams, its signals, its end. */
import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants as access, statSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join, resolve } from 'node:path';

export interface ProcessPlace {
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

export type Ended =
  | { readonly kind: 'exited'; readonly code: number }
  /** Shells call it `128 + number`. */
  | { readonly kind: 'killed'; readonly number: number }
  | { readonly kind: 'unstarted'; readonly reason: string };

export interface Running {
  readonly ended: Promise<Ended>;
  signal(name: NodeJS.Signals): void;
}

const FORWARDED: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'];
/** What a terminal sends to every process in its foreground by itself; a second one often means "now, without cleaning up". */
const BY_TERMINAL: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT'];

/**
 * The file that a command's name means, looked for as execvp(3) does; null when there is none that may be run. Windows by itself would look into
 * the current folder first, where another's program may lie, and starts a script (.cmd) only through a shell.
 */
export function findProgram(
  name: string,
  { env, cwd }: ProcessPlace,
  platform: string = process.platform,
): string | null {
  const onWindows = platform === 'win32';
  const endings = onWindows && !/\.(?:com|exe)$/i.test(name) ? ['.com', '.exe'] : [''];
  const programAt = (path: string): string | null => endings.map((end) => path + end).find(isProgram) ?? null;
  if (name === '') return null;
  if (name.includes('/') || (onWindows && /[\\:]/.test(name))) return programAt(resolve(cwd, name));
  // There it may be called Path, and an empty part of it means nothing.
  const [, path = '/usr/bin:/bin'] =
    Object.entries(env).find(([each]) => (onWindows ? each.toUpperCase() : each) === 'PATH') ?? [];
  for (const folder of path.split(delimiter)) {
    const found = onWindows && folder === '' ? null : programAt(join(resolve(cwd, folder), name));
    if (found !== null) return found;
  }
  return null;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, access.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * Starts a program with this process's own streams and without a shell. Until it ends, signals that reach this process are its:
 * whether to stop, and how, is for the program to decide.
 */
export function inForeground(file: string, args: readonly string[], place: ProcessPlace, onTerminal: boolean): Running {
  let child: ChildProcess;
  try {
    child = spawn(file, [...args], { stdio: 'inherit', env: place.env, cwd: place.cwd, windowsHide: true });
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    return { ended: Promise.resolve({ kind: 'unstarted', reason }), signal: () => undefined };
  }
  const giveBack = takeSignals((name) => {
    if (!onTerminal || !BY_TERMINAL.includes(name)) child.kill(name);
  });
  const ended = new Promise<Ended>((settle) => {
    child.once('error', (cause: NodeJS.ErrnoException) => {
      if (child.pid === undefined) settle({ kind: 'unstarted', reason: cause.code ?? 'unknown error' });
    });
    child.once('exit', (code, signal) =>
      settle(signal === null ? { kind: 'exited', code: code! } : { kind: 'killed', number: constants.signals[signal] }),
    );
  });
  return { ended: ended.finally(giveBack), signal: (name) => void child.kill(name) };
}

/**
 * Every listener of these signals makes way for one; the returned function puts them back. A signal that came while nothing ran is still on its
 * way, and is lost with the last listener: the new one comes first.
 */
function takeSignals(take: (name: NodeJS.Signals) => void): () => void {
  const before = FORWARDED.map((name) => [name, process.listeners(name)] as const);
  for (const name of FORWARDED) {
    process.on(name, take);
  }
  for (const [name, listeners] of before) for (const listener of listeners) process.removeListener(name, listener);
  return () => {
    for (const [name, listeners] of before) {
      for (const listener of listeners) process.on(name, listener);
      process.removeListener(name, take);
    }
  };
}
