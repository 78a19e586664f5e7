import type { Link } from '../../../../protocol/log/chain.js';
import { utf8, type Database, type Query, type Row, type Statement } from '../../engine/database.js';

/** The row that every write transaction starts from. Changed in memory, written once at the end. */
export interface LogHeadRow {
  seq: number;
  hash: string;
  readonly base: Link;
  usages: number;
  generation: number;
  /** By generation; 0 while it is empty. */
  readonly kept: [number, number];
  readonly seen: [number, number];
  forgotten: number;
}

const NUMBER = 'number' as const;
const COLUMNS = [NUMBER, 'text', NUMBER, 'text', ...[NUMBER, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER]] as const;

export class Heads {
  readonly #read: Query<Row<typeof COLUMNS>>;
  readonly #write: Statement;

  constructor(database: Database) {
    this.#read = database.query(
      COLUMNS,
      `SELECT seq, ${utf8('hash')}, base_seq, ${utf8('base_hash')}, usages, generation, kept_0, kept_1, seen_0, seen_1, forgotten
       FROM head WHERE id = 1`,
    );
    this.#write = database.statement(
      `UPDATE head SET seq = ?, hash = ?, usages = ?, generation = ?, kept_0 = ?, kept_1 = ?, seen_0 = ?, seen_1 = ?, forgotten = ?
       WHERE id = 1`,
    );
  }

  /** Null when the row was lost. */
  read(): LogHeadRow | null {
    const row = this.#read.first([]);
    if (row === undefined) return null;
    const [seq, hash, baseSeq, baseHash, usages, generation, kept0, kept1, seen0, seen1, forgotten] = row;
    const base = { seq: baseSeq, hash: baseHash };
    return { seq, hash, base, usages, generation, kept: [kept0, kept1], seen: [seen0, seen1], forgotten };
  }

  write({ seq, hash, usages, generation, kept, seen, forgotten }: LogHeadRow): void {
    this.#write.run([seq, hash, usages, generation, ...kept, ...seen, forgotten]);
  }
}
