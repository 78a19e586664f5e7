/** Looks at files without opening a key or changing anything. */
import { accessSync, constants, statfsSync, statSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { Failure, shellWord } from '../app/failure.js';
import { assignmentsOf } from './keys/env/dotenv.js';
import { gitKnows, type GitKnowledge } from './keys/env/git.js';
import { MAX_PEM_BYTES, requireEncryptedPem } from './keys/file/pem.js';
import { keyFileAt } from './keys/file/store.js';
import { readPrivate } from './files/secret/private-file.js';
import { secretMounts } from './files/secret/secret-mounts.js';

const MAX_ENV_FILE_BYTES = 1024 * 1024;

/** Fails as the key store would, unless an encrypted key stands there that only this user may read. */
export function requireKeyFile(ref: string, folder: string, env: Readonly<Record<string, string | undefined>>): void {
  const path = keyFileAt(folder, ref);
  const file = readPrivate(path, MAX_PEM_BYTES, secretMounts(env));
  if (file === null) throw new Failure('KEY_NOT_FOUND', `There is no key file ${path}.`);
  if (file.exposed) {
    throw new Failure('KEYSTORE_DENIED', `The key file ${path} can be read or changed by others.`, {
      hint: `chmod 600 ${shellWord(path)}`,
    });
  }
  requireEncryptedPem(file.bytes.toString('latin1'));
}

export interface EnvFileReport {
  readonly exposed: boolean;
  readonly git: GitKnowledge;
}

/** Null when the file does not exist, or holds no `AGENT_PRIVATE_KEY`. */
export async function inspectEnvFile(
  path: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<EnvFileReport | null> {
  const file = readPrivate(path, MAX_ENV_FILE_BYTES, secretMounts(env));
  if (file === null) return null;
  const held = assignmentsOf('AGENT_PRIVATE_KEY', file.bytes.toString('utf8')).some(({ value }) => value !== '');
  return held ? { exposed: file.exposed, git: await gitKnows(path, env) } : null;
}

/** What the group and others may do with a file or folder; null when it does not exist. Windows has no such modes. */
export function othersMay(path: string): { readonly read: boolean; readonly write: boolean } | null {
  const found = statOf(path);
  if (found === undefined) return null;
  const mode = process.platform === 'win32' ? 0 : found.mode;
  return { read: (mode & 0o044) !== 0, write: (mode & 0o022) !== 0 };
}

/** Whether this user could make a file at `path`, whose folders need not exist yet. */
export function isMakeable(path: string): boolean {
  for (let at = dirname(path); ; at = dirname(at)) {
    const found = statOf(at);
    if (found === undefined && dirname(at) !== at) continue;
    if (found?.isDirectory() !== true) return false;
    try {
      accessSync(at, constants.W_OK | constants.X_OK);
      return true;
    } catch {
      return false;
    }
  }
}

/** How much this user may still write on the disk of `path`, in bytes; null where the file system does not say. */
export function bytesLeft(path: string): number | null {
  try {
    const { blocks, bavail, bsize } = statfsSync(path);
    return blocks === 0 ? null : bavail * bsize;
  } catch {
    return null;
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw cause;
  }
}
