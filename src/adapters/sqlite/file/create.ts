import {
  accessSync,
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  linkSync,
  openSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { Random } from '../../../app/ports/state.js';
import { START } from '../../../protocol/log/chain.js';
import { toHex } from '../../../protocol/hex.js';
import { makeFolder } from '../../files/folders.js';
import { Database } from '../engine/database.js';
import { damaged, notAFile, orphaned, requireShort, stateFailure, unfinished } from '../engine/failures.js';
import { STATE_SCHEMA } from './schema.js';

/** Makes sure that a whole state file stands at `path`; the first process makes it. */
export function ensureStateFile(path: string, random: Random): void {
  try {
    requireShort(path);
    // The order matters: the write-ahead log never comes into being before its database does.
    const hasLog = size(`${path}-wal`) !== null;
    const bytes = size(path);
    if (bytes === 0) throw damaged(path); // Filling it would forget every nonce that was spent.
    if (bytes !== null) return;
    if (hasLog) throw orphaned(path);
    makeFolder(dirname(path), 0o700);
    create(path, random);
  } catch (error) {
    throw stateFailure(error, path);
  }
}

/**
 * The state at `path` for a command that changes nothing: as any other where it may be written; else it is opened to be read only, and where there
 * is none, an empty one in memory stands for it. An auditor's account, a `:ro` mount and a backup on a read-only disk answer like the machine itself.
 */
export function openToRead(path: string, random: Random, timeout: number): Database {
  try {
    requireShort(path);
    if (isWritable(path)) {
      ensureStateFile(path, random);
      return new Database(path, timeout);
    }
    const log = size(`${path}-wal`);
    if (size(path) === null) {
      if (log !== null) throw orphaned(path);
      const empty = new Database(path, timeout, { name: ':memory:', readOnly: true });
      empty.exec(`BEGIN; ${contentOf(random)} COMMIT;`);
      return empty;
    }
    if (log !== null && log > 0 && size(`${path}-shm`) === null) throw unfinished(path);
    // With a log beside it others may be writing, and SQLite follows them. Without one there is no other writer: no file need be made to see that.
    const uri = `file:${path.replace(/[%?#]/g, encodeURIComponent)}?${log === null || log === 0 ? 'immutable=1' : 'mode=ro'}`;
    return new Database(path, timeout, { name: uri, readOnly: true });
  } catch (error) {
    throw stateFailure(error, path);
  }
}

/** An empty state in memory, gone when it is closed: for what is only tried. */
export function openThrowaway(random: Random): Database {
  const empty = new Database('in memory', 0, { name: ':memory:', readOnly: false });
  empty.exec(`BEGIN; ${contentOf(random)} COMMIT;`);
  return empty;
}

/** Whether this user may write the file, or could make it, with the files that SQLite puts beside it. */
function isWritable(path: string): boolean {
  const may = (at: string): boolean => {
    try {
      accessSync(at, constants.W_OK);
      return true;
    } catch {
      return false;
    }
  };
  if (statSync(path, { throwIfNoEntry: false }) !== undefined && !may(path)) return false;
  for (let at = dirname(path); ; at = dirname(at)) {
    if (statSync(at, { throwIfNoEntry: false }) !== undefined || dirname(at) === at) return may(at);
  }
}

/** Bytes of the regular file at `path`; null when there is nothing. */
function size(path: string): number | null {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return null;
  if (!found.isFile()) throw notAFile(path);
  return found.size;
}

/**
 * Builds the file under another name and then links it to its place, which only one of many processes can: no process
 * sees a file without tables, and none switches journal modes on a file in use.
 */
function create(path: string, random: Random): void {
  const draft = `${path}.${toHex(random(8))}.new`;
  closeSync(openSync(draft, 'wx', 0o600)); // SQLite would make it readable for all; its side files copy the mode.
  try {
    const database = new Database(draft, 0);
    database.exec(
      `PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN; ${contentOf(random)}
       COMMIT; PRAGMA journal_mode = WAL;`,
    );
    database.close();
    flush(draft, 'r+');
    publish(draft, path);
    if (process.platform !== 'win32') flush(dirname(path), 'r');
  } finally {
    rmSync(draft, { force: true });
  }
}

/** The tables, and what a new state holds. */
function contentOf(random: Random): string {
  return `${STATE_SCHEMA}
       INSERT INTO identity VALUES ('${toHex(random(8))}', '${toHex(random(16))}', x'${toHex(random(32))}', 0);
       INSERT INTO head VALUES (1, ${START.seq}, '${START.hash}', ${START.seq}, '${START.hash}', 0, 0, 0, 0, 0, 0, 0);`;
}

function publish(draft: string, path: string): void {
  try {
    linkSync(draft, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    // File systems without hard links (exFAT, some mounts).
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'ENOSYS') throw error;
    copyFileSync(draft, path, constants.COPYFILE_EXCL);
  }
}

/** Puts the file or folder at `path` on the disk. `flags`: how it is opened, a file to be written, for Windows flushes no other. */
export function flush(path: string, flags: 'r' | 'r+'): void {
  const file = openSync(path, flags);
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
