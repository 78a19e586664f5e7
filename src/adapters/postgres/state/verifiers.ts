/** The verifiers whose requests for approval count for a whole fleet, as the owner of its database keeps them. */
import type { Connection } from '../connection.js';
import { DURABLY } from '../durably.js';
import { STATE_SCHEMA_NAME as SCHEMA } from './version.js';

/** Of one statement, in ms. */
const WITHIN_MS = 10_000;

/** A verifier of a fleet. */
export interface EnrolledVerifier {
  /** `ed25519:` and hex. */
  readonly publicKey: string;
  readonly label: string;
  /** ms since the epoch, by the database's clock. */
  readonly enrolledAt: number;
}

/** Lets the requests of this verifier count; false where they did already: then its label is the one given. Rejects with PostgresTrouble. */
export async function enroll(connection: Connection, publicKey: string, label: string): Promise<boolean> {
  const [row] = await connection.query(
    `INSERT INTO ${SCHEMA}.verifiers AS v (key, label, enrolled) VALUES ($1, $2, ${SCHEMA}.clock_ms())
     ON CONFLICT (key) DO UPDATE SET label = excluded.label RETURNING xmax = 0 AS is_new, ${DURABLY}`,
    [publicKey, label],
    WITHIN_MS,
  );
  return row?.['is_new'] === true;
}

/** From now on its requests count on the machine that raised them alone; false where they did before. Rejects with PostgresTrouble. */
export async function dismiss(connection: Connection, publicKey: string): Promise<boolean> {
  const rows = await connection.query(
    `DELETE FROM ${SCHEMA}.verifiers WHERE key = $1 RETURNING ${DURABLY}`,
    [publicKey],
    WITHIN_MS,
  );
  return rows.length > 0;
}

/** All of them, the oldest first. Rejects with PostgresTrouble. */
export async function enrolledVerifiers(connection: Connection): Promise<readonly EnrolledVerifier[]> {
  const rows = await connection.query(
    `SELECT key, label, enrolled FROM ${SCHEMA}.verifiers ORDER BY enrolled, key`,
    [],
    WITHIN_MS,
  );
  return rows.map((row) => ({
    publicKey: String(row['key']),
    label: String(row['label']),
    enrolledAt: Number(row['enrolled']),
  }));
}
