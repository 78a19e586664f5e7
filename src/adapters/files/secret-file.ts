/** A short secret in a file that the user names: mounted ones (behind symlinks) and pipes (`<(...)`) are as good as files. */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { Failure, shellWord } from '../../app/failure.js';
import { readDocument } from './document.js';

/** At most `most` bytes and one more, of `path` or of stdin for `-`. `what` names the file in messages. */
export async function readSecretFile(
  path: string,
  what: string,
  most: number,
  onNotice: (notice: string) => void,
): Promise<Buffer> {
  // Opening a pipe waits for its writer where no signal is heard; this waits within bounds.
  if (path !== '-' && statSync(path, { throwIfNoEntry: false })?.isFIFO() === true)
    return Buffer.from((await readDocument(path)) ?? []).subarray(0, most + 1);
  const buffer = Buffer.alloc(most + 1);
  let fd: number | null = null;
  let length = 0;
  try {
    fd = path === '-' ? 0 : openSync(path, 'r');
    const stat = fstatSync(fd);
    if (path !== '-' && stat.isFile() && process.platform !== 'win32' && (stat.mode & 0o077) !== 0) {
      onNotice(`The ${what} ${path} can be read or changed by others; make it private: chmod 600 ${shellWord(path)}`);
    }
    for (let n = -1; n !== 0 && length < buffer.length; length += n)
      n = readSync(fd, buffer, length, buffer.length - length, null);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    const kind = code === 'ENOENT' ? 'NOT_FOUND' : 'UNREADABLE';
    throw new Failure(kind, `The ${what} ${path} cannot be read (${code}).`, { cause });
  } finally {
    if (fd !== null && fd !== 0) closeSync(fd);
  }
  return buffer.subarray(0, length);
}
