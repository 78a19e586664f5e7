import { Database } from '../../../src/adapters/sqlite/engine/database.js';
import { StandingMarks } from '../../../src/adapters/sqlite/tables/passports/standing-marks.js';
import type { StandingRow } from './vector.js';

/** Writes what a mesh would have said into a state file that is there already. */
export function writeStanding(path: string, rows: readonly StandingRow[]): void {
  const database = new Database(path, 1000);
  const statement = database.statement('INSERT OR REPLACE INTO standing VALUES (?, ?, ?, ?, ?, ?, 1)');
  const marks = new StandingMarks(database);
  for (const { subject, status, reason, changed_at, changed_by, suspended_until } of rows) {
    const changedAt = Date.parse(changed_at);
    const until = suspended_until === null ? null : Date.parse(suspended_until);
    statement.run([subject, status, reason, changedAt, changed_by, until]);
    const record = { subject, reason, changedAt, changedBy: changed_by, suspendedUntil: until, version: 1 };
    marks.put({ ...record, status });
  }
  database.close();
}

/** How much a state file holds: what a refused document must leave as it was. */
export function stored(path: string): Readonly<Record<'entries' | 'nonces' | 'usages' | 'passports' | 'pins', number>> {
  const database = new Database(path, 1000);
  const count = (...tables: string[]): number =>
    tables.reduce((sum, table) => sum + database.query(['number'], `SELECT count(*) FROM ${table}`).first([])![0], 0);
  try {
    return {
      entries: count('entries'),
      nonces: count('nonces_0', 'nonces_1', 'nonces_long'),
      usages: count('usages'),
      passports: count('passports'),
      pins: count('pins'),
    };
  } finally {
    database.close();
  }
}
