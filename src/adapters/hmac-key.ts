import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { Failure } from '../app/failure.js';
import { MIN_HMAC_KEY_BYTES } from '../protocol/aip1/hmac.js';
import { fromHex } from '../protocol/hex.js';

const MAX_BYTES = 1024;

/**
 * The key shared with an agent: 64 or more hex digits, or the raw bytes of a file that holds nothing else. `-` is stdin; pipes and
 * mounted secrets are as good as files.
 */
export function readHmacKey(path: string, onNotice: (notice: string) => void): Uint8Array {
  const bytes = contentOf(path, onNotice);
  const text = bytes.toString('latin1').trim();
  const key = /^(?:[0-9A-Fa-f]{2})+$/.test(text) ? fromHex(text.toLowerCase())! : Uint8Array.from(bytes);
  if (key.length >= MIN_HMAC_KEY_BYTES) return key;
  throw new Failure('USAGE', `The shared key in ${path} is shorter than ${MIN_HMAC_KEY_BYTES} bytes.`);
}

function contentOf(path: string, onNotice: (notice: string) => void): Buffer {
  const buffer = Buffer.alloc(MAX_BYTES + 1);
  let fd: number | null = null;
  let length = 0;
  try {
    fd = path === '-' ? 0 : openSync(path, 'r');
    const stat = fstatSync(fd);
    if (path !== '-' && stat.isFile() && process.platform !== 'win32' && (stat.mode & 0o077) !== 0) {
      onNotice(`The key file ${path} can be read or changed by others; make it private: chmod 600 ${path}`);
    }
    for (let n = -1; n !== 0 && length < buffer.length; length += n)
      n = readSync(fd, buffer, length, buffer.length - length, null);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    const kind = code === 'ENOENT' ? 'NOT_FOUND' : 'UNREADABLE';
    throw new Failure(kind, `The key file ${path} cannot be read (${code}).`, { cause });
  } finally {
    if (fd !== null && fd !== 0) closeSync(fd);
  }
  if (length > MAX_BYTES) throw new Failure('USAGE', `The key file ${path} is longer than ${MAX_BYTES} bytes.`);
  return buffer.subarray(0, length);
}
