/** How a command that failed says so. The last line is the important one: what to do. */
import { Failure, type FailureCode } from '../../app/failure.js';
import type { Io } from '../io.js';
import { clean, cleanLines, safeJson } from './terminal/text.js';
import type { Paint } from './terminal/paint.js';

export interface ErrorLook {
  readonly json: boolean;
  readonly debug: boolean;
  readonly paint: Paint;
}

/** Prints the error on stderr and returns the exit code. */
export function report(error: unknown, io: Io, look: ErrorLook): number {
  const known = error instanceof Failure ? error : fromSystem(error);
  if (known === null) return reportBug(error, io, look);
  if (look.json) {
    const { code, hint, retryable, exitCode } = known;
    io.stderr.write(`${safeJson({ code, message: clean(known.message), hint, retryable, exit_code: exitCode })}\n`);
  } else {
    io.stderr.write(`${look.paint.red('error:')} ${clean(known.message)} [${known.code}]\n`);
    if (known.hint !== null) io.stderr.write(`${look.paint.bold('hint:')} ${clean(known.hint)}\n`);
  }
  if (look.debug) printStack(known, io);
  return known.exitCode;
}

function reportBug(error: unknown, io: Io, look: ErrorLook): number {
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  // Nobody has checked this text: it may quote a key.
  const text = clean(what)
    .replace(/[0-9a-fA-F]{64,}/g, '<hex>')
    .slice(0, 300);
  const message = `this is a bug in aip (${text})`;
  const hint = 'run it again with --debug, and report what it prints';
  if (look.json) io.stderr.write(`${safeJson({ code: 'BUG', message, hint, retryable: false, exit_code: 1 })}\n`);
  else io.stderr.write(`${look.paint.red('error:')} ${message}; ${hint}\n`);
  if (look.debug) printStack(error, io);
  return 1;
}

function printStack(error: unknown, io: Io): void {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const { message, stack = message } = at;
    io.stderr.write(`${cleanLines(stack.replace(message, () => clean(message)))}\n`);
  }
}

const SYSTEM: Readonly<Record<string, readonly [FailureCode, string]>> = {
  ENOENT: ['NOT_FOUND', 'no such file or folder'],
  EACCES: ['UNREADABLE', 'permission denied'],
  EPERM: ['UNREADABLE', 'not permitted'],
  EISDIR: ['UNREADABLE', 'it is a folder'],
  ENOTDIR: ['UNREADABLE', 'a part of the path is not a folder'],
  EEXIST: ['EXISTS', 'it exists already'],
  ELOOP: ['UNREADABLE', 'too many links'],
  ENAMETOOLONG: ['UNREADABLE', 'the name is too long'],
  ENOSPC: ['STATE', 'the disk is full'],
  EROFS: ['UNREADABLE', 'the disk is read-only'],
  EMFILE: ['UNREADABLE', 'too many open files'],
  ECONNREFUSED: ['NETWORK', 'connection refused'],
  ECONNRESET: ['NETWORK', 'connection reset'],
  ETIMEDOUT: ['NETWORK', 'timed out'],
  ENOTFOUND: ['NETWORK', 'no such host'],
  EADDRINUSE: ['NETWORK', 'the address is in use'],
};

/** A system error that no adapter translated: still the world's doing, not ours. */
export function fromSystem(error: unknown): Failure | null {
  if (!(error instanceof Error)) return null;
  const { code, syscall, path } = error as NodeJS.ErrnoException;
  const entry = code === undefined || syscall === undefined ? undefined : SYSTEM[code];
  if (entry === undefined) return null;
  return new Failure(entry[0], `${syscall}${path === undefined ? '' : ` ${path}`}: ${entry[1]}`, { cause: error });
}
