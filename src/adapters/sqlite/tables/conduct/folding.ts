import type { Folding } from '../../../../app/ports/state.js';
import type { Database } from '../../engine/database.js';

const NONE: Folding = { minute: 0, kept: 0, folded: 0, since: 0, until: 0 };

/** The one row that says how many refusals of strangers this minute holds, and what was counted only. */
export class FoldingTable {
  readonly #read;
  readonly #write;
  #current: Folding | null = null;
  #changed = false;

  constructor(database: Database) {
    this.#read = database.query(
      ['number', 'number', 'number', 'number', 'number'],
      'SELECT minute, kept, folded, since, until FROM folding WHERE id = 1',
    );
    this.#write = database.statement(
      'INSERT OR REPLACE INTO folding (id, minute, kept, folded, since, until) VALUES (1, ?, ?, ?, ?, ?)',
    );
  }

  /** As of this transaction. */
  read(): Folding {
    if (this.#current !== null) return this.#current;
    const row = this.#read.first([]);
    if (row === undefined) return (this.#current = NONE);
    const [minute, kept, folded, since, until] = row;
    return (this.#current = { minute, kept, folded, since, until });
  }

  set(folding: Folding): void {
    this.#current = folding;
    this.#changed = true;
  }

  /** Writes the row, once a transaction. */
  flush(): void {
    if (!this.#changed) return;
    const { minute, kept, folded, since, until } = this.#current!;
    this.#write.run([minute, kept, folded, since, until]);
  }

  /** At the end of a transaction: the next one reads what other processes wrote. */
  forget(): void {
    this.#current = null;
    this.#changed = false;
  }
}
