/** The tables of this machine's copy of the mesh's state, in the state file. */
import type { KeptDeny } from '../../../mesh/client/copy.js';
import type { Standing, Status } from '../../../mesh/standing.js';
import { utf8, type Database, type Row, type SqlValue } from '../../sqlite/engine/database.js';

export const STANDING = ['text', 'text', 'text?', 'number', 'text?', 'number?', 'number', 'number'] as const;
const COLUMNS = 'subject, status, reason, changed_at, changed_by, suspended_until, version, seq';
const READ = `${utf8('subject')}, ${utf8('status')}, ${utf8('reason')}, changed_at, ${utf8('changed_by')}, suspended_until, version, seq`;

const TABLE = `(
  subject TEXT PRIMARY KEY,
  status TEXT NOT NULL,
  reason TEXT,
  changed_at INTEGER NOT NULL,
  changed_by TEXT,
  suspended_until INTEGER,
  version INTEGER NOT NULL,
  seq INTEGER NOT NULL`;

export const COPY_SCHEMA = `
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

/** Facts about the copy: who stopped following, by which policy this home decided. Apart from the rest, which older states have. */
export const NOTES = `
CREATE TABLE IF NOT EXISTS mesh_notes (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
-- The passport that the mesh has put in force of each agent.
CREATE TABLE IF NOT EXISTS mesh_passports (
  agent TEXT PRIMARY KEY,
  serial INTEGER NOT NULL,
  hash TEXT NOT NULL,
  seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;`;

export function valuesOf(standing: Standing): SqlValue[] {
  const { subject, status, reason, changedAt, changedBy, suspendedUntil, version, seq } = standing;
  return [subject, status, reason, changedAt, changedBy, suspendedUntil, version, seq];
}

export function standingOf(row: Row<typeof STANDING>): Standing {
  const [subject, status, reason, changedAt, changedBy, suspendedUntil, version, seq] = row;
  return { subject, status: status as Status, reason, changedAt, changedBy, suspendedUntil, version, seq };
}

export function keptOf(row: [...Row<typeof STANDING>, number | null]): KeptDeny {
  const [subject, status, reason, changedAt, changedBy, suspendedUntil, version, seq, until] = row;
  return { standing: standingOf([subject, status, reason, changedAt, changedBy, suspendedUntil, version, seq]), until };
}

export function isSound({ status }: Standing): boolean {
  return status === 'active' || status === 'suspended' || status === 'revoked';
}

const MARK = ['text', 'number', 'text', 'number'] as const;

export function copyStatements(database: Database) {
  const one = (table: string, and = '') =>
    database.query(STANDING, `SELECT ${READ} FROM ${table} WHERE subject = ? ${and}`);
  const put = (table: string, marks: string) => database.statement(`INSERT OR REPLACE INTO ${table} VALUES (${marks})`);
  return {
    marks: database.query(
      MARK,
      `SELECT ${utf8('agent')}, serial, ${utf8('hash')}, seq FROM mesh_passports ORDER BY agent`,
    ),
    putMark: database.statement('INSERT OR REPLACE INTO mesh_passports VALUES (?, ?, ?, ?)'),
    dropMark: database.statement('DELETE FROM mesh_passports WHERE agent = ?'),
    forgetMarks: database.statement('DELETE FROM mesh_passports'),
    // The floors of the mesh are those without the key of an issuer.
    putMeshFloor: database.statement(
      "INSERT OR REPLACE INTO passport_floors (agent_id, issuer_key, serial, hash, raised_at) VALUES (?, '', ?, ?, ?)",
    ),
    dropMeshFloor: database.statement("DELETE FROM passport_floors WHERE agent_id = ? AND issuer_key = ''"),
    forgetMeshFloors: database.statement("DELETE FROM passport_floors WHERE issuer_key = ''"),
    note: database.query(['text'], `SELECT ${utf8('value')} FROM mesh_notes WHERE name = ?`),
    putNote: database.statement('INSERT OR REPLACE INTO mesh_notes VALUES (?, ?)'),
    dropNote: database.statement('DELETE FROM mesh_notes WHERE name = ?'),
    copy: database.query(
      ['text', 'text', 'number', 'number', 'text', 'text', 'text'],
      `SELECT ${['mesh_key', 'log_id'].map(utf8).join()}, term, seq, ${['hash', 'rows_digest', 'digest'].map(utf8).join()} FROM mesh_copy`,
    ),
    putCopy: put('mesh_copy', '1, ?, ?, ?, ?, ?, ?, ?, ?'),
    proven: database.query(['number?'], 'SELECT proven_at FROM mesh_copy'),
    prove: database.statement('UPDATE mesh_copy SET proven_at = ?'),
    mesh: one('mesh_standings'),
    kept: one('mesh_kept'),
    keptForGood: one('mesh_kept', 'AND kept_until IS NULL'),
    local: one('local_standings'),
    stoppedSubjects: database.query(['text'], `SELECT ${utf8('subject')} FROM standing WHERE status <> 'active'`),
    meshAll: database.query(STANDING, `SELECT ${READ} FROM mesh_standings`),
    keptAll: database.query([...STANDING, 'number?'] as const, `SELECT ${READ}, kept_until FROM mesh_kept`),
    keptUntil: database.query(
      ['text', 'number'],
      `SELECT ${utf8('subject')}, kept_until FROM mesh_kept WHERE kept_until <= ?`,
    ),
    keepForGood: database.statement('UPDATE mesh_kept SET kept_until = NULL WHERE subject = ?'),
    forgetOneKept: database.statement('DELETE FROM mesh_kept WHERE subject = ? AND kept_until IS ?'),
    keptSubjects: database.query(['text'], `SELECT ${utf8('subject')} FROM mesh_kept`),
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
      `SELECT ${utf8('subject')} FROM mesh_kept UNION SELECT ${utf8('subject')} FROM local_standings`,
    ),
  };
}
