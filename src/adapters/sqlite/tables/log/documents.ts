import { utf8, type Database } from '../../engine/database.js';

/** Documents as they were sent, beside entries that do not hold all that was signed. */
export class Documents {
  readonly #put;
  readonly #find;
  readonly #drop;
  readonly #sweep;

  constructor(database: Database) {
    this.#put = database.statement('INSERT INTO documents (seq, text) VALUES (?, ?)');
    this.#find = database.query(['text'], `SELECT ${utf8('text')} FROM documents WHERE seq = ?`);
    this.#drop = database.statement('DELETE FROM documents WHERE seq = ?');
    this.#sweep = database.statement('DELETE FROM documents WHERE seq <= ?');
  }

  /** Inside a write transaction. */
  keep(seq: number, document: string): void {
    this.#put.run([seq, document]);
  }

  /** Null where none is kept. */
  find(seq: number): string | null {
    return this.#find.first([seq])?.[0] ?? null;
  }

  /** Inside a write transaction that erases from the entry. */
  drop(seq: number): void {
    this.#drop.run([seq]);
  }

  /** Inside a write transaction that deletes the entries up to there. */
  sweep(seq: number): void {
    this.#sweep.run([seq]);
  }
}
