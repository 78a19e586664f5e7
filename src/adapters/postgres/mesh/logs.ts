/** Shipped verification logs in the mesh's database: on a connection of their own, so that no deny waits for them. */
import { ruleShipment } from '../../../mesh/log/shipping.js';
import type {
  LogEnd,
  LogTable,
  Rewritten,
  Shipment,
  Shipped,
  ShippedLogQuery,
  ShippedRow,
  ShippedSelection,
} from '../../../mesh/log/store.js';
import type { PostgresRow, PostgresValue } from '../connection.js';
import { DURABLY } from '../durably.js';
import type { LaneQueries, Lane } from './lane.js';
import { SCHEMA } from './schema.js';

/** Most bytes of shipped logs, unless a server says otherwise. */
const DEFAULT_QUOTA = 1024 * 1024 * 1024;
/** The part of the oldest entries that is shed at once. */
const SHED_PART = 10;
/** What a row takes beside its text, in bytes, roughly. */
const ROW_BYTES = 200;
/** Entries that are rewritten, or dropped, at once. */
const REWRITTEN = 200;

export class PostgresLogs implements LogTable {
  readonly #lane: Lane;
  readonly #quota: number;
  #shed = 0;

  constructor(lane: Lane, quota = DEFAULT_QUOTA) {
    this.#lane = lane;
    this.#quota = quota;
  }

  put(shipment: Shipment): Promise<Shipped> {
    // One shipment at a time: rows count without holes.
    return this.#inRoom((held, lastRow, bytes) => this.#ship(held, shipment, lastRow, bytes));
  }

  expire(before: number): Promise<number> {
    return this.#inRoom(async (held, lastRow, bytes) => {
      const [oldest] = await held.query(`SELECT arrived FROM ${SCHEMA}.shipped ORDER BY row LIMIT 1`);
      if (oldest === undefined || Number(oldest['arrived']) >= before) return 0;
      const gone = await held.query(
        `DELETE FROM ${SCHEMA}.shipped WHERE row IN (SELECT row FROM ${SCHEMA}.shipped
           WHERE row < coalesce((SELECT row FROM ${SCHEMA}.shipped WHERE arrived >= $1 ORDER BY row LIMIT 1), $2) ORDER BY row
           LIMIT (SELECT count(*) / ${SHED_PART} FROM ${SCHEMA}.shipped)) RETURNING octet_length(body) AS size`,
        [before, lastRow],
      );
      await held.query(`UPDATE ${SCHEMA}.shipped_room SET bytes = $1 WHERE one`, [Math.max(0, bytes - sizeOf(gone))]);
      return gone.length;
    });
  }

  async rewrite(
    { agentId, logId }: ShippedSelection,
    change: (text: string, logId: string) => string | null,
  ): Promise<Rewritten> {
    let entries = 0;
    for (let after = 0; ;) {
      const values = [after, agentId ?? null, logId ?? null, REWRITTEN];
      const rows = await this.#inRoom(async (held, _, bytes) => {
        let grown = 0;
        const found = await held.query(
          `SELECT row, log_id, body FROM ${SCHEMA}.shipped WHERE row > $1 AND ($2::text IS NULL OR agent = $2)
             AND ($3::text IS NULL OR log_id = $3) ORDER BY row LIMIT $4`,
          values,
        );
        for (const { row, log_id, body } of found) {
          const left = change(String(body), String(log_id));
          if (left === null) continue;
          await held.query(`UPDATE ${SCHEMA}.shipped SET body = $1 WHERE row = $2`, [left, Number(row)]);
          grown += Buffer.byteLength(left) - Buffer.byteLength(String(body));
          entries += 1;
        }
        if (grown !== 0)
          await held.query(`UPDATE ${SCHEMA}.shipped_room SET bytes = $1 WHERE one`, [Math.max(0, bytes + grown)]);
        return found;
      });
      if (rows.length < REWRITTEN) break;
      after = Number(rows.at(-1)!['row']);
    }
    // The database keeps older versions of a row until it vacuums, and writes them over some time after.
    return { entries, overwritten: entries === 0 };
  }

  async drop(logId: string): Promise<number> {
    for (let dropped = 0; ;) {
      const part = await this.#inRoom(async (held, _, bytes) => {
        const gone = await held.query(
          `DELETE FROM ${SCHEMA}.shipped WHERE row IN (SELECT row FROM ${SCHEMA}.shipped WHERE log_id = $1 LIMIT $2)
             RETURNING octet_length(body) AS size`,
          [logId, REWRITTEN],
        );
        await held.query(`UPDATE ${SCHEMA}.shipped_room SET bytes = $1 WHERE one`, [Math.max(0, bytes - sizeOf(gone))]);
        if (gone.length < REWRITTEN) await held.query(`DELETE FROM ${SCHEMA}.shippers WHERE log_id = $1`, [logId]);
        return gone.length;
      });
      dropped += part;
      if (part < REWRITTEN) return dropped;
    }
  }

  /** Runs `work` in one transaction while no other server adds rows. */
  #inRoom<T>(work: (held: LaneQueries, lastRow: number, bytes: number) => Promise<T>): Promise<T> {
    return this.#lane.run(async (held) => {
      await held.query(`BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = '2s'; SET LOCAL lock_timeout = '2s';
        SELECT ${DURABLY}`);
      try {
        const [room] = await held.query(`SELECT last_row, bytes FROM ${SCHEMA}.shipped_room WHERE one FOR UPDATE`);
        const done = await work(held, Number(room?.['last_row']), Number(room?.['bytes']));
        await held.query('COMMIT');
        return done;
      } catch (error) {
        await held.query('ROLLBACK').catch(() => undefined);
        throw error;
      }
    });
  }

  async read({ agentId, status, code, since, after, last, limit }: ShippedLogQuery): Promise<readonly ShippedRow[]> {
    const values: PostgresValue[] = [after ?? 0, last ?? limit];
    const conditions = ['row > $1'];
    const add = (condition: string, value: PostgresValue | undefined): void => {
      if (value === undefined) return;
      values.push(value);
      conditions.push(`${condition} $${values.length}`);
    };
    add('agent =', agentId);
    add('status =', status);
    add('code =', code);
    add('at >=', since);
    const order = last === undefined ? 'row' : 'row DESC';
    const sql = `SELECT row, body FROM ${SCHEMA}.shipped WHERE ${conditions.join(' AND ')} ORDER BY ${order} LIMIT $2`;
    const rows = (await this.#lane.run((held) => held.query(sql, values))).map(({ row, body }) => ({
      ...{ row: Number(row), text: String(body) },
    }));
    return last === undefined ? rows : rows.reverse();
  }

  async head(): Promise<number> {
    const [row] = await this.#lane.run((held) => held.query(`SELECT last_row FROM ${SCHEMA}.shipped_room`));
    return Number(row?.['last_row'] ?? 0);
  }

  async end(logId: string): Promise<LogEnd | null> {
    const [row] = await this.#lane.run((held) =>
      held.query(`SELECT * FROM ${SCHEMA}.shippers WHERE log_id = $1`, [logId]),
    );
    return row === undefined ? null : endOf(row);
  }

  async endOf(verifier: string): Promise<LogEnd | null> {
    const [row] = await this.#lane.run((held) =>
      held.query(`SELECT * FROM ${SCHEMA}.shippers WHERE verifier = $1`, [verifier]),
    );
    return row === undefined ? null : endOf(row);
  }

  async usage(): Promise<{ bytes: number; quota: number; shed: number }> {
    const [row] = await this.#lane.run((held) => held.query(`SELECT bytes FROM ${SCHEMA}.shipped_room`));
    return { bytes: Number(row?.['bytes'] ?? 0), quota: this.#quota, shed: this.#shed };
  }

  async ends(limit: number): Promise<readonly LogEnd[]> {
    const sql = `SELECT * FROM ${SCHEMA}.shippers ORDER BY at DESC, log_id LIMIT $1`;
    return (await this.#lane.run((held) => held.query(sql, [limit]))).map(endOf);
  }

  async #ship(held: LaneQueries, shipment: Shipment, lastRow: number, bytes: number): Promise<Shipped> {
    const { logId, verifier, at, entries } = shipment;
    const known = await held.query(`SELECT * FROM ${SCHEMA}.shippers WHERE log_id = $1 OR verifier = $2`, [
      logId,
      verifier,
    ]);
    const there = await held.query(
      `SELECT seq, hash FROM ${SCHEMA}.shipped WHERE log_id = $1 AND seq BETWEEN $2 AND $3`,
      [logId, entries[0]!.seq, entries.at(-1)!.seq],
    );
    const hashes = new Map(there.map(({ seq, hash }) => [Number(seq), String(hash)]));
    const ruling = ruleShipment(shipment, known.map(endOf), (seq) => hashes.get(seq));
    if (ruling.kind !== 'new') return ruling;
    const { entries: fresh, end } = ruling;
    const incoming = fresh.reduce((sum, { text }) => sum + Buffer.byteLength(text) + ROW_BYTES, 0);
    const left = await this.#makeRoom(held, bytes, incoming);
    const rows = fresh.map((entry, i) => ({ ...entry, row: lastRow + 1 + i }));
    await held.query(
      `INSERT INTO ${SCHEMA}.shipped SELECT (x->>'row')::bigint, $1, (x->>'seq')::bigint, x->>'hash', x->>'agentId',
         x->>'status', x->>'code', (x->>'at')::bigint, x->>'text', $3 FROM jsonb_array_elements($2::jsonb) x`,
      [logId, JSON.stringify(rows), at],
    );
    await held.query(`UPDATE ${SCHEMA}.shipped_room SET last_row = $1, bytes = $2 WHERE one`, [
      lastRow + rows.length,
      left + incoming,
    ]);
    await held.query(
      `INSERT INTO ${SCHEMA}.shippers VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (log_id)
       DO UPDATE SET key_id = excluded.key_id, seq = excluded.seq, hash = excluded.hash, at = excluded.at`,
      [logId, verifier, end.keyId, end.seq, end.hash, at],
    );
    return { kind: 'stored', seq: end.seq, hash: end.hash };
  }

  /** Oldest first. The bytes that are left. */
  async #makeRoom(held: LaneQueries, bytes: number, incoming: number): Promise<number> {
    let left = bytes;
    while (left > 0 && left + incoming > this.#quota) {
      const shed = await held.query(
        `DELETE FROM ${SCHEMA}.shipped WHERE row IN (SELECT row FROM ${SCHEMA}.shipped ORDER BY row
           LIMIT (SELECT ceil(count(*)::numeric / ${SHED_PART}.0) FROM ${SCHEMA}.shipped)) RETURNING octet_length(body) AS size`,
      );
      if (shed.length === 0) return 0;
      this.#shed += shed.length;
      left = Math.max(0, left - sizeOf(shed));
    }
    return left;
  }
}

/** The room that rows took, in bytes. */
function sizeOf(rows: readonly PostgresRow[]): number {
  return rows.reduce((sum, { size }) => sum + Number(size) + ROW_BYTES, 0);
}

function endOf(row: PostgresRow): LogEnd {
  const { log_id, verifier, key_id, seq, hash, at } = row;
  return {
    ...{ logId: String(log_id), verifier: String(verifier), keyId: String(key_id) },
    ...{ seq: Number(seq), hash: String(hash), at: Number(at) },
  };
}
