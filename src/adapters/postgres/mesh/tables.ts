/** Passports, principals and papers in the mesh's database. */
import type { MeshStore, Paper, PaperTable } from '../../../mesh/log/store.js';
import type { RegisteredKey } from '../../../mesh/passports.js';
import type { PostgresRow } from '../connection.js';
import { DURABLY } from '../durably.js';
import { markFromRow, type MarkRow } from './append.js';
import type { Lane } from './lane.js';
import { SCHEMA } from './schema.js';

export function passportTables(reading: Lane, writing: Lane): Pick<MeshStore, 'passports' | 'principals'> {
  return {
    passports: {
      mark: async (agent) => {
        const [row] = await reading.run((held) =>
          held.query(`SELECT * FROM ${SCHEMA}.passports WHERE agent = $1`, [agent]),
        );
        return row === undefined ? null : markFromRow(row as unknown as MarkRow);
      },
      marks: async () => {
        const rows = await reading.run((held) => held.query(`SELECT * FROM ${SCHEMA}.passports ORDER BY agent`));
        return rows.map((row) => markFromRow(row as unknown as MarkRow));
      },
      document: async (hash) => {
        const [row] = await reading.run((held) =>
          held.query(`SELECT body FROM ${SCHEMA}.documents WHERE hash = $1`, [hash]),
        );
        return row === undefined ? null : String(row['body']);
      },
    },
    principals: {
      add: async ({ did, publicKey, addedAt, addedBy }) => {
        const sql = `INSERT INTO ${SCHEMA}.principals VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING ${DURABLY}`;
        return (await writing.run((held) => held.query(sql, [did, publicKey, addedAt, addedBy]))).length === 1;
      },
      remove: async (did, publicKey) => {
        const sql = `DELETE FROM ${SCHEMA}.principals WHERE did = $1 AND ($2::text IS NULL OR public_key = $2) RETURNING ${DURABLY}`;
        return (await writing.run((held) => held.query(sql, [did, publicKey]))).length;
      },
      list: async (did) => {
        const sql = `SELECT * FROM ${SCHEMA}.principals WHERE $1::text IS NULL OR did = $1 ORDER BY did, public_key`;
        return (await reading.run((held) => held.query(sql, [did]))).map(principalOf);
      },
    },
  };
}

export function postgresPapers(reading: Lane, writing: Lane): PaperTable {
  const columns = 'id, version, changed_at, keep_until, body';
  return {
    get: async (kind, id) => {
      const sql = `SELECT ${columns} FROM ${SCHEMA}.papers WHERE kind = $1 AND id = $2`;
      const [row] = await reading.run((held) => held.query(sql, [kind, id]));
      return row === undefined ? null : paperOf(row);
    },
    list: async (kind, since) => {
      const sql = `SELECT ${columns} FROM ${SCHEMA}.papers WHERE kind = $1 AND changed_at > $2 ORDER BY changed_at, id`;
      return (await reading.run((held) => held.query(sql, [kind, since]))).map(paperOf);
    },
    put: async (kind, { id, version, changedAt, keepUntil, text }) => {
      const sql =
        version === 1
          ? `INSERT INTO ${SCHEMA}.papers VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING ${DURABLY}`
          : `UPDATE ${SCHEMA}.papers SET version = $3, changed_at = $4, keep_until = $5, body = $6
             WHERE kind = $1 AND id = $2 AND version = $3 - 1 RETURNING ${DURABLY}`;
      const values = [kind, id, version, changedAt, keepUntil, text];
      return (await writing.run((held) => held.query(sql, values))).length === 1;
    },
    prune: async (now) => {
      const old = `SELECT 1 FROM ${SCHEMA}.papers WHERE keep_until < $1 LIMIT 1`;
      if ((await reading.run((held) => held.query(old, [now]))).length === 0) return;
      await writing.run((held) => held.query(`DELETE FROM ${SCHEMA}.papers WHERE keep_until < $1`, [now]));
    },
  };
}

/** What the database holds beside the log, for copies of it. */
export function postgresRest(reading: Lane, writing: Lane): Pick<MeshStore, 'rest' | 'putRest'> {
  return {
    rest: () =>
      reading.run(async (held) => {
        const notes = await held.query(`SELECT name, body FROM ${SCHEMA}.notes ORDER BY name`);
        const nonces = await held.query(`SELECT value, keep_until FROM ${SCHEMA}.nonces`);
        const papers = await held.query(`SELECT * FROM ${SCHEMA}.papers`);
        return {
          notes: notes.map(({ name, body }) => [String(name), String(body)] as const),
          nonces: nonces.map(({ value, keep_until }) => [String(value), Number(keep_until)] as const),
          papers: papers.map((row) => [String(row['kind']), paperOf(row)] as const),
        };
      }),
    putRest: (rest) =>
      writing.run(async (held) => {
        await held.query(
          `INSERT INTO ${SCHEMA}.notes SELECT x->>0, x->>1 FROM jsonb_array_elements($1::jsonb) x
           ON CONFLICT (name) DO UPDATE SET body = excluded.body`,
          [JSON.stringify(rest.notes)],
        );
        await held.query(
          `INSERT INTO ${SCHEMA}.nonces SELECT x->>0, (x->>1)::bigint FROM jsonb_array_elements($1::jsonb) x
           ON CONFLICT DO NOTHING`,
          [JSON.stringify(rest.nonces)],
        );
        await held.query(
          `INSERT INTO ${SCHEMA}.papers SELECT x->>0, x->1->>'id', (x->1->>'version')::int, (x->1->>'changedAt')::bigint,
             (x->1->>'keepUntil')::bigint, x->1->>'text' FROM jsonb_array_elements($1::jsonb) x ON CONFLICT DO NOTHING`,
          [JSON.stringify(rest.papers)],
        );
      }),
  };
}

function principalOf(row: PostgresRow): RegisteredKey {
  const { did, public_key, added_at, added_by } = row;
  return {
    did: String(did),
    publicKey: String(public_key),
    addedAt: Number(added_at),
    addedBy: String(added_by),
  };
}

function paperOf(row: PostgresRow): Paper {
  const { id, version, changed_at, keep_until, body } = row;
  return {
    id: String(id),
    version: Number(version),
    changedAt: Number(changed_at),
    keepUntil: Number(keep_until),
    text: String(body),
  };
}
