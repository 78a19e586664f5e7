/**
 * What V8 made of the program, kept between runs: taking that up instead of compiling again is most of the time of a short command.
 * It is made on the machine and by the user who runs it, and no package ships any: V8 runs a compiled form without a look at the
 * source beside it. Whatever goes wrong here ends in compiling as ever, and is told by `aip doctor` alone.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';

/** What a compiled form is good for: any other value of any member makes another one. */
export interface FormKey {
  /** The command's words with hyphens: a form holds what running that command compiled. */
  readonly command: string;
  /** SHA-256 of the program's text in hex, computed when the package was built. */
  readonly source: string;
  /** Size and time of change of the file the program is in, for one that was edited after it was built. */
  readonly file: string;
  /** `process.version`. */
  readonly node: string;
  readonly arch: string;
  /** Options of node, which may be some of V8's; empty for none. */
  readonly flags: string;
}

export interface Form {
  readonly bytes: Buffer;
  /** False when the run that made it did not go through: a later one that does makes a better one. */
  readonly whole: boolean;
  /** When it was made, ms. */
  readonly madeAt: number;
}

/** Where forms are kept. */
export interface FormFolder {
  /** The user's own folder of caches, made when it is missing. */
  readonly parent: string;
  readonly path: string;
}

/** The world as values. `uid` is null where users have no numbers. */
export interface FormWorld {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  readonly home: string;
  readonly uid: number | null;
}

/** A form is about 1 MB. */
const MOST_BYTES = 32 * 1024 * 1024;
/** Of all commands, versions and flags together; the oldest make room. */
const MOST_FORMS = 60;
const HASH_BYTES = 32;
/** The hash, and whether the form is whole, filled up: V8 copies a form that does not begin at a multiple of 8. */
const HEAD_BYTES = HASH_BYTES + 8;
/** V8 may refuse a form for reasons that are not in its key, and would again: not more than one new one in this time, ms. */
export const REMAKE_MS = 24 * 3_600_000;

/** Windows knows neither of these; its caches are private by the folder's access list. */
const NOFOLLOW = constants.O_NOFOLLOW ?? 0;
const NONBLOCK = constants.O_NONBLOCK ?? 0;

/** Null where there is no home to keep anything in. */
export function formFolder({ env, platform, home }: FormWorld): FormFolder | null {
  if (platform === 'win32') {
    const local = env['LOCALAPPDATA'];
    return local === undefined || !/^[A-Za-z]:\\/.test(local)
      ? null
      : { parent: `${local}\\aip`, path: `${local}\\aip\\compiled` };
  }
  // XDG Base Directory Specification 0.8: a relative path is invalid and ignored.
  const xdg = env['XDG_CACHE_HOME'];
  const parent = xdg?.startsWith('/')
    ? xdg
    : !home.startsWith('/')
      ? null
      : `${home}/${platform === 'darwin' ? 'Library/Caches' : '.cache'}`;
  return parent === null ? null : { parent, path: `${parent}/aip` };
}

/** The form for `key`; null when there is none that can be believed. */
export function readForm(folder: FormFolder, key: FormKey, uid: number | null): Form | null {
  try {
    if (folderProblem(folder, uid) !== null) return null;
    const file = openSync(`${folder.path}/${nameOf(key)}`, constants.O_RDONLY | NOFOLLOW | NONBLOCK);
    try {
      const stat = fstatSync(file);
      if (!stat.isFile() || !isPrivate(stat, uid) || stat.size <= HEAD_BYTES || stat.size > MOST_BYTES) return null;
      const all = Buffer.allocUnsafe(stat.size);
      for (let at = 0; at < all.length;) {
        const read = readSync(file, all, at, all.length - at, at);
        if (read === 0) return null;
        at += read;
      }
      // V8 checks a length and a few words: it runs a form in which a byte was changed.
      if (!all.subarray(0, HASH_BYTES).equals(hashOf(key, all.subarray(HASH_BYTES)))) return null;
      return { bytes: all.subarray(HEAD_BYTES), whole: all[HASH_BYTES] === 1, madeAt: stat.mtimeMs };
    } finally {
      closeSync(file);
    }
  } catch {
    return null;
  }
}

/** Keeps a form, whole or not at all; false when it cannot be kept. */
export function writeForm(
  folder: FormFolder,
  key: FormKey,
  bytes: Buffer,
  whole: boolean,
  uid: number | null,
): boolean {
  try {
    if (bytes.length + HEAD_BYTES > MOST_BYTES) return false;
    makeFolder(folder.parent);
    makeFolder(folder.path);
    if (folderProblem(folder, uid) !== null) return false;
    const path = `${folder.path}/${nameOf(key)}`;
    const draft = `${path}.${randomBytes(8).toString('hex')}.new`;
    const file = openSync(draft, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | NOFOLLOW, 0o600);
    try {
      try {
        const body = Buffer.concat([Buffer.from([whole ? 1 : 0, 0, 0, 0, 0, 0, 0, 0]), bytes]);
        const all = Buffer.concat([hashOf(key, body), body]);
        for (let at = 0; at < all.length;) at += writeSync(file, all, at);
      } finally {
        closeSync(file);
      }
      renameSync(draft, path);
    } catch {
      unlinkSync(draft);
      return false;
    }
    makeRoom(folder);
    return true;
  } catch {
    return false;
  }
}

/** In words why the folder is not used; null when it is as it must be. Fails with ENOENT where there is none. */
export function folderProblem({ path }: FormFolder, uid: number | null): string | null {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return 'it is a symbolic link';
  if (!stat.isDirectory()) return 'it is not a folder';
  if (uid !== null && stat.uid !== uid) return 'it belongs to another user';
  if (uid !== null && (stat.mode & 0o077) !== 0) return 'others may read or change it';
  return null;
}

/** The commands that have a form for this Node, of any of the programs with the hashes `sources`. */
export function keptForms(folder: FormFolder, key: FormKey, sources: readonly string[]): string[] {
  const ends = sources.map((source) => nameOf({ ...key, command: '', source }));
  return readdirSync(folder.path)
    .flatMap((name) => ends.filter((end) => name.endsWith(end)).map((end) => name.slice(0, -end.length)))
    .sort();
}

function isPrivate(stat: { readonly uid: number; readonly mode: number }, uid: number | null): boolean {
  return uid === null || (stat.uid === uid && (stat.mode & 0o077) === 0);
}

/** One plain mkdir: `recursive` never ends under /proc. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function nameOf({ command, source, node, arch, flags }: FormKey): string {
  const options = flags === '' ? '' : `.${createHash('sha256').update(flags).digest('hex').slice(0, 12)}`;
  return `${command}.${node}-${arch}.${source.slice(0, 16)}${options}.v8`;
}

function hashOf(key: FormKey, body: Buffer): Buffer {
  const { command, source, file, node, arch, flags } = key;
  return createHash('sha256')
    .update(`${JSON.stringify([command, source, file, node, arch, flags])}\n`)
    .update(body)
    .digest();
}

/** Without an end, every upgrade and every flag would leave its forms behind. */
function makeRoom({ path }: FormFolder): void {
  const names = readdirSync(path).filter((name) => /\.(v8|new)$/.test(name));
  if (names.length <= MOST_FORMS) return;
  const byAge = names.map((name) => ({ name, at: statSync(`${path}/${name}`).mtimeMs })).sort((a, b) => a.at - b.at);
  for (const { name } of byAge.slice(0, names.length - MOST_FORMS)) unlinkSync(`${path}/${name}`);
}
