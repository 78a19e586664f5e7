/** How a command that failed says so. The last line is the important one: what to do. */
import { Failure } from '../../app/failure.js';
import { fromSystem } from '../../app/system-failures.js';
import { MASK, maskError } from '../../protocol/log/secret-text.js';
import { widthOf, type Io } from '../io.js';
import { hintInSamePlace } from '../shell/same-place.js';
import { clean, cleanLines, safeJson, wrapped } from './terminal/text.js';
import type { Paint } from './terminal/paint.js';

export interface ErrorLook {
  readonly json: boolean;
  readonly debug: boolean;
  readonly paint: Paint;
  /** What is added to the commands of a hint, for a person: where its home and config are. */
  readonly place?: readonly string[];
}

/** Prints the error on stderr and returns the exit code. */
export function reportError(error: unknown, io: Io, look: ErrorLook): number {
  const known = error instanceof Failure ? error : fromSystem(error);
  if (known === null) return reportBug(error, io, look);
  const message = maskError(clean(known.message));
  if (look.json) {
    const { code, retryable, exitCode } = known;
    const hint = known.hint === null ? null : maskError(known.hint);
    io.stderr.write(`${safeJson({ code, message, hint, retryable, exit_code: exitCode })}\n`);
  } else {
    const text = wrapped(`${message} [${known.code}]`, widthOf(io.stderr), 'error: '.length);
    io.stderr.write(`${look.paint.red('error:')} ${text}\n`);
    const hint = known.hint === null ? null : hintInSamePlace(clean(known.hint), look.place ?? []);
    if (hint !== null) io.stderr.write(`${look.paint.bold('hint:')} ${maskError(hint)}\n`);
  }
  if (look.debug) printStack(known, io);
  return known.exitCode;
}

function reportBug(error: unknown, io: Io, look: ErrorLook): number {
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  // This text is unchecked: it may quote a key.
  const text = maskUnchecked(clean(what)).slice(0, 300);
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
    io.stderr.write(`${maskUnchecked(cleanLines(stack.replace(message, () => clean(message))))}\n`);
  }
}

/** What the system and other people's code say quotes anything: there no hex is taken for a public key. */
function maskUnchecked(text: string): string {
  return maskError(text).replace(/[0-9a-f]{40,}/gi, MASK);
}
