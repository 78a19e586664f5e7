/** A mesh in one private file: its store and the key that it signs with; and back, as a new history of the same log. */
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { Failure, shellWord } from '../../../app/failure.js';
import { beyondOf, holdingsOf, type Beyond, type MeshHoldings } from '../../../mesh/log/beyond.js';
import { looksLikeKeyAddress, type KeyAddressText } from '../../../protocol/identity/key-address.js';
import { toHex } from '../../../protocol/hex.js';
import type { Random } from '../../../app/ports/state.js';
import { createPrivate, ensurePrivateFolder, readPrivate } from '../../files/secret/private-file.js';
import { Database, utf8 } from '../../sqlite/engine/database.js';
import { FOLLOWS } from '../server/data-folder.js';
import { movedAside } from '../server/first-start.js';
import { MAX_MESH_KEY_BYTES, readMeshKey } from '../server/mesh-key-file.js';
import { MESH_APPLICATION_ID, MESH_SCHEMA_VERSION } from './schema.js';
import { lockStore } from './store-file.js';
import { SqliteMeshStore } from './store.js';

const KEY = 'backup:mesh_key';

/** What is in a backup. */
export interface BackupHead {
  readonly logId: string;
  readonly seq: number;
  readonly term: number;
  /** Where the mesh's key is asked; null where the backup holds it. */
  readonly keyAddress: KeyAddressText | null;
  /** The term in which the mesh has gone on elsewhere; null while it has not. */
  readonly sealedBy: number | null;
}

/** Writes the mesh of `folder` into `target`, mode 0600; the server may run meanwhile. @throws Failure NOT_FOUND, USAGE, STATE */
export function writeBackup(folder: string, target: string, force: boolean): BackupHead {
  const path = join(folder, 'mesh.db');
  if (!existsSync(path))
    throw new Failure('NOT_FOUND', `There is no mesh in ${folder}.`, { hint: '--data <dir> names another folder' });
  if (existsSync(target) && !force)
    throw new Failure('USAGE', `${target} exists, and may be the only backup.`, {
      hint: 'name another file, or give --force',
    });
  const seed = readMeshKey(join(folder, 'mesh.key'));
  const draft = `${target}.new`;
  rmSync(draft, { force: true });
  // Private from its first byte.
  closeSync(openSync(draft, 'wx', 0o600));
  const store = new Database(path, 5_000);
  try {
    store.copyInto(draft);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  } finally {
    store.close();
  }
  const copy = new Database(draft, 5_000);
  try {
    copy.statement('INSERT OR REPLACE INTO meta VALUES (?, ?)').run([KEY, seed]);
    const head = { ...headOf(copy), keyAddress: addressIn(seed) };
    copy.close();
    renameSync(draft, target);
    return head;
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/** What a restore has made, and what it could not know. */
export interface Restored extends BackupHead {
  /** Where the store that was there was moved; null where there was none. */
  readonly moved: string | null;
  /** False where there was none that could be read. */
  readonly compared: boolean;
  /** What the store that was there held and the backup does not. */
  readonly beyond: Beyond;
}

/**
 * Puts the mesh of a backup into `folder`, under a greater term: a history of its own, so that no client takes it for the one that it
 * followed. What was there is moved aside. @throws Failure NOT_FOUND, STATE (a server has it, or the file is no backup)
 */
export async function restoreBackup(file: string, folder: string, random: Random): Promise<Restored> {
  if (statSync(file, { throwIfNoEntry: false }) === undefined)
    throw new Failure('NOT_FOUND', `There is no file ${file}.`);
  ensurePrivateFolder(folder);
  const path = join(folder, 'mesh.db');
  const draft = `${path}.restoring`;
  const release = lockStore(path);
  try {
    // Of a restore that was broken off: its draft tells whose the write-ahead log is.
    const aside = existsSync(path) ? null : wholeAside(folder);
    removeDraft(draft);
    copyFileSync(file, draft);
    chmodSync(draft, 0o600);
    return await restoreDraft({ draft, file, folder, path, aside }, random);
  } finally {
    removeDraft(draft);
    release();
  }
}

/** The store that a restore moved aside before it was broken off, with its write-ahead log; null where there is none. */
function wholeAside(folder: string): string | null {
  const moved = movedAside(folder);
  if (moved === null) return null;
  const aside = join(folder, moved.name);
  if (moved.wal === 'stayed') renameSync(join(folder, 'mesh.db-wal'), `${aside}-wal`);
  return aside;
}

function removeDraft(draft: string): void {
  for (const end of ['', '-wal', '-shm']) rmSync(draft + end, { force: true });
}

interface Restoring {
  readonly draft: string;
  readonly file: string;
  readonly folder: string;
  readonly path: string;
  /** The store that was there, where a restore that was broken off has moved it already. */
  readonly aside: string | null;
}

async function restoreDraft({ draft, file, folder, path, aside }: Restoring, random: Random): Promise<Restored> {
  const seed = unpack(draft, file);
  // Whatever refuses comes before the store that is there is touched: without it, the next start would begin an empty mesh.
  const keyPath = join(folder, 'mesh.key');
  const known = readPrivate(keyPath, MAX_MESH_KEY_BYTES);
  if (known !== null && known.bytes.toString('latin1').trim() !== seed)
    throw new Failure('STATE', `${keyPath} is the key of another mesh than the one in ${file}. Nothing was restored.`, {
      hint: 'restore into an empty folder: --data <dir>',
    });
  const before = await heldBefore(aside ?? path);
  if (before !== null && before.sealedBy !== null)
    throw new Failure(
      'STATE',
      `The mesh in ${folder} is sealed: it has gone on elsewhere, in term ${before.sealedBy}. Nothing was restored.`,
      {
        hint: 'follow it there: aip mesh serve --follow <url>; where that one is lost: aip mesh promote, or restore into an empty folder',
      },
    );
  if (before !== null && before.follows !== '')
    throw new Failure(
      'STATE',
      `The mesh in ${folder} follows ${before.follows}: put back here it would be a second home beside that one. Nothing was restored.`,
      {
        hint: 'restore at home, or into an empty folder; where home is lost, what is here is newer: aip mesh promote --mesh-key-file <backup>',
      },
    );
  // Before anything is moved: a restore that a full disk ends is repeated, and tells then what must be given again.
  const beyond = beyondOf(before, await holdingsAt(draft));
  const head = newHistory(draft, before?.term ?? 0);
  if (known === null) createPrivate(keyPath, `${seed}\n`, toHex(random(6)));
  // From here on only names change: where it ends between two of them, no server starts, and another restore goes on.
  const moved = `${path}.before-${toHex(random(4))}`;
  const there = existsSync(path);
  for (const end of ['', '-wal', '-shm']) if (existsSync(path + end)) renameSync(path + end, moved + end);
  renameSync(draft, path);
  const compared = before !== null;
  return { ...head, keyAddress: addressIn(seed), moved: there ? moved : aside, compared, beyond };
}

/** Makes the draft a history of its own, under a term above `least` and all that it knows itself. */
function newHistory(draft: string, least: number): Omit<BackupHead, 'keyAddress'> {
  const database = new Database(draft, 5_000);
  try {
    const head = headOf(database);
    const term = Math.max(least, head.term, head.sealedBy ?? 0) + 1;
    database.statement('INSERT OR REPLACE INTO meta VALUES (?, ?)').run(['term', String(term)]);
    database.exec("DELETE FROM meta WHERE name = 'sealed_by'");
    // At last: until then each write goes into the file itself, which is renamed without a log beside it.
    database.exec('PRAGMA journal_mode = WAL');
    return { ...head, term, sealedBy: null };
  } finally {
    database.close();
  }
}

/** The mesh's key in a backup; null where the file is no backup. */
export function keyInBackup(path: string): string | null {
  const head = Buffer.alloc(16);
  const file = openSync(path, 'r');
  try {
    readSync(file, head, 0, 16, 0);
  } finally {
    closeSync(file);
  }
  if (!head.toString('latin1').startsWith('SQLite format 3')) return null;
  const copy = new Database(path, 5_000);
  try {
    return copy.query(['text'], `SELECT ${utf8('value')} FROM meta WHERE name = ?`).first([KEY])?.[0] ?? null;
  } finally {
    copy.close();
  }
}

/** The key in a backup, which is taken out of the copy. */
function unpack(draft: string, file: string): string {
  const copy = new Database(draft, 5_000);
  try {
    const [application] = copy.query(['number'], 'PRAGMA application_id').first([])!;
    const [version] = copy.query(['number'], 'PRAGMA user_version').first([])!;
    if (application === MESH_APPLICATION_ID && version > MESH_SCHEMA_VERSION)
      throw new Failure('STATE', `${file} was written by a newer aip. Nothing was restored.`, {
        hint: 'upgrade this machine first: aip help upgrade',
      });
    const seed =
      application === MESH_APPLICATION_ID
        ? copy.query(['text'], `SELECT ${utf8('value')} FROM meta WHERE name = ?`).first([KEY])?.[0]
        : undefined;
    if (seed === undefined)
      throw new Failure('STATE', `${file} is no backup of a mesh.`, {
        hint: `aip mesh backup ${shellWord(file)} makes one`,
      });
    copy.statement('DELETE FROM meta WHERE name = ?').run([KEY]);
    return seed;
  } catch (error) {
    copy.close();
    rmSync(draft, { force: true });
    throw error;
  } finally {
    copy.close();
  }
}

const addressIn = (text: string): KeyAddressText | null => (looksLikeKeyAddress(text) ? text : null);

function headOf(database: Database): Omit<BackupHead, 'keyAddress'> {
  const meta = database.query(['text'], `SELECT ${utf8('value')} FROM meta WHERE name = ?`);
  const [seq] = database.query(['number'], 'SELECT coalesce(max(seq), 0) FROM events').first([])!;
  const [term, sealed] = [meta.first(['term'])?.[0] ?? 1, meta.first(['sealed_by'])?.[0]];
  const sealedBy = sealed === undefined ? null : Number(sealed);
  return { logId: meta.first(['log_id'])?.[0] ?? '', seq, term: Number(term), sealedBy };
}

interface HeldBefore extends MeshHoldings {
  /** The home that it follows; empty of one that is home. */
  readonly follows: string;
}

/** What the store at `path` holds; null where there is none, or it cannot be read: what is damaged is what a backup is for. */
async function heldBefore(path: string): Promise<HeldBefore | null> {
  if (!existsSync(path)) return null;
  try {
    return await holdingsAt(path);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'STATE') throw error;
    return null;
  }
}

async function holdingsAt(path: string): Promise<HeldBefore> {
  const store = new SqliteMeshStore(path, () => '', { shared: true, withLogs: false });
  try {
    return { ...(await holdingsOf(store)), follows: (await store.notes.get(FOLLOWS)) ?? '' };
  } finally {
    await store.close();
  }
}
