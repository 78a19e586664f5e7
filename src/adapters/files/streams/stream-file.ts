/** Paths that are written to and not replaced: devices, pipes, and what a process has open already. */
import { constants, promises, writeSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../../app/failure.js';
import { fileFailure, systemCodeOf } from '../../../app/system-failures.js';

/** How long a pipe without a reader is waited for, and one whose reader takes nothing, in ms. */
const NO_READER_MS = 3000;
const STALLED_MS = 60_000;
const PAUSE_MS = 10;

/** Stands for an open file, whatever is behind it: to rename over it would part the name from the file. */
const OPEN_ALREADY = /^\/(?:dev\/(?:stdin|stdout|stderr|fd\/)|proc\/)/;
/** Opened by this name a socket fails, and sockets are what some programs give their children. */
const OWN_OUTPUT = /^\/(?:dev\/(?:stdout|stderr|fd\/[12])|proc\/self\/fd\/[12])$/;

export interface Stream {
  write(content: string | Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** True for a device, a pipe, a socket, and a path under which a process has something open. */
export async function isStream(path: string): Promise<boolean> {
  if (OPEN_ALREADY.test(path)) return true;
  try {
    const kind = await promises.stat(path);
    return !kind.isFile() && !kind.isDirectory();
  } catch {
    return false;
  }
}

/** Opens what `isStream` is true of. @throws Failure UNREADABLE where it cannot be opened, or the pipe has no reader */
export async function openStream(path: string): Promise<Stream> {
  if (OWN_OUTPUT.test(path)) {
    const fd = /stderr|2$/.test(path) ? 2 : 1;
    return { write: (text) => all(text, path, async (bytes) => writeSync(fd, bytes)), close: async () => undefined };
  }
  const handle = await opened(path);
  return {
    write: (text) => all(text, path, async (bytes) => (await handle.write(bytes)).bytesWritten),
    close: () => handle.close(),
  };
}

async function opened(path: string): Promise<FileHandle> {
  for (let waited = 0; ; waited += PAUSE_MS) {
    try {
      // A pipe without a reader would hold up a thread that no signal ends, and with it the end of the process.
      return await promises.open(path, constants.O_WRONLY | constants.O_APPEND | (constants.O_NONBLOCK ?? 0));
    } catch (error) {
      if (systemCodeOf(error) !== 'ENXIO') throw cannot(path, error);
      if (waited >= NO_READER_MS) throw new Failure('UNREADABLE', `${path} is a pipe that nobody reads.`);
    }
    await sleep(PAUSE_MS);
  }
}

async function all(
  content: string | Uint8Array,
  path: string,
  write: (bytes: Uint8Array) => Promise<number>,
): Promise<void> {
  let rest: Uint8Array = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
  for (let waited = 0; rest.length > 0;) {
    try {
      const count = await write(rest);
      rest = rest.subarray(count);
      if (count > 0) waited = 0;
      continue;
    } catch (error) {
      if (systemCodeOf(error) !== 'EAGAIN') throw cannot(path, error);
    }
    waited += PAUSE_MS;
    if (waited >= STALLED_MS) throw new Failure('UNREADABLE', `${path} took nothing for ${STALLED_MS / 1000} s.`);
    await sleep(PAUSE_MS);
  }
}

function cannot(path: string, cause: unknown): Failure {
  return fileFailure(path, 'written', cause);
}
