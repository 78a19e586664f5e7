/**
 * This machine's copy of the mesh's state, in the state file beside what it decides: verification reads the table `standing`,
 * which holds for each subject the strongest of what the mesh says, what must not be forgotten, and what was set here alone.
 */
import type { CopyChange, KeptCopy, MeshCopy } from '../../app/mesh-ports.js';
import type { Random } from '../../app/ports.js';
import type { KeptDeny } from '../../mesh/client/copy.js';
import { isHash, isLogId, type Head } from '../../mesh/head.js';
import type { Standing, Status } from '../../mesh/standing.js';
import { sha256 } from '../../protocol/hash.js';
import { fromHex, toHex } from '../../protocol/hex.js';
import { ensureStateFile } from '../sqlite/create.js';
import { StandingMarks } from '../sqlite/standing-marks.js';
import { Database, text, type Row, type Value } from '../sqlite/database.js';

const STANDING = ['text', 'text', 'text?', 'number', 'text?', 'number?', 'number', 'number'] as const;
const COLUMNS = 'subject, status, reason, changed_at, changed_by, suspended_until, version, seq';
const READ = `${text('subject')}, ${text('status')}, ${text('reason')}, changed_at, ${text('changed_by')}, suspended_until, version, seq`;

const TABLE = `(
  subject TEXT PRIMARY KEY,
  status TEXT NOT NULL,
  reason TEXT,
  changed_at INTEGER NOT NULL,
  changed_by TEXT,
  suspended_until INTEGER,
  version INTEGER NOT NULL,
  seq INTEGER NOT NULL`;

const SCHEMA = `
BEGIN IMMEDIATE;
-- How far the mesh's log was applied; digest covers the place and every standing, so that damage is noticed.
CREATE TABLE IF NOT EXISTS mesh_copy (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  mesh_key TEXT NOT NULL,
  log_id TEXT NOT NULL,
  term INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  hash TEXT NOT NULL,
  rows_digest TEXT NOT NULL,
  digest TEXT NOT NULL,
  proven_at INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS mesh_standings ${TABLE}) STRICT, WITHOUT ROWID;
-- Denies beside the fold: it covers them from seq kept_until on, or never.
CREATE TABLE IF NOT EXISTS mesh_kept ${TABLE}, kept_until INTEGER) STRICT, WITHOUT ROWID;
-- What was set on this machine alone.
CREATE TABLE IF NOT EXISTS local_standings ${TABLE}) STRICT, WITHOUT ROWID;
COMMIT;
`;

const BUSY_MS = 5_000;

/** Opens the copy in the state file at `path`, making the file where there is none. `meshKey`: the pinned key, or null without a mesh. */
export function openLocalCopy(path: string, meshKey: string | null, random: Random): LocalCopy {
  ensureStateFile(path, random);
  const database = new Database(path, BUSY_MS);
  try {
    return new LocalCopy(database, meshKey);
  } catch (error) {
    database.close();
    throw error;
  }
}

export class LocalCopy implements MeshCopy {
  readonly #database: Database;
  readonly #meshKey: string | null;
  readonly #sql: ReturnType<typeof statements>;
  readonly #marks: StandingMarks;

  constructor(database: Database, meshKey: string | null) {
    this.#database = database;
    this.#meshKey = meshKey;
    const tables = database.query(['number'], "SELECT count(*) FROM sqlite_schema WHERE name = 'local_standings'");
    if (tables.first([])![0] === 0) database.exec(SCHEMA);
    database.exec('PRAGMA synchronous = NORMAL');
    this.#sql = statements(database);
    this.#marks = new StandingMarks(database);
  }

  load(): KeptCopy | null {
    const row = this.#sql.copy.first([]);
    if (row === undefined || this.#meshKey === null) return null;
    const [meshKey, logId, term, seq, hash, rowsDigest, digest] = row;
    if (meshKey !== this.#meshKey || !isLogId(logId) || !isHash(hash)) return null;
    const position = { logId, term, seq, hash };
    const standings = this.#sql.meshAll.all([]).map(standingOf);
    const kept = this.#sql.keptAll.all([]).map(keptOf);
    const sound = [...standings, ...kept.map((deny) => deny.standing)].every(isSound);
    const rows = new RowsDigest();
    for (const standing of standings) rows.toggle(standing);
    if (!sound || rows.text !== rowsDigest || digestOf(meshKey, position, rowsDigest, kept) !== digest) return null;
    return { position, standings, kept };
  }

  save({ position, whole, standings, kept }: CopyChange): void {
    const meshKey = this.#meshKey;
    if (meshKey === null) throw new Error('a copy without a mesh');
    this.#database.transact(() => {
      const before = whole ? undefined : this.#sql.copy.first([]);
      const rows = new RowsDigest(before?.[5]);
      const touched = new Set<string>();
      for (const [subject] of this.#sql.keptSubjects.all([])) touched.add(subject);
      if (whole) this.#sql.forgetMesh.run([]);
      for (const standing of standings) {
        const old = whole ? null : this.#row(this.#sql.mesh, standing.subject);
        if (old !== null) rows.toggle(old);
        rows.toggle(standing);
        this.#sql.putMesh.run(valuesOf(standing));
        touched.add(standing.subject);
      }
      this.#sql.forgetKept.run([]);
      for (const { standing, until } of kept) {
        this.#sql.putKept.run([...valuesOf(standing), until]);
        touched.add(standing.subject);
      }
      const provenAt = this.#sql.proven.first([])?.[0] ?? null;
      const digest = digestOf(meshKey, position, rows.text, kept);
      const { logId, term, seq, hash } = position;
      this.#sql.putCopy.run([meshKey, logId, term, seq, hash, rows.text, digest, provenAt]);
      if (whole) this.#deriveAll(standings);
      else for (const subject of touched) this.#derive(subject);
    });
  }

  prove(wall: number): void {
    this.#sql.prove.run([checkedTime(Math.floor(wall))]);
  }

  provenAt(): number | null {
    const row = this.#sql.copy.first([]);
    const proven = row === undefined || row[0] !== this.#meshKey ? null : (this.#sql.proven.first([])?.[0] ?? null);
    return proven === null ? null : timeOf(proven);
  }

  setLocal(standing: Standing): void {
    this.#database.transact(() => {
      this.#sql.putLocal.run(valuesOf(standing));
      this.#derive(standing.subject);
    });
  }

  local(subject: string): Standing | null {
    return this.#row(this.#sql.local, subject);
  }

  kept(subject: string): Standing | null {
    return this.#row(this.#sql.keptForGood, subject);
  }

  anticipate({ standing, until }: KeptDeny): void {
    this.#database.transact(() => {
      const row = this.#sql.copy.first([]);
      const mine = row !== undefined && row[0] === this.#meshKey;
      if (mine && until !== null && row[3] >= until) return;
      const before = this.#sql.keptAll.all([]).map(keptOf);
      this.#sql.putKept.run([...valuesOf(standing), until]);
      if (mine) {
        const [meshKey, logId, term, seq, hash, rowsDigest, digest] = row;
        const position = { logId, term, seq, hash };
        // Damage must stay visible: a digest that did not hold is not replaced by one that does.
        if (digestOf(meshKey, position, rowsDigest, before) === digest) {
          const after = this.#sql.keptAll.all([]).map(keptOf);
          const provenAt = this.#sql.proven.first([])?.[0] ?? null;
          const next = digestOf(meshKey, position, rowsDigest, after);
          this.#sql.putCopy.run([meshKey, logId, term, seq, hash, rowsDigest, next, provenAt]);
        }
      }
      this.#derive(standing.subject);
    });
  }

  standing(subject: string): Standing | null {
    const { mesh, kept, local } = this.#sql;
    return strongest([this.#row(mesh, subject), this.#row(kept, subject), this.#row(local, subject)]);
  }

  close(): void {
    this.#database.close();
  }

  #row(query: { first(values: readonly Value[]): Row<typeof STANDING> | undefined }, subject: string): Standing | null {
    const row = query.first([subject]);
    return row === undefined ? null : standingOf(row);
  }

  #derive(subject: string): void {
    const standing = this.standing(subject);
    if (standing === null) {
      this.#sql.forgetDerived.run([subject]);
      this.#marks.drop(subject);
    } else {
      this.#sql.putDerived.run(valuesOf(standing).slice(0, 7));
      this.#marks.put(standing);
    }
  }

  #deriveAll(standings: readonly Standing[]): void {
    this.#sql.forgetAllDerived.run([]);
    this.#sql.deriveMesh.run([]);
    this.#marks.dropAll();
    for (const standing of standings) this.#marks.put(standing);
    for (const [subject] of this.#sql.besideMesh.all([])) this.#derive(subject);
  }
}

/** The one that denies most; what the mesh says, when none denies more. */
function strongest(standings: readonly (Standing | null)[]): Standing | null {
  let best: Standing | null = null;
  for (const standing of standings) {
    if (standing !== null && (best === null || weight(standing) > weight(best))) best = standing;
  }
  return best;
}

function weight({ status, suspendedUntil }: Standing): number {
  return status === 'revoked' ? Infinity : status === 'suspended' ? (suspendedUntil ?? Number.MAX_VALUE) : -1;
}

/** A digest of a set of standings that one standing more or less changes at little cost: the sum, bit by bit, of all hashes. */
class RowsDigest {
  readonly #sum: Uint8Array;

  constructor(text?: string) {
    this.#sum = (text === undefined ? null : fromHex(text)) ?? new Uint8Array(32);
  }

  get text(): string {
    return toHex(this.#sum);
  }

  toggle(standing: Standing): void {
    const hash = sha256(JSON.stringify(valuesOf(standing)));
    for (let i = 0; i < 32; i++) this.#sum[i]! ^= hash[i]!;
  }
}

function digestOf(meshKey: string, position: Head, rows: string, kept: readonly KeptDeny[]): string {
  const { logId, term, seq, hash } = position;
  const denies = kept.map(({ standing, until }) => [...valuesOf(standing), until]);
  denies.sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
  return toHex(sha256(JSON.stringify([meshKey, logId, term, seq, hash, rows, denies])));
}

/** With the time's remainder in the last ten bits: a flipped byte must not make an old copy look new. */
const CHECK = 1021;

function checkedTime(ms: number): number {
  return ms * 1024 + (ms % CHECK);
}

function timeOf(checked: number): number | null {
  const ms = Math.floor(checked / 1024);
  return ms >= 0 && checked === checkedTime(ms) ? ms : null;
}

function valuesOf(standing: Standing): Value[] {
  const { subject, status, reason, changedAt, changedBy, suspendedUntil, version, seq } = standing;
  return [subject, status, reason, changedAt, changedBy, suspendedUntil, version, seq];
}

function standingOf(row: Row<typeof STANDING>): Standing {
  const [subject, status, reason, changedAt, changedBy, suspendedUntil, version, seq] = row;
  return { subject, status: status as Status, reason, changedAt, changedBy, suspendedUntil, version, seq };
}

function keptOf(row: [...Row<typeof STANDING>, number | null]): KeptDeny {
  const [subject, status, reason, changedAt, changedBy, suspendedUntil, version, seq, until] = row;
  return { standing: standingOf([subject, status, reason, changedAt, changedBy, suspendedUntil, version, seq]), until };
}

function isSound({ status }: Standing): boolean {
  return status === 'active' || status === 'suspended' || status === 'revoked';
}

function statements(database: Database) {
  const one = (table: string, and = '') =>
    database.query(STANDING, `SELECT ${READ} FROM ${table} WHERE subject = ? ${and}`);
  const put = (table: string, marks: string) => database.statement(`INSERT OR REPLACE INTO ${table} VALUES (${marks})`);
  return {
    copy: database.query(
      ['text', 'text', 'number', 'number', 'text', 'text', 'text'],
      `SELECT ${['mesh_key', 'log_id'].map(text).join()}, term, seq, ${['hash', 'rows_digest', 'digest'].map(text).join()} FROM mesh_copy`,
    ),
    putCopy: put('mesh_copy', '1, ?, ?, ?, ?, ?, ?, ?, ?'),
    proven: database.query(['number?'], 'SELECT proven_at FROM mesh_copy'),
    prove: database.statement('UPDATE mesh_copy SET proven_at = ?'),
    mesh: one('mesh_standings'),
    kept: one('mesh_kept'),
    keptForGood: one('mesh_kept', 'AND kept_until IS NULL'),
    local: one('local_standings'),
    meshAll: database.query(STANDING, `SELECT ${READ} FROM mesh_standings`),
    keptAll: database.query([...STANDING, 'number?'] as const, `SELECT ${READ}, kept_until FROM mesh_kept`),
    keptSubjects: database.query(['text'], `SELECT ${text('subject')} FROM mesh_kept`),
    putMesh: put('mesh_standings', '?, ?, ?, ?, ?, ?, ?, ?'),
    putKept: put('mesh_kept', '?, ?, ?, ?, ?, ?, ?, ?, ?'),
    putLocal: put('local_standings', '?, ?, ?, ?, ?, ?, ?, ?'),
    forgetMesh: database.statement('DELETE FROM mesh_standings'),
    forgetKept: database.statement('DELETE FROM mesh_kept'),
    putDerived: put('standing', '?, ?, ?, ?, ?, ?, ?'),
    forgetDerived: database.statement('DELETE FROM standing WHERE subject = ?'),
    forgetAllDerived: database.statement('DELETE FROM standing'),
    deriveMesh: database.statement(`INSERT INTO standing SELECT ${COLUMNS.replace(', seq', '')} FROM mesh_standings`),
    besideMesh: database.query(
      ['text'],
      `SELECT ${text('subject')} FROM mesh_kept UNION SELECT ${text('subject')} FROM local_standings`,
    ),
  };
}
