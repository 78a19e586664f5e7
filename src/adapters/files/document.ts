import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { MAX_DOCUMENT_BYTES } from '../../protocol/limits.js';

/**
 * The bytes of a document, read up to one byte past the limit so that the parser can refuse what is too long without the
 * rest ever being read. Null when there is no such file; fails with UNREADABLE, also when a pipe takes longer than `withinMs`.
 */
export async function readDocument(path: string, withinMs?: number): Promise<Uint8Array | null> {
  const bytes = readFile(path);
  if (bytes !== null) return bytes;
  // Loading what waits for pipes, and what says what is wrong with a path, takes longer than a verification.
  const { readAny } = await import('./plain-file.js');
  return readAny(path, withinMs);
}

/** A plain file, which is read without waiting; null for everything else, and for what cannot be read. */
function readFile(path: string): Uint8Array | null {
  try {
    if (!statSync(path).isFile()) return null;
    // Should it have become a pipe since, opening it does not wait for a writer.
    const fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      if (!fstatSync(fd).isFile()) return null;
      const buffer = Buffer.allocUnsafe(MAX_DOCUMENT_BYTES + 1);
      let length = 0;
      for (let read = -1; read !== 0 && length < buffer.length; length += read)
        read = readSync(fd, buffer, length, buffer.length - length, null);
      return buffer.subarray(0, length);
    } finally {
      closeSync(fd);
    }
  } catch {
    return null;
  }
}
