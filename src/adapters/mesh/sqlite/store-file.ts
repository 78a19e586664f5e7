/** The file of a mesh store: made whole or not at all, opened by one server at a time. */
import { closeSync, existsSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { Failure } from '../../../app/failure.js';
import { makeFolder } from '../../files/folders.js';
import { flush } from '../../sqlite/file/create.js';
import { isTakenLock, lockFile } from '../../sqlite/file/lock.js';
import { Database } from '../../sqlite/engine/database.js';
import { MESH_APPLICATION_ID, MESH_SCHEMA, UPGRADES, MESH_SCHEMA_VERSION } from './schema.js';

export interface OpenedStore {
  readonly database: Database;
  /** Lets the next server in. */
  release(): void;
}

/**
 * Opens the store at `path`, making it when there is none. Fails with STATE when another server has it open; a `shared` opening asks for
 * no lock and stands beside others.
 */
export function openStoreFile(path: string, newLogId: () => string, shared: boolean): OpenedStore {
  makeFolder(dirname(path), 0o700);
  const release = shared ? () => undefined : lockStore(path);
  try {
    const bytes = statSync(path, { throwIfNoEntry: false })?.size;
    // An emptied file must not become a log without revocations.
    if (bytes === 0) throw unusableStore(path, 'is empty');
    if (bytes === undefined) {
      if (existsSync(`${path}-wal`)) throw unusableStore(path, 'is gone, but its write-ahead log is there');
      create(path, newLogId());
    }
    return { database: checked(new Database(path, 5_000), path), release };
  } catch (error) {
    release();
    throw error;
  }
}

/** The connection, when it is to a mesh's store that is written durably; closed otherwise. */
function checked(database: Database, path: string): Database {
  try {
    const [application] = database.query(['number'], 'PRAGMA application_id').first([])!;
    const [version] = database.query(['number'], 'PRAGMA user_version').first([])!;
    if (application !== MESH_APPLICATION_ID) throw unusableStore(path, 'is not a mesh store');
    if (version > MESH_SCHEMA_VERSION) throw unusableStore(path, 'was written by a newer aip');
    const upgrade = UPGRADES[version];
    if (upgrade !== undefined) database.exec(upgrade);
    // FULL: the log reaches the disk before a commit returns, which is what an operator is told.
    database.exec('PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;');
    const [synchronous] = database.query(['number'], 'PRAGMA synchronous').first([])!;
    if (synchronous !== 2) throw unusableStore(path, 'cannot be written durably');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Holds the lock beside the store, which itself stays readable for backups. @throws Failure STATE */
export function lockStore(path: string): () => void {
  try {
    return lockFile(`${path}.lock`);
  } catch (error) {
    if (!isTakenLock(error)) throw error;
    throw new Failure('STATE', `Another server has the mesh store ${path} open. Nothing was changed.`, {
      hint: 'end it first, or serve from another folder: aip mesh serve --data <dir>',
      cause: error,
    });
  }
}

function create(path: string, logId: string): void {
  const draft = `${path}.new`;
  rmSync(draft, { force: true });
  closeSync(openSync(draft, 'wx', 0o600));
  const database = new Database(draft, 0);
  database.exec(`BEGIN; ${MESH_SCHEMA} INSERT INTO meta VALUES ('log_id', '${logId}'), ('term', '1'); COMMIT;`);
  database.exec('PRAGMA journal_mode = WAL;');
  database.close();
  flush(draft, 'r+');
  renameSync(draft, path);
  if (process.platform !== 'win32') flush(dirname(path), 'r');
}

export function unusableStore(path: string, why: string): Failure {
  return new Failure('STATE', `The mesh store ${path} ${why}. Nothing was changed.`, {
    hint: 'restore it from a backup; without one, serve from a new folder and revoke again what must stay revoked',
  });
}
