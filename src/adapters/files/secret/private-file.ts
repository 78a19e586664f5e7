import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Failure, shellWord } from '../../../app/failure.js';
import { fileFailure } from '../../../app/system-failures.js';
import { makeFolder } from '../folders.js';
import { inSecretMount } from './secret-mounts.js';

/** Files that hold secrets: bounded, never reached through a symlink unless asked for, mode 0600, and whole or absent. */

/** Windows knows neither of these; its files are private by the folder's access list. */
const NOFOLLOW = constants.O_NOFOLLOW ?? 0;
const NONBLOCK = constants.O_NONBLOCK ?? 0;

export interface PrivateText {
  readonly bytes: Buffer;
  /** True when the group or others may read or write the file. */
  readonly exposed: boolean;
}

/**
 * The content of a regular file of at most `maxBytes`; null when there is none at `path`. Refuses symlinks, except in `mounts`
 * (`secretMounts`), where a container's runtime makes the links and sets the modes.
 */
export function readPrivate(path: string, maxBytes: number, mounts: readonly string[] = []): PrivateText | null {
  const mounted = inSecretMount(path, mounts);
  const fd = openOrNull(path, constants.O_RDONLY, mounted);
  if (fd === null) return null;
  try {
    const stat = fstatSync(fd);
    if (stat.size > maxBytes) throw new Failure('UNREADABLE', `${path} is larger than ${maxBytes} bytes.`);
    const bytes = Buffer.alloc(maxBytes + 1);
    let length = 0;
    for (let n = -1; n !== 0 && length <= maxBytes; length += n)
      n = readSync(fd, bytes, length, bytes.length - length, null);
    // It may have grown since it was measured.
    if (length > maxBytes) throw new Failure('UNREADABLE', `${path} is larger than ${maxBytes} bytes.`);
    return { bytes: bytes.subarray(0, length), exposed: !mounted && isExposed(stat.mode) };
  } finally {
    closeSync(fd);
  }
}

/**
 * Makes `path` with this content, mode 0600, on disk when it returns; false when the name is taken. The name appears
 * with the whole content behind it or not at all, whenever the process dies.
 */
export function createPrivate(path: string, content: string, unique: string): boolean {
  return viaDraft(path, content, unique, (draft) => {
    try {
      // Unlike a rename, a link never replaces what has the name already, be it a file or a symlink.
      linkSync(draft, path);
      return true;
    } catch (cause) {
      if (errno(cause) === 'EEXIST') return false;
      throw cause;
    }
  });
}

/** Gives the existing file `path` a new content, mode 0600; after a crash it has the old one or the new one. */
export function replacePrivate(path: string, content: string, unique: string): void {
  viaDraft(path, content, unique, (draft) => renameSync(draft, path));
}

function viaDraft<T>(path: string, content: string, unique: string, publish: (draft: string) => T): T {
  const draft = join(dirname(path), `.${basename(path)}.${unique}.tmp`);
  return guarded(path, () => {
    const fd = openSync(draft, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | NOFOLLOW, 0o600);
    try {
      try {
        writeAll(fd, content);
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
      return publish(draft);
    } finally {
      rmSync(draft, { force: true });
      syncFolder(dirname(path));
    }
  });
}

/** Appends `text` to the regular file at `path`, made when absent, and tightens it to mode 0600 first. Refuses symlinks. What cannot be written whole is taken back. */
export function appendPrivate(path: string, text: string): void {
  const fd = guarded(path, () =>
    openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | NOFOLLOW | NONBLOCK, 0o600),
  );
  try {
    requireFile(fd, path);
    guarded(path, () => {
      fchmodSync(fd, 0o600);
      const { size } = fstatSync(fd);
      const bytes = Buffer.from(text, 'utf8');
      let at = 0;
      try {
        while (at < bytes.length) at += writeSync(fd, bytes, at);
        fsyncSync(fd);
      } catch (cause) {
        // Another process may have written behind it.
        if (fstatSync(fd).size === size + at) ftruncateSync(fd, size);
        throw cause;
      }
    });
  } finally {
    closeSync(fd);
  }
  syncFolder(dirname(path));
}

/** Makes `folder` with mode 0700, and takes it from group and others when it was theirs too. */
export function ensurePrivateFolder(folder: string): void {
  guarded(folder, () => {
    makeFolder(folder, 0o700);
    const stat = lstatSync(folder);
    if (stat.isSymbolicLink()) throw symlink(folder);
    if (isExposed(stat.mode)) chmodSync(folder, 0o700);
  });
}

/** Removes the file; true when it was there. A symlink is removed, not what it names. */
export function removePrivate(path: string): boolean {
  try {
    rmSync(path);
  } catch (cause) {
    if (errno(cause) === 'ENOENT' || errno(cause) === 'ENOTDIR') return false;
    throw unusable(path, cause);
  }
  syncFolder(dirname(path));
  return true;
}

/** A lasting name needs its folder on disk as well; not every system and folder lets a user ask for that. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  let fd;
  try {
    fd = openSync(folder, constants.O_RDONLY);
    fsyncSync(fd);
  } catch (cause) {
    if (!['EINVAL', 'ENOTSUP', 'EACCES', 'EPERM'].includes(errno(cause) ?? '')) throw cause;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function openOrNull(path: string, flags: number, mounted: boolean): number | null {
  let fd;
  try {
    // Not blocking: opening a FIFO would otherwise wait for a writer.
    fd = openSync(path, flags | (mounted ? 0 : NOFOLLOW) | NONBLOCK);
  } catch (cause) {
    if (errno(cause) === 'ENOENT' || errno(cause) === 'ENOTDIR') return null;
    throw unusable(path, cause);
  }
  try {
    requireFile(fd, path, mounted);
    return fd;
  } catch (cause) {
    closeSync(fd);
    throw cause;
  }
}

function requireFile(fd: number, path: string, mounted = false): void {
  // Where open cannot refuse a symlink, this does.
  if (!mounted && NOFOLLOW === 0 && lstatSync(path).isSymbolicLink()) throw symlink(path);
  if (!fstatSync(fd).isFile()) throw new Failure('UNREADABLE', `${path} is not a regular file.`);
}

/** Writes the whole text where the file stands. */
export function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text, 'utf8');
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
}

function isExposed(mode: number): boolean {
  return process.platform !== 'win32' && (mode & 0o077) !== 0;
}

function guarded<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw cause instanceof Failure ? cause : unusable(path, cause);
  }
}

function unusable(path: string, cause: unknown): Failure {
  const code = errno(cause);
  if (code === 'ELOOP' || code === 'EMLINK') return symlink(path);
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return fileFailure(path, 'used', cause, { kind: 'KEYSTORE_DENIED' });
  }
  if (code === 'ENOENT')
    return new Failure('NOT_FOUND', `The folder of ${path} does not exist.`, {
      hint: `mkdir -p -m 700 ${shellWord(dirname(path))}`,
      cause,
    });
  return fileFailure(path, 'used', cause);
}

function symlink(path: string): Failure {
  return new Failure('KEYSTORE_DENIED', `${path} is a symbolic link; keys are not kept behind one.`, {
    hint: `name the real file: ${path} leads elsewhere`,
  });
}

function errno(cause: unknown): string | undefined {
  return (cause as NodeJS.ErrnoException).code;
}
