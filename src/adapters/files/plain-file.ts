/** Files of people and scripts: passports, intents, keys' public parts. Secrets have their own file with stricter rules. */
import { randomBytes } from 'node:crypto';
// `promises` is loaded when it is first used: a verification of one document never does.
import { constants, type Dirent, promises, type Stats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../app/failure.js';
import { fileFailure, systemCodeOf } from '../../app/system-failures.js';
import { MAX_DOCUMENT_BYTES } from '../../protocol/limits.js';
import { makeFolder } from './folders.js';
import { isStream, openStream } from './streams/stream-file.js';

/** How long a pipe without a writer is waited for, and one whose writer is silent, in ms. */
const NO_WRITER_MS = 3000;
const SILENCE_MS = 60_000;
const PAUSE_MS = 10;

/**
 * What `readDocument` does, for pipes and devices as well, which may keep their readers waiting. `withinMs`: how long a pipe may take
 * to its end.
 */
export async function readAny(path: string, withinMs = Infinity): Promise<Uint8Array | null> {
  const deadline = Date.now() + withinMs;
  try {
    // A pipe without a writer would hold up a thread that no signal ends, and with it the end of the process.
    const handle = await promises.open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const kind = await handle.stat();
      // A folder opens on Linux and fails on read.
      if (kind.isDirectory()) throw new Failure('UNREADABLE', `${path} is a folder, not a file.`);
      const buffer = Buffer.allocUnsafe(MAX_DOCUMENT_BYTES + 1);
      let length = 0;
      while (length < buffer.length) {
        const read = kind.isFile() ? readNow : length === 0 && kind.isFIFO() ? readFirst : readLater;
        const bytesRead = await read(handle, buffer.subarray(length), path, deadline);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      return buffer.subarray(0, length);
    } finally {
      await handle.close();
    }
  } catch (error) {
    return missingOrFail(error, path);
  }
}

async function readNow(handle: FileHandle, into: Buffer): Promise<number> {
  return (await handle.read(into, 0, into.length, null)).bytesRead;
}

/** From a pipe or a device: waits, within bounds, for a writer. */
async function readLater(handle: FileHandle, into: Buffer, path: string, deadline: number): Promise<number> {
  for (let waited = 0; waited < SILENCE_MS; waited += PAUSE_MS) {
    if (Date.now() >= deadline)
      throw new Failure('UNREADABLE', `${path} is a pipe that did not come to its end in time; nothing was judged.`, {
        hint: 'close the writer, or give a stream with --ndjson',
      });
    try {
      return await readNow(handle, into);
    } catch (error) {
      if (systemCodeOf(error) !== 'EAGAIN') throw error;
    }
    await sleep(PAUSE_MS);
  }
  throw new Failure('UNREADABLE', `Nothing came from ${path} for ${SILENCE_MS / 1000} s.`);
}

/** A pipe is at its end as well before its first writer has come. */
async function readFirst(handle: FileHandle, into: Buffer, path: string, deadline: number): Promise<number> {
  for (let waited = 0; waited < NO_WRITER_MS; waited += PAUSE_MS) {
    const bytesRead = await readLater(handle, into, path, deadline);
    if (bytesRead > 0) return bytesRead;
    await sleep(PAUSE_MS);
  }
  throw new Failure('UNREADABLE', `${path} is a pipe that nobody writes to.`);
}

const OTHER_FILE = 'choose another file with --out';
/** What to do where a file stands already, for commands with --force; `flag` is the one that named the file. */
export const orForce = (flag: string): string => `replace it with --force, or choose another place with ${flag}`;
export const FORCE = orForce('--out');

/** Creates a file with its whole content; an existing one is left as it is, and `otherwise` says what to do then. A device or a pipe is written to. */
export function createFile(path: string, text: string, otherwise = OTHER_FILE): Promise<void> {
  return placeFile(path, text, otherwise);
}

/** Replaces a file as a whole: a reader sees the old content or the new, and who may read it stays. A device or a pipe is written to. */
export function replaceFile(path: string, text: string): Promise<void> {
  return placeFile(path, text, null);
}

/**
 * As `replaceFile` for null, else as `createFile`. `settle` runs when the content is on the disk and the name is free or about to be replaced; when
 * it throws, nothing is written. What is replaced or written through may still fail after it, as of a mount or a full device.
 */
export async function placeFile(
  path: string,
  text: string,
  otherwise: string | null = OTHER_FILE,
  settle: () => void = () => {},
): Promise<void> {
  if (await isStream(path)) return writeThrough(path, text, settle);
  const there = otherwise === null ? await promises.lstat(path).catch(() => null) : null;
  const temporary = await writeBeside(path, text, there?.isFile() === true ? there : null);
  try {
    if (otherwise === null) {
      // Known before it is settled: no file takes the place of a folder.
      if (there?.isDirectory() === true) throw cannot('write', path, { code: 'EISDIR' });
      settle();
      await promises.rename(temporary, path).catch((error: unknown) => {
        throw cannot('write', path, error);
      });
    } else await linked(temporary, path, otherwise, settle);
  } finally {
    await promises.rm(temporary, { force: true });
  }
}

async function linked(temporary: string, path: string, otherwise: string, settle: () => void): Promise<void> {
  try {
    await promises.link(temporary, path);
  } catch (error) {
    if (systemCodeOf(error) === 'EEXIST') throw new Failure('EXISTS', `${path} exists already.`, { hint: otherwise });
    throw cannot('write', path, error);
  }
  try {
    settle();
  } catch (error) {
    await promises.unlink(path);
    throw error;
  }
}

/** Takes a file away; one that is gone already stays so. */
export async function removeFile(path: string): Promise<void> {
  try {
    await promises.rm(path, { force: true });
  } catch (error) {
    throw cannot('write', path, error);
  }
}

async function writeThrough(path: string, text: string, settle: () => void): Promise<void> {
  const stream = await openStream(path);
  try {
    settle();
    await stream.write(text);
  } finally {
    await stream.close();
  }
}

/** Whether there is something at `path` that must not be replaced unasked; devices and pipes are written to. */
export async function isTaken(path: string): Promise<boolean> {
  return !(await isStream(path)) && fileExists(path);
}

export async function fileExists(path: string): Promise<boolean> {
  try {
    await promises.stat(path);
    return true;
  } catch (error) {
    return (await missingOrFail(error, path)) !== null;
  }
}

/** True for a pipe with a name of its own; those that a shell hands over (`<(...)`) are open already. */
export async function isNamedPipe(path: string): Promise<boolean> {
  return !/^\/(?:dev|proc)\//.test(path) && (await promises.stat(path)).isFIFO();
}

/**
 * The files that a pattern with `*`, `?` and `**` names, sorted; for patterns that reached us because the shell did not
 * expand them (quoted, or on Windows). Hidden files match only a pattern that writes their dot.
 */
export async function expandPattern(pattern: string): Promise<string[]> {
  const parts = pattern.split(/[/\\]/);
  const found: string[] = [];
  const walk = async (folder: string, index: number): Promise<void> => {
    const part = parts[index]!;
    const last = index === parts.length - 1;
    if (!/[*?]/.test(part)) {
      const path = folder === '' ? part || sep : join(folder, part);
      if (!last) return walk(path, index + 1);
      if (await fileExists(path)) found.push(path);
      return;
    }
    if (part === '**' && !last) await walk(folder, index + 1);
    for (const entry of await entriesOf(folder === '' ? '.' : folder)) {
      if (entry.name.startsWith('.') && !part.startsWith('.')) continue;
      const path = folder === '' ? entry.name : join(folder, entry.name);
      if (part === '**') {
        if (entry.isDirectory()) await walk(path, index);
        else if (last) found.push(path);
      } else if (wildcard(part).test(entry.name)) {
        if (!last) await walk(path, index + 1);
        else if (!entry.isDirectory()) found.push(path);
      }
    }
  };
  await walk('', 0);
  return [...new Set(found)].sort();
}

/** What is in a folder; nothing when there is none. What cannot be looked into may hold what is to be verified. */
async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await promises.readdir(folder, { withFileTypes: true });
  } catch (error) {
    await missingOrFail(error, folder);
    return [];
  }
}

/** A name may hold a line feed, and must not get past a check by it. */
function wildcard(part: string): RegExp {
  const source = part
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 'su');
}

/** `like`: whose mode and owner the file gets; null for a new one. */
async function writeBeside(path: string, text: string, like: Stats | null): Promise<string> {
  const temporary = join(dirname(path), `.${randomBytes(6).toString('hex')}.tmp`);
  try {
    makeFolder(dirname(path));
    const mode = like === null ? 0o644 : like.mode & 0o777;
    const handle = await promises.open(temporary, 'wx', mode);
    try {
      // Only root may give a file to another user. The mode once more, for what the umask took from it; another group gets what all have.
      if (like !== null) {
        const chowned = handle.chown(like.uid, like.gid).catch(() => handle.chown(-1, like.gid));
        const chmodded = chowned.then(
          () => handle.chmod(mode),
          () => handle.chmod((mode & 0o707) | ((mode & 0o007) << 3)),
        );
        // Not every file system has modes.
        await chmodded.catch(() => undefined);
      }
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw cannot('write', path, error);
  }
  return temporary;
}

async function missingOrFail(error: unknown, path: string): Promise<null> {
  const code = systemCodeOf(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') return null;
  throw error instanceof Failure ? error : cannot('read', path, error);
}

function cannot(verb: string, path: string, cause: unknown): Failure {
  return fileFailure(path, verb === 'read' ? 'read' : 'written', cause);
}
