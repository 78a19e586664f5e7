/**
 * The one reader of secrets that a person names: in a file, on standard input, in a pipe (`<(...)`), behind the symbolic links of
 * a mount. The same rule holds for what a variable says.
 */
import { closeSync, constants, fstatSync, openSync, readSync, statSync, type Stats } from 'node:fs';
import { Failure, shellWord } from '../../../app/failure.js';
import { fileFailure } from '../../../app/system-failures.js';
import { plainSecret, type Environment } from '../../../app/ports/secrets.js';
import { readDocument } from '../document.js';
import { inSecretMount, secretMounts } from './secret-mounts.js';

export interface SecretSource {
  /** Names it in messages: "passphrase file". */
  readonly what: string;
  /** Longest secret, in bytes. */
  readonly most: number;
  /** Says where secrets are mounted (AIP_SECRETS_DIR). */
  readonly env: Environment;
}

/** Room for a byte order mark and a line end beside the secret. */
const AROUND = 5;

/** The secret in the file at `path`, or on stdin for `-`, as text without what editors add to it. */
export async function readSecret(path: string, source: SecretSource): Promise<string> {
  return decoded(await bytesOf(path, source), path, source);
}

/** As `readSecret`, from a descriptor that the caller's parent opened (`--passphrase-fd 3 3<<<"$secret"`), read to its end. */
export function readSecretDescriptor(descriptor: number, source: SecretSource): string {
  const where = `descriptor ${descriptor}`;
  const buffer = Buffer.alloc(source.most + AROUND);
  let length = 0;
  try {
    for (let n = -1; n !== 0 && length < buffer.length; length += n)
      n = readSync(descriptor, buffer, length, buffer.length - length, null);
    // A program that this process starts would inherit it, and could read a file behind it again.
    if (descriptor > 2) closeSync(descriptor);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    // A number that was not handed over may be one of the runtime's own.
    const why = ['EBADF', 'EINVAL', 'EAGAIN'].includes(code) ? 'it is not open' : code;
    throw new Failure('UNREADABLE', `The secret cannot be read from ${where}: ${why}.`, {
      hint: `open it for the command, e.g. --passphrase-fd ${descriptor} ${descriptor}< <file>`,
      cause,
    });
  }
  return decoded(buffer.subarray(0, length), where, source);
}

/** True for stdin and pipes: what was read from them is gone. */
export function readsOnce(path: string): boolean {
  return path === '-' || statSync(path, { throwIfNoEntry: false })?.isFile() === false;
}

/** As `readSecret`, where nothing may be waited for: a regular file or nothing. */
export function readSecretNow(path: string, source: SecretSource): string {
  return decoded(readOpen(path, source, constants.O_NONBLOCK ?? 0), path, source);
}

/** As `readSecret`, for secrets that may be bytes: text goes by the rule of texts, anything else is taken as it is. */
export async function readSecretBytes(path: string, source: SecretSource): Promise<Uint8Array> {
  const bytes = await bytesOf(path, source);
  const text = utf8(bytes);
  if (text === null || /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text)) return Uint8Array.from(bytes);
  return Uint8Array.from(Buffer.from(plainSecret(text, `The ${source.what} ${path}`), 'utf8'));
}

function decoded(bytes: Buffer, path: string, source: SecretSource): string {
  const text = utf8(bytes);
  // Replaced bytes would be another, weaker secret.
  if (text === null) throw notText(bytes, path, source);
  return plainSecret(text, `The ${source.what} ${path}`);
}

function notText(bytes: Buffer, path: string, { what }: SecretSource): Failure {
  const word = path === '-' ? '<file>' : shellWord(path);
  const [kind, hint] =
    bytes[0] === 0x30
      ? [', but DER as it seems', `openssl pkey -inform DER -in ${word} -out <new file>`]
      : /^(?:fffe|feff)/.test(bytes.toString('hex', 0, 2))
        ? [', but UTF-16', `iconv -f UTF-16 -t UTF-8 ${word} > <new file>`]
        : [''];
  return new Failure('UNREADABLE', `The ${what} ${path} is not UTF-8 text${kind}.`, hint === undefined ? {} : { hint });
}

function utf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

async function bytesOf(path: string, source: SecretSource): Promise<Buffer> {
  if (path === '-') return fromStdin(source);
  // Opening a pipe waits for its writer where no signal is heard; this waits within bounds.
  if (statSync(path, { throwIfNoEntry: false })?.isFIFO() === true)
    return Buffer.from((await readDocument(path)) ?? []).subarray(0, source.most + AROUND);
  return readOpen(path, source, 0);
}

/** Read as a stream, because the pipe of another program may be one that does not wait. */
async function fromStdin({ what, most }: SecretSource): Promise<Buffer> {
  if (process.stdin.isTTY)
    throw new Failure('USAGE', `Stdin is a terminal, which would show the ${what} as it is typed.`, {
      hint: 'pipe it in, or name a file that only you can read',
    });
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    // Of a folder the runtime makes a stream that is empty: this fails by its name.
    if (fstatSync(0).isDirectory()) readSync(0, Buffer.alloc(1));
    for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= most + AROUND) break;
    }
  } catch (cause) {
    throw fileFailure('-', 'read', cause, { what: `The ${what} on stdin` });
  }
  return Buffer.concat(chunks).subarray(0, most + AROUND);
}

function readOpen(path: string, source: SecretSource, flags: number): Buffer {
  const buffer = Buffer.alloc(source.most + AROUND);
  let fd: number | null = null;
  let length = 0;
  try {
    fd = openSync(path, constants.O_RDONLY | flags);
    requirePrivate(path, fstatSync(fd), source);
    for (let n = -1; n !== 0 && length < buffer.length; length += n)
      n = readSync(fd, buffer, length, buffer.length - length, null);
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    const what = `The ${source.what} ${path}`;
    throw fileFailure(path, 'read', cause, code === 'ENOTDIR' ? { what, kind: 'NOT_FOUND' } : { what });
  } finally {
    if (fd !== null) closeSync(fd);
  }
  return buffer.subarray(0, length);
}

/** A secret that others may read is known to them, and one that others wrote is theirs. */
function requirePrivate(path: string, stat: Stats, { what, env }: SecretSource): void {
  if (!stat.isFile() || process.platform === 'win32' || inSecretMount(path, secretMounts(env))) return;
  if ((stat.mode & 0o077) !== 0) {
    throw new Failure('KEYSTORE_DENIED', `The ${what} ${path} can be read or changed by others.`, {
      hint: `chmod 600 ${shellWord(path)}`,
    });
  }
  const uid = process.getuid?.();
  if (uid !== undefined && stat.uid !== uid && stat.uid !== 0) {
    throw new Failure('KEYSTORE_DENIED', `The ${what} ${path} belongs to another user (uid ${stat.uid}).`, {
      hint: `sudo chown ${uid} ${shellWord(path)}`,
    });
  }
}
