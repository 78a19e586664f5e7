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
import type { ApiKeyRecord } from '../../../mesh/access/api-key.js';
import type { PassportMark, RegisteredKey } from '../../../mesh/passports.js';
import { statusAt, type Standing } from '../../../mesh/standing.js';
import { toHex } from '../../../protocol/hex.js';
import type { Random } from '../../../app/ports/state.js';
import { createPrivate, ensurePrivateFolder, readPrivate } from '../../files/secret/private-file.js';
import { Database, utf8 } from '../../sqlite/engine/database.js';
import { readSecretNow } from '../../files/secret/secret-file.js';
import { MESH_APPLICATION_ID } from './schema.js';
import { SqliteMeshStore } from './store.js';

const KEY = 'backup:mesh_key';
const KEY_BYTES = 1024;
const SECRET = { what: 'key of the mesh', most: KEY_BYTES, env: process.env };

/** What is in a backup. */
export interface BackupHead {
  readonly logId: string;
  readonly seq: number;
  readonly term: number;
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
  const seed = readSecretNow(join(folder, 'mesh.key'), SECRET);
  const draft = `${target}.new`;
  rmSync(draft, { force: true });
  // Private from its first byte.
  closeSync(openSync(draft, 'wx', 0o600));
  const store = new Database(path, 5_000);
  try {
    store.exec(`VACUUM INTO '${draft.replaceAll("'", "''")}'`);
  } finally {
    store.close();
  }
  const copy = new Database(draft, 5_000);
  try {
    copy.statement('INSERT OR REPLACE INTO meta VALUES (?, ?)').run([KEY, seed.trim()]);
    const head = headOf(copy);
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
  /** What the store that was there held and the backup does not. */
  readonly beyond: Beyond;
}

/** What happened to a mesh after it was backed up. */
export interface Beyond {
  /** The later standings of each subject. */
  readonly standings: readonly Standing[];
  /** The later passport of each agent; those without a serial were withdrawn. */
  readonly passports: readonly PassportMark[];
  /** API keys that were revoked, and are in force again. */
  readonly revokedKeys: readonly ApiKeyRecord[];
  /** API keys that were made, and are unknown after the restore. */
  readonly madeKeys: readonly ApiKeyRecord[];
  /** Principals' keys that were registered. */
  readonly added: readonly RegisteredKey[];
  /** Principals' keys that were taken off, and are registered again. */
  readonly removed: readonly RegisteredKey[];
}

/** What a store holds that is compared. */
interface Held {
  readonly term: number;
  readonly standings: readonly Standing[];
  readonly passports: readonly PassportMark[];
  readonly keys: readonly ApiKeyRecord[];
  readonly principals: readonly RegisteredKey[];
}

const NOTHING: Omit<Held, 'term'> = { standings: [], passports: [], keys: [], principals: [] };

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
  rmSync(draft, { force: true });
  copyFileSync(file, draft);
  chmodSync(draft, 0o600);
  const seed = unpack(draft, file);
  const before = await openBefore(path);
  const term = Math.max(before?.term ?? 0, headIn(draft).term) + 1;
  let moved: string | null = null;
  if (before !== null) {
    moved = `${path}.before-${toHex(random(4))}`;
    for (const end of ['', '-wal', '-shm']) if (existsSync(path + end)) renameSync(path + end, moved + end);
  }
  const keyPath = join(folder, 'mesh.key');
  const known = readPrivate(keyPath, KEY_BYTES);
  if (known === null) createPrivate(keyPath, `${seed}\n`, toHex(random(6)));
  else if (known.bytes.toString('latin1').trim() !== seed) {
    throw new Failure('STATE', `${keyPath} is the key of another mesh than the one in ${file}. Nothing was restored.`, {
      hint: 'restore into an empty folder: --data <dir>',
    });
  }
  renameSync(draft, path);
  const store = new SqliteMeshStore(path, () => '');
  try {
    await store.raiseTerm(term);
    const { logId, seq } = await store.head();
    return { logId, seq, term, moved, beyond: beyondOf(before ?? NOTHING, await heldBy(store)) };
  } finally {
    await store.close();
  }
}

/** Denies first: what must be given again comes before what only may be. */
export function byUrgency(standings: readonly Standing[], now: number): readonly Standing[] {
  const rank = (standing: Standing): number => (statusAt(standing, now) === 'active' ? 1 : 0);
  return [...standings].sort((a, b) => rank(a) - rank(b) || a.seq - b.seq);
}

/** The mesh's key in a backup; null where the file is none. */
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
    const seed =
      application === MESH_APPLICATION_ID
        ? copy.query(['text'], `SELECT ${utf8('value')} FROM meta WHERE name = ?`).first([KEY])?.[0]
        : undefined;
    if (seed === undefined)
      throw new Failure('STATE', `${file} is no backup of a mesh.`, {
        hint: `aip mesh backup ${shellWord(file)} makes one`,
      });
    copy.statement('DELETE FROM meta WHERE name = ?').run([KEY]);
    copy.exec('PRAGMA journal_mode = WAL');
    return seed;
  } catch (error) {
    copy.close();
    rmSync(draft, { force: true });
    throw error;
  } finally {
    copy.close();
  }
}

function headIn(path: string): BackupHead {
  const database = new Database(path, 5_000);
  try {
    return headOf(database);
  } finally {
    database.close();
  }
}

function headOf(database: Database): BackupHead {
  const meta = database.query(['text'], `SELECT ${utf8('value')} FROM meta WHERE name = ?`);
  const [seq] = database.query(['number'], 'SELECT coalesce(max(seq), 0) FROM events').first([])!;
  return { logId: meta.first(['log_id'])?.[0] ?? '', seq, term: Number(meta.first(['term'])?.[0] ?? 1) };
}

/** The store that is there, which no server may have open; null where there is none that can be read. */
async function openBefore(path: string): Promise<Held | null> {
  if (!existsSync(path)) return null;
  const store = new SqliteMeshStore(path, () => '');
  try {
    return await heldBy(store);
  } finally {
    await store.close();
  }
}

async function heldBy(store: SqliteMeshStore): Promise<Held> {
  const { standings } = await store.snapshot();
  const [passports, keys, principals] = [store.passports.marks(), store.keys.list(), store.principals.list(null)];
  return {
    term: store.term,
    standings,
    passports: await passports,
    keys: await keys,
    principals: await principals,
  };
}

function beyondOf(before: Omit<Held, 'term'>, now: Held): Beyond {
  const seqs = new Map<string, number>(now.standings.map(({ subject, seq }) => [subject, seq]));
  const marks = new Map<string, number>(now.passports.map(({ agent, seq }) => [agent, seq]));
  const keys = new Map(now.keys.map((key) => [key.keyId, key]));
  const nameOf = ({ did, publicKey }: RegisteredKey): string => `${did} ${publicKey}`;
  const [then, since] = [before, now].map(({ principals }) => new Set(principals.map(nameOf)));
  const compared = before !== NOTHING;
  return {
    standings: before.standings.filter(({ subject, seq }) => seq > (seqs.get(subject) ?? 0)),
    passports: before.passports.filter(({ agent, seq }) => seq > (marks.get(agent) ?? 0)),
    revokedKeys: before.keys.filter(
      ({ keyId, revokedAt }) => revokedAt !== null && keys.get(keyId)?.revokedAt === null,
    ),
    madeKeys: before.keys.filter(({ keyId, revokedAt }) => revokedAt === null && !keys.has(keyId)),
    added: before.principals.filter((one) => !since!.has(nameOf(one))),
    removed: compared ? now.principals.filter((one) => !then!.has(nameOf(one))) : [],
  };
}
