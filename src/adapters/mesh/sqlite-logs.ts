/** Shipped verification logs in the mesh's store. */
import type { LogEnd, LogQuery, LogTable, Shipment, Shipped, ShippedRow } from '../../mesh/log/store.js';
import { text, type Database } from '../sqlite/database.js';

export class SqliteLogs implements LogTable {
  readonly #database: Database;
  readonly #sql: ReturnType<typeof statements>;

  constructor(database: Database) {
    this.#database = database;
    this.#sql = statements(database);
  }

  async put(shipment: Shipment): Promise<Shipped> {
    return this.#database.transact(() => this.#ship(shipment));
  }

  async read({ agentId, status, code, since, after, last, limit }: LogQuery): Promise<readonly ShippedRow[]> {
    const newest = last !== undefined;
    const values = [after ?? 0, agentId ?? null, status ?? null, since ?? null, code ?? null, last ?? limit];
    const { search, searchAgent, newestOf, newestOfAgent } = this.#sql;
    const query = agentId === undefined ? (newest ? newestOf : search) : newest ? newestOfAgent : searchAgent;
    const rows = query.all(values).map(([row, body]) => ({ row, text: body }));
    return newest ? rows.reverse() : rows;
  }

  async head(): Promise<number> {
    return this.#sql.head.first([])![0];
  }

  async end(logId: string): Promise<LogEnd | null> {
    return this.#end(logId);
  }

  async ends(limit: number): Promise<readonly LogEnd[]> {
    return this.#sql.ends.all([limit]).map(endOf);
  }

  #end(logId: string): LogEnd | null {
    const row = this.#sql.end.first([logId]);
    return row === undefined ? null : endOf(row);
  }

  #ship({ logId, verifier, keyId, at, entries }: Shipment): Shipped {
    const known = this.#end(logId);
    const named = this.#sql.logOf.first([verifier]);
    if ((named !== undefined && named[0] !== logId) || (known !== null && known.verifier !== verifier)) {
      return { kind: 'taken' };
    }
    let end: { seq: number; hash: string } | null = known;
    const first = entries[0]!;
    if (end !== null && first.seq > end.seq + 1) return { kind: 'gap', seq: end.seq };
    // Looked through before anything is written: a shipment is taken whole or not at all.
    for (const entry of entries) {
      const held = end !== null && entry.seq <= end.seq ? this.#sql.hash.first([logId, entry.seq]) : undefined;
      if (held !== undefined && held[0] !== entry.hash) return { kind: 'fork', seq: entry.seq };
      if (end !== null && entry.seq === end.seq + 1 && entry.prevHash !== end.hash) {
        return { kind: 'fork', seq: entry.seq };
      }
    }
    for (const entry of entries) {
      if (end !== null && entry.seq <= end.seq) continue;
      const { seq, hash, agentId, status, code, text: body } = entry;
      this.#sql.add.run([logId, seq, hash, agentId, status, code, entry.at, body]);
      end = { seq, hash };
    }
    this.#sql.setEnd.run([logId, verifier, keyId, end!.seq, end!.hash, at]);
    return { kind: 'stored', seq: end!.seq, hash: end!.hash };
  }
}

const END = ['text', 'text', 'text', 'number', 'text', 'number'] as const;
const END_SQL = `${text('log_id')}, ${text('verifier')}, ${text('key_id')}, seq, ${text('hash')}, at`;

function endOf([logId, verifier, keyId, seq, hash, at]: [string, string, string, number, string, number]): LogEnd {
  return { logId, verifier, keyId, seq, hash, at };
}

function statements(database: Database) {
  const filters = '(?3 IS NULL OR status = ?3) AND (?4 IS NULL OR at >= ?4) AND (?5 IS NULL OR code = ?5)';
  const search = (order: 'row' | 'row DESC') =>
    database.query(
      ['number', 'text'],
      // ?2 IS NULL always holds here; it is named so that both queries take the same values.
      `SELECT row, ${text('text')} FROM shipped WHERE row > ?1 AND ?2 IS NULL AND ${filters} ORDER BY ${order} LIMIT ?6`,
    );
  const searchAgent = (order: 'row' | 'row DESC') =>
    database.query(
      ['number', 'text'],
      `SELECT row, ${text('text')} FROM shipped INDEXED BY shipped_agent
       WHERE agent = ?2 AND row > ?1 AND ${filters} ORDER BY ${order} LIMIT ?6`,
    );
  return {
    head: database.query(['number'], 'SELECT coalesce(max(row), 0) FROM shipped'),
    hash: database.query(['text'], `SELECT ${text('hash')} FROM shipped WHERE log_id = ? AND seq = ?`),
    add: database.statement(
      'INSERT INTO shipped (log_id, seq, hash, agent, status, code, at, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    ),
    end: database.query(END, `SELECT ${END_SQL} FROM shippers WHERE log_id = ?`),
    ends: database.query(END, `SELECT ${END_SQL} FROM shippers ORDER BY at DESC, log_id LIMIT ?`),
    logOf: database.query(['text'], `SELECT ${text('log_id')} FROM shippers WHERE verifier = ?`),
    setEnd: database.statement('INSERT OR REPLACE INTO shippers VALUES (?, ?, ?, ?, ?, ?)'),
    search: search('row'),
    newestOf: search('row DESC'),
    searchAgent: searchAgent('row'),
    newestOfAgent: searchAgent('row DESC'),
  };
}
