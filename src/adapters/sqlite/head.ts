import type { Link } from '../../protocol/chain.js';
import type { Database, Query } from './database.js';

/** The row that every write transaction starts from. Changed in memory, written once at the end. */
export interface Head {
  seq: number;
  hash: string;
  readonly base: Link;
  usages: number;
  generation: number;
  /** By generation; 0 while it is empty. */
  readonly kept: [number, number];
}

type Row = [number, string, number, string, number, number, number, number];

export class Heads {
  readonly #read: Query;
  readonly #write: Query;

  constructor(database: Database) {
    this.#read = database.query(
      'SELECT seq, hash, base_seq, base_hash, usages, generation, kept_0, kept_1 FROM head WHERE id = 1',
    );
    this.#write = database.query(
      'UPDATE head SET seq = ?, hash = ?, usages = ?, generation = ?, kept_0 = ?, kept_1 = ? WHERE id = 1',
    );
  }

  /** Null when the row was lost. */
  read(): Head | null {
    const row = this.#read.row<Row>([]);
    if (row === undefined) return null;
    const [seq, hash, baseSeq, baseHash, usages, generation, kept0, kept1] = row;
    return { seq, hash, base: { seq: baseSeq, hash: baseHash }, usages, generation, kept: [kept0, kept1] };
  }

  write({ seq, hash, usages, generation, kept }: Head): void {
    this.#write.run([seq, hash, usages, generation, kept[0], kept[1]]);
  }
}
