/** Brings the schema of a fleet's memory to the version of this program. Forward only. */
import type { Connection } from '../connection.js';
import { requireUnicode } from '../encoding.js';
import { LOCK_CLASS, STATE_STEPS } from './schema.js';
import { newerDatabase, STATE_SCHEMA_NAME as SCHEMA, STATE_VERSION } from './version.js';

/** Of one statement, in ms: a migration waits for what runs. */
const WITHIN_MS = 30_000;

export interface FleetMigration {
  /** 0 where there was none. */
  readonly from: number;
  readonly to: number;
  /** Roles that may now call `settle`. */
  readonly granted: readonly string[];
}

export interface MigrateOptions {
  /** Roles that verifiers log in as. */
  readonly roles: readonly string[];
}

/** What `migrate` would run after version `from`, as a script for psql. */
export function script(from: number, roles: readonly string[]): string {
  const steps = STATE_STEPS.slice(from).map(
    (step, i) => `${step.trim()}\nINSERT INTO ${SCHEMA}.versions VALUES (${from + i + 1});\n`,
  );
  const grants = roles.map((role) => `${grantTo(role)}\n`);
  return ['BEGIN ISOLATION LEVEL READ COMMITTED;\n', LOCK, ...steps, ...grants, 'COMMIT;\n'].join('');
}

/** The version that is there; 0 where there is none. @throws Failure STATE_UNAVAILABLE where none may begin, for lack of characters */
export async function stateVersionOf(connection: Connection): Promise<number> {
  const [there] = await connection.query(
    `SELECT to_regclass('${SCHEMA}.versions') IS NOT NULL AS there`,
    [],
    WITHIN_MS,
  );
  if (there?.['there'] !== true) {
    await requireUnicode((sql) => connection.query(sql, [], WITHIN_MS), 'STATE_UNAVAILABLE');
    return 0;
  }
  const [row] = await connection.query(`SELECT max(version) AS version FROM ${SCHEMA}.versions`, [], WITHIN_MS);
  return Number(row?.['version'] ?? 0);
}

/** Applies what is missing, in one transaction, one program at a time. Rejects with PostgresTrouble, and as `stateVersionOf`; USAGE for a newer schema. */
export async function migrate(connection: Connection, { roles }: MigrateOptions): Promise<FleetMigration> {
  // What another program made while this one waited is to be seen, whatever isolation the database sets.
  await connection.query('BEGIN ISOLATION LEVEL READ COMMITTED', [], WITHIN_MS);
  await connection.query(LOCK, [], WITHIN_MS);
  const from = await stateVersionOf(connection);
  if (from > STATE_VERSION) {
    await connection.query('ROLLBACK', [], WITHIN_MS);
    throw newerDatabase(from);
  }
  for (const [i, step] of STATE_STEPS.slice(from).entries()) {
    await connection.query(step, [], WITHIN_MS);
    await connection.query(`INSERT INTO ${SCHEMA}.versions VALUES (${from + i + 1})`, [], WITHIN_MS);
  }
  for (const role of roles) await connection.query(grantTo(role), [], WITHIN_MS);
  await connection.query('COMMIT', [], WITHIN_MS);
  return { from, to: STATE_VERSION, granted: roles };
}

const LOCK = `SELECT pg_advisory_xact_lock(${LOCK_CLASS + 1}, 0);\n`;

/** Verifiers settle and do nothing else. */
function grantTo(role: string): string {
  const name = `"${role.replaceAll('"', '""')}"`;
  return `GRANT USAGE ON SCHEMA ${SCHEMA} TO ${name}; GRANT EXECUTE ON FUNCTION ${SCHEMA}.settle(jsonb, jsonb) TO ${name};`;
}
