/**
 * A second word on who has a standing, kept apart from the table itself: SQLite does not notice a flipped bit, and one in a
 * subject's name would hide its deny. Damage in one place makes the two disagree, and then nothing is answered.
 */
import type { StandingRecord } from '../../../../app/ports/state.js';
import { sha256 } from '../../../../protocol/hash.js';
import type { Database, Query, Row } from '../../engine/database.js';

const MARK = ['bytes'] as const;
/** Of SHA-256, in bytes: against damage, not against a writer of the file. */
const LENGTH = 16;

export class StandingMarks {
  readonly #find: Query<Row<typeof MARK>>;
  readonly #put;
  readonly #drop;
  readonly #dropAll;

  constructor(database: Database) {
    this.#find = database.query(MARK, 'SELECT sum FROM standing_marks WHERE key = ?');
    this.#put = database.statement('INSERT OR REPLACE INTO standing_marks VALUES (?, ?)');
    this.#drop = database.statement('DELETE FROM standing_marks WHERE key = ?');
    this.#dropAll = database.statement('DELETE FROM standing_marks');
  }

  /** True when `record`, null for none, is what was written of `subject`. */
  agree(subject: string, record: StandingRecord | null): boolean {
    const mark = this.#find.first([keyOf(subject)]);
    if (mark === undefined || record === null) return mark === undefined && record === null;
    return Buffer.compare(mark[0], sumOf(record)) === 0;
  }

  put(record: StandingRecord): void {
    this.#put.run([keyOf(record.subject), sumOf(record)]);
  }

  drop(subject: string): void {
    this.#drop.run([keyOf(subject)]);
  }

  dropAll(): void {
    this.#dropAll.run([]);
  }
}

function keyOf(subject: string): Uint8Array {
  return sha256(subject).subarray(0, LENGTH);
}

function sumOf(record: StandingRecord): Uint8Array {
  const { subject, status, reason, changedAt, changedBy, suspendedUntil, version } = record;
  const text = JSON.stringify([subject, status, reason, changedAt, changedBy, suspendedUntil, version]);
  return sha256(text).subarray(0, LENGTH);
}
