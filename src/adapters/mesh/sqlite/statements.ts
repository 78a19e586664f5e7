/** The statements of the embedded mesh store, made once for each opening. */
import { utf8, type Database } from '../../sqlite/engine/database.js';

/** Columns of an event. */
export const EVENT = ['number', 'number', 'text', 'text'] as const;
/** Columns of a standing. */
export const SUBJECT = ['text', 'text', 'text?', 'number', 'text?', 'number?', 'number', 'number'] as const;
const SUBJECT_SQL = `${utf8('subject')}, ${utf8('status')}, ${utf8('reason')}, changed_at, ${utf8('changed_by')}, suspended_until, version, seq`;
/** Columns of an API key. */
export const KEY = ['text', 'text', 'text', 'text?', 'text?', 'number', 'number?', 'number?', 'number'] as const;
const KEY_SQL = `${utf8('key_id')}, ${utf8('role')}, ${utf8('hash')}, ${utf8('label')}, ${utf8('public_key')}, created_at, revoked_at, max_verifiers, ephemeral`;

/** Every statement of the store. */
export function storeStatements(database: Database) {
  return {
    meta: database.query(['text'], `SELECT ${utf8('value')} FROM meta WHERE name = ?`),
    setMeta: database.statement(
      'INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
    ),
    dropMeta: database.statement('DELETE FROM meta WHERE name = ?'),
    dataVersion: database.query(['number'], 'PRAGMA data_version'),
    head: database.query(
      ['number', 'number', 'text'],
      `SELECT seq, term, ${utf8('hash')} FROM events ORDER BY seq DESC LIMIT 1`,
    ),
    events: database.query(
      EVENT,
      `SELECT seq, term, ${utf8('hash')}, ${utf8('text')} FROM events WHERE seq > ? ORDER BY seq LIMIT ?`,
    ),
    addEvent: database.statement('INSERT INTO events VALUES (?, ?, ?, ?)'),
    subject: database.query(SUBJECT, `SELECT ${SUBJECT_SQL} FROM subjects WHERE subject = ?`),
    subjects: database.query(SUBJECT, `SELECT ${SUBJECT_SQL} FROM subjects`),
    subjectsAfter: database.query(
      SUBJECT,
      `SELECT ${SUBJECT_SQL} FROM subjects WHERE subject > ? ORDER BY subject LIMIT ?`,
    ),
    putSubject: database.statement('INSERT OR REPLACE INTO subjects VALUES (?, ?, ?, ?, ?, ?, ?, ?)'),
    answer: database.query(['text'], `SELECT ${utf8('body')} FROM answers WHERE cmd_id = ?`),
    addAnswer: database.statement('INSERT INTO answers VALUES (?, ?, ?)'),
    spendNonce: database.statement('INSERT INTO nonces VALUES (?, ?) ON CONFLICT DO NOTHING'),
    oldNonce: database.query(['number'], 'SELECT 1 FROM nonces WHERE keep_until < ? LIMIT 1'),
    pruneNonces: database.statement('DELETE FROM nonces WHERE keep_until < ?'),
    key: database.query(KEY, `SELECT ${KEY_SQL} FROM api_keys WHERE key_id = ?`),
    keys: database.query(KEY, `SELECT ${KEY_SQL} FROM api_keys ORDER BY created_at, key_id`),
    addKey: database.statement('INSERT INTO api_keys VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)'),
    putKey: database.statement('INSERT OR REPLACE INTO api_keys VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)'),
    revokeKey: database.statement('UPDATE api_keys SET revoked_at = ? WHERE key_id = ? AND revoked_at IS NULL'),
    members: database.query(['text'], `SELECT ${utf8('body')} FROM members WHERE seen_at > ?`),
    putMember: database.statement('INSERT OR REPLACE INTO members VALUES (?, ?, ?)'),
    forgetMember: database.statement('DELETE FROM members WHERE verifier = ?'),
  };
}
