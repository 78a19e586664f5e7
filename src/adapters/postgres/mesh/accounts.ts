/** API keys, nonces, the roster and notes in the mesh's database. */
import { requireAdminBeside, type ApiKeyRecord } from '../../../mesh/access/api-key.js';
import type { KeyTable, MeshStore } from '../../../mesh/log/store.js';
import type { Member } from '../../../mesh/roster/member.js';
import type { PostgresRow, PostgresValue } from '../connection.js';
import { DURABLY } from '../durably.js';
import type { Lane, LaneQueries } from './lane.js';
import { SCHEMA } from './schema.js';

/** A key is looked for twice with each command. What another server revokes ends here within half a second in any case. */
const FOUND_MS = 250;
const MOST_FOUND = 10_000;

export function accountTables(reading: Lane, writing: Lane): Pick<MeshStore, 'keys' | 'nonces' | 'members' | 'notes'> {
  const read = (text: string, values: readonly PostgresValue[] = []): Promise<readonly PostgresRow[]> =>
    reading.run((held) => held.query(text, values));
  const found = new Map<string, { readonly record: ApiKeyRecord; readonly at: number }>();
  // What was read before a change here is not kept after it.
  let generation = 0;
  const forget = (): void => {
    generation++;
    found.clear();
  };
  const change = (text: string, values: readonly PostgresValue[]): Promise<readonly PostgresRow[]> =>
    writing.run((held) => held.query(text, values));

  const keys: KeyTable = {
    find: async (keyId) => {
      const fresh = found.get(keyId);
      const [at, asked] = [performance.now(), generation];
      if (fresh !== undefined && at - fresh.at < FOUND_MS) return fresh.record;
      const [row] = await read(`SELECT body, revoked_at FROM ${SCHEMA}.api_keys WHERE key_id = $1`, [keyId]);
      if (row === undefined) return null;
      const record = keyOf(row);
      if (found.size >= MOST_FOUND) found.clear();
      if (generation === asked) found.set(keyId, { record, at });
      return record;
    },
    list: async () => (await read(LIST_KEYS)).map(keyOf),
    add: async (record) => {
      const { keyId, createdAt, revokedAt } = record;
      const values = [keyId, createdAt, revokedAt, JSON.stringify(record)];
      await change(`INSERT INTO ${SCHEMA}.api_keys VALUES ($1, $2, $3, $4) RETURNING ${DURABLY}`, values);
    },
    put: async (record) => {
      const { keyId, createdAt, revokedAt } = record;
      forget();
      await change(
        `INSERT INTO ${SCHEMA}.api_keys VALUES ($1, $2, $3, $4) ON CONFLICT (key_id)
         DO UPDATE SET created_at = excluded.created_at, revoked_at = excluded.revoked_at, body = excluded.body
         RETURNING ${DURABLY}`,
        [keyId, createdAt, revokedAt, JSON.stringify(record)],
      );
    },
    revoke: async (keyId, at) => {
      forget();
      const isDone = await writing.run((held) => revoked(held, keyId, at));
      forget();
      return isDone;
    },
  };

  const nonces: MeshStore['nonces'] = {
    spend: async (value, keepUntil) => {
      const sql = `INSERT INTO ${SCHEMA}.nonces VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING ${DURABLY}`;
      return (await change(sql, [value, keepUntil])).length === 1;
    },
    prune: async (now) => {
      const old = await read(`SELECT 1 FROM ${SCHEMA}.nonces WHERE keep_until < $1 LIMIT 1`, [now]);
      if (old.length > 0) await change(`DELETE FROM ${SCHEMA}.nonces WHERE keep_until < $1`, [now]);
    },
  };

  const members: MeshStore['members'] = {
    put: async (members) => {
      // The later word of a verifier stays, whichever server is faster.
      await change(
        `INSERT INTO ${SCHEMA}.members SELECT DISTINCT ON (x->>'verifier') x->>'verifier', (x->>'seenAt')::bigint, x::text
         FROM jsonb_array_elements($1::jsonb) x ORDER BY x->>'verifier', (x->>'seenAt')::bigint DESC
         ON CONFLICT (verifier) DO UPDATE SET seen_at = excluded.seen_at, body = excluded.body
         WHERE members.seen_at <= excluded.seen_at RETURNING ${DURABLY}`,
        [JSON.stringify(members)],
      );
    },
    list: async (since) => {
      const rows = await read(`SELECT body FROM ${SCHEMA}.members WHERE seen_at > $1`, [since]);
      return rows.map((row) => JSON.parse(String(row['body'])) as Member);
    },
    forget: async (verifier) => {
      await change(`DELETE FROM ${SCHEMA}.members WHERE verifier = $1 RETURNING ${DURABLY}`, [verifier]);
    },
  };

  const notes: MeshStore['notes'] = {
    get: async (name) => {
      const [row] = await read(`SELECT body FROM ${SCHEMA}.notes WHERE name = $1`, [name]);
      return row === undefined ? null : String(row['body']);
    },
    put: async (name, body) => {
      await change(
        `INSERT INTO ${SCHEMA}.notes VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET body = excluded.body
         RETURNING ${DURABLY}`,
        [name, body],
      );
    },
  };

  return { keys, nonces, members, notes };
}

const LIST_KEYS = `SELECT body, revoked_at FROM ${SCHEMA}.api_keys ORDER BY created_at, key_id`;

/** One server at a time: of two admin keys that are revoked at once, one stays. A server that is frozen here lets go after a second. */
async function revoked(held: LaneQueries, keyId: string, at: number): Promise<boolean> {
  // The keys are to be those of after the wait, whatever isolation the database sets.
  await held.query(`BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = '1s'`);
  let rows: readonly PostgresRow[];
  try {
    await held.query(`SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('${SCHEMA}.api_keys'))`);
    requireAdminBeside((await held.query(LIST_KEYS)).map(keyOf), keyId);
    rows = await held.query(
      `UPDATE ${SCHEMA}.api_keys SET revoked_at = $2 WHERE key_id = $1 AND revoked_at IS NULL RETURNING ${DURABLY}`,
      [keyId, at],
    );
  } catch (error) {
    await held.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
  await held.query('COMMIT');
  return rows.length === 1;
}

function keyOf(row: PostgresRow): ApiKeyRecord {
  const { revoked_at: revoked } = row;
  return { ...(JSON.parse(String(row['body'])) as ApiKeyRecord), revokedAt: revoked === null ? null : Number(revoked) };
}
