/** Passports and principals in the mesh's store. */
import type { PassportMark, RegisteredKey } from '../../../mesh/passports.js';
import type { MeshStore } from '../../../mesh/log/store.js';
import { utf8, type Database, type Row } from '../../sqlite/engine/database.js';

const MARK = ['text', 'number', 'text', 'number'] as const;
const KEY = ['text', 'text', 'number', 'text'] as const;

export class SqlitePassports {
  readonly #sql: ReturnType<typeof statements>;
  readonly passports: MeshStore['passports'];
  readonly principals: MeshStore['principals'];

  constructor(database: Database) {
    const sql = statements(database);
    this.#sql = sql;
    this.passports = {
      mark: async (agent) => this.mark(agent),
      marks: async () => sql.marks.all([]).map(markOf),
      document: async (hash) => sql.document.first([hash])?.[0] ?? null,
    };
    this.principals = {
      add: async ({ did, publicKey, addedAt, addedBy }) => sql.addKey.change([did, publicKey, addedAt, addedBy]) === 1,
      remove: async (did, publicKey) => sql.removeKey.change([did, publicKey]),
      list: async (did) => sql.keys.all([did]).map(keyOf),
    };
  }

  mark(agent: string): PassportMark | null {
    const row = this.#sql.mark.first([agent]);
    return row === undefined ? null : markOf(row);
  }

  /** Inside the transaction that writes the event. */
  put({ agent, serial, hash, seq }: PassportMark, document: string | null): void {
    this.#sql.putMark.run([agent, serial ?? 0, hash ?? '', seq]);
    if (hash !== null && document !== null) this.#sql.putDocument.run([hash, document]);
  }
}

/** Serial 0 is one that was withdrawn. */
function markOf([agent, serial, hash, seq]: Row<typeof MARK>): PassportMark {
  return serial === 0 ? { agent, serial: null, hash: null, seq } : { agent, serial, hash, seq };
}

function keyOf([did, publicKey, addedAt, addedBy]: Row<typeof KEY>): RegisteredKey {
  return { did, publicKey, addedAt, addedBy };
}

function statements(database: Database) {
  const marks = `SELECT ${utf8('agent')}, serial, ${utf8('hash')}, seq FROM passports`;
  return {
    mark: database.query(MARK, `${marks} WHERE agent = ?`),
    marks: database.query(MARK, `${marks} ORDER BY agent`),
    putMark: database.statement('INSERT OR REPLACE INTO passports VALUES (?, ?, ?, ?)'),
    document: database.query(['text'], `SELECT ${utf8('text')} FROM documents WHERE hash = ?`),
    putDocument: database.statement('INSERT INTO documents VALUES (?, ?) ON CONFLICT DO NOTHING'),
    keys: database.query(
      KEY,
      `SELECT ${utf8('did')}, ${utf8('public_key')}, added_at, ${utf8('added_by')} FROM principals WHERE ?1 IS NULL OR did = ?1 ORDER BY did, public_key`,
    ),
    addKey: database.statement('INSERT INTO principals VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING'),
    removeKey: database.statement('DELETE FROM principals WHERE did = ?1 AND (?2 IS NULL OR public_key = ?2)'),
  };
}
