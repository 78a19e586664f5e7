/** The first statement of every opening: the tables are there, of this version, and hold one log. */
import { Failure } from '../../../app/failure.js';
import { requireUnicode } from '../encoding.js';
import type { MeshHeadRow } from './append.js';
import type { LaneQueries } from './lane.js';
import { SCHEMA, TABLES, TABLES_VERSION, TABLE_STEPS } from './schema.js';

/** Of the lock that lets one server at a time make the tables. */
const LOCK = `SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('${SCHEMA}'))`;

/** The head row. @throws Failure STATE for a schema of a later program, or one that holds no log */
export async function openedHead(held: LaneQueries, newLogId: () => string): Promise<MeshHeadRow> {
  if (!(await isThere(held))) await make(held, newLogId());
  else await bringUp(held);
  const [row] = await held.query(`SELECT pg_catalog.to_jsonb(h) AS head FROM ${SCHEMA}.head h WHERE one`);
  const head = row?.['head'] as MeshHeadRow | undefined;
  if (head === undefined)
    throw new Failure('STATE', `The schema ${SCHEMA} of the database holds no log.`, {
      hint: `restore it from a backup; without one: DROP SCHEMA ${SCHEMA} CASCADE, and revoke again what must stay revoked`,
    });
  if (head.version > TABLES_VERSION)
    throw new Failure('STATE', 'The mesh in the database was written by a newer aip.', { hint: 'upgrade this one' });
  return head;
}

async function isThere(held: LaneQueries): Promise<boolean> {
  // By the tables, not by to_regclass: inside a transaction that one may still not know what another server has just made.
  const [row] = await held.query(
    `SELECT EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE n.nspname = '${SCHEMA}' AND c.relname = 'head') AS there`,
  );
  return row?.['there'] === true;
}

function make(held: LaneQueries, logId: string): Promise<void> {
  return alone(held, async () => {
    // Another server may have made them meanwhile.
    if (await isThere(held)) return;
    await requireUnicode((sql) => held.query(sql), 'STATE');
    await held.query(TABLES);
    for (const step of Object.values(TABLE_STEPS)) await held.query(step);
    await held.query(
      `INSERT INTO ${SCHEMA}.head (version, log_id, term, seq, event_term, hash) VALUES ($1, $2, 1, 0, 0, $3)`,
      [TABLES_VERSION, logId, '0'.repeat(64)],
    );
  });
}

/** Tables of an earlier version become those of this one; servers that are running go on beside it. */
async function bringUp(held: LaneQueries): Promise<void> {
  const version = async (): Promise<number> =>
    Number((await held.query(`SELECT version FROM ${SCHEMA}.head WHERE one`))[0]?.['version'] ?? TABLES_VERSION);
  if ((await version()) >= TABLES_VERSION) return;
  await alone(held, async () => {
    for (let at = await version(); at < TABLES_VERSION; at++) {
      await held.query(TABLE_STEPS[at]!);
      await held.query(`UPDATE ${SCHEMA}.head SET version = $1 WHERE one`, [at + 1]);
    }
  });
}

/** Runs `work` in one transaction, one server at a time. */
async function alone(held: LaneQueries, work: () => Promise<void>): Promise<void> {
  await held.query('BEGIN ISOLATION LEVEL READ COMMITTED');
  try {
    await held.query(LOCK);
    await work();
    await held.query('COMMIT');
  } catch (error) {
    await held.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
