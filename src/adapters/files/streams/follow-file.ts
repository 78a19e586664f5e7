/** Reads a file that another program writes to, as `tail -F` does. */
// `promises` is loaded when it is first used: a verification of one document never does.
import { promises } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { Failure } from '../../../app/failure.js';
import { fileFailure } from '../../../app/system-failures.js';
import { maskName } from '../../../protocol/log/secret-text.js';

const CHUNK = 256 * 1024;
/** How often a file at its end is looked at, ms. */
const POLL = 50;

const NEWLINE = 0x0a;
/** Ends a line that was cut off, so that it does not run into the first one of what comes. */
const LINE_END = Uint8Array.of(NEWLINE);

export interface FollowFileOptions {
  /** False ends at the end of the file. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
  /** The file was replaced, or cut: what is read from here on begins anew. */
  readonly onRestart?: (why: 'replaced' | 'truncated') => void;
}

/**
 * The bytes of the file as they come. Each chunk is valid until the next is asked for; an empty one comes once while following, when what was there at
 * first has been read.
 */
export async function* fileBytes(path: string, options: FollowFileOptions): AsyncGenerator<Uint8Array> {
  let handle = await opened(path);
  const buffer = Buffer.allocUnsafe(CHUNK);
  let position = 0;
  let caughtUp = false;
  let replaced = false;
  let whole = true;
  try {
    while (!options.signal.aborted) {
      // A pipe or a device has no positions.
      const regular = (await handle.stat()).isFile();
      const { bytesRead } = await handle.read(buffer, 0, CHUNK, regular ? position : null);
      if (bytesRead > 0) {
        position += bytesRead;
        whole = buffer[bytesRead - 1] === NEWLINE;
        yield buffer.subarray(0, bytesRead);
        continue;
      }
      if (!options.follow || !regular) return;
      if (replaced) {
        replaced = false;
        const next = await reopened(path);
        if (next !== null) {
          await handle.close();
          handle = next;
          position = 0;
          options.onRestart?.('replaced');
          if (!whole) yield LINE_END;
          whole = true;
          continue;
        }
      }
      if (!caughtUp) {
        caughtUp = true;
        yield buffer.subarray(0, 0);
      }
      await pause(POLL, options.signal);
      const now = await promises.stat(path).catch(() => null);
      const here = await handle.stat();
      // What was written to the old file just before it lost its name is read first.
      if (now !== null && (now.ino !== here.ino || now.dev !== here.dev)) replaced = true;
      else if (here.size < position) {
        position = 0;
        options.onRestart?.('truncated');
        if (!whole) yield LINE_END;
        whole = true;
      }
    }
  } finally {
    await handle.close();
  }
}

/** Null when the new file was moved away already: another one will come. */
function reopened(path: string): Promise<FileHandle | null> {
  return opened(path).catch((error: unknown) => {
    if (error instanceof Failure && error.code === 'NOT_FOUND') return null;
    throw error;
  });
}

async function opened(path: string): Promise<FileHandle> {
  try {
    const handle = await promises.open(path, 'r');
    if (!(await handle.stat()).isDirectory()) return handle;
    await handle.close();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new Failure('NOT_FOUND', `There is no file ${maskName(path)}.`, {
        hint: 'name a file that exists, or - for stdin',
      });
    throw fileFailure(path, 'read', error);
  }
  throw new Failure('UNREADABLE', `${path} is a folder, not a file.`);
}

/** Resolves after `ms`, or at once when the signal says so. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
