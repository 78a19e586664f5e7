/** Files of people and scripts: passports, intents, keys' public parts. Secrets have their own file with stricter rules. */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { Failure } from '../app/failure.js';
import { MAX_DOCUMENT_BYTES } from '../protocol/limits.js';

/**
 * The bytes of a document, read up to one byte past the limit so that the parser can refuse what is too long without the
 * rest ever being read. Null when there is no such file.
 */
export async function readDocument(path: string): Promise<Uint8Array | null> {
  try {
    const handle = await open(path, 'r');
    try {
      // A folder opens on Linux and fails on read; a device or pipe could block for ever.
      if ((await handle.stat()).isDirectory()) throw new Failure('UNREADABLE', `${path} is a folder, not a file.`);
      const buffer = Buffer.allocUnsafe(MAX_DOCUMENT_BYTES + 1);
      let length = 0;
      while (length < buffer.length) {
        const { bytesRead } = await handle.read(buffer, length, buffer.length - length, null);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      return buffer.subarray(0, length);
    } finally {
      await handle.close();
    }
  } catch (error) {
    return missingOrFail(error, path, 'read');
  }
}

/** Creates a file with its whole content; an existing one is left as it is. */
export async function createFile(path: string, text: string): Promise<void> {
  const temporary = await writeBeside(path, text);
  try {
    await link(temporary, path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST')
      throw new Failure('EXISTS', `${path} exists already.`, { hint: 'choose another file with --out' });
    throw cannot('write', path, error);
  } finally {
    await unlink(temporary);
  }
}

/** Replaces a file as a whole: a reader sees the old content or the new. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = await writeBeside(path, text);
  try {
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary);
    throw cannot('write', path, error);
  }
}

export async function fileExists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    return (await missingOrFail(error, path, 'read')) !== null;
  }
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
    for (const entry of await readdir(folder === '' ? '.' : folder, { withFileTypes: true }).catch(() => [])) {
      if (entry.name.startsWith('.') && !part.startsWith('.')) continue;
      const path = folder === '' ? entry.name : join(folder, entry.name);
      if (part === '**' && !last) {
        if (entry.isDirectory()) await walk(path, index);
      } else if (wildcard(part).test(entry.name)) {
        if (!last) await walk(path, index + 1);
        else if (!entry.isDirectory()) found.push(path);
      }
    }
  };
  await walk('', 0);
  return [...new Set(found)].sort();
}

function wildcard(part: string): RegExp {
  const source = part
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`);
}

async function writeBeside(path: string, text: string): Promise<string> {
  const temporary = join(dirname(path), `.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await mkdir(dirname(path), { recursive: true });
    const handle = await open(temporary, 'wx', 0o644);
    try {
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

async function missingOrFail(error: unknown, path: string, verb: string): Promise<null> {
  const code = codeOf(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') return null;
  throw error instanceof Failure ? error : cannot(verb, path, error);
}

function cannot(verb: string, path: string, cause: unknown): Failure {
  return new Failure(
    'UNREADABLE',
    `${path} cannot be ${verb === 'read' ? 'read' : 'written'} (${codeOf(cause) ?? 'unknown error'}).`,
    {
      cause,
    },
  );
}

function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}
