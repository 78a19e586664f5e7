import { appendLeaves, nodesIn, ROW } from '../../../../protocol/transparency/tiles.js';
import { leafHash, type ReadNode } from '../../../../protocol/transparency/tree.js';
import type { Database } from '../../engine/database.js';

/** Rows held while a proof is worked out. */
const MOST_ROWS = 64;

/** The tree over the log, beside the chain. Leaves are gathered while a transaction lasts, and written as few rows at its end. */
export class Tree {
  readonly #row;
  readonly #put;
  readonly #pending: Uint8Array[] = [];

  constructor(database: Database) {
    this.#row = database.query(['bytes'], 'SELECT hashes FROM tiles WHERE level = ? AND n = ?');
    this.#put = database.statement(
      'INSERT INTO tiles (level, n, hashes) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET hashes = ?3',
    );
  }

  /** Inside a write transaction. */
  add(leaf: string): void {
    this.#pending.push(leafHash(leaf));
  }

  /** At the end of a write transaction; `size` is that of the tree with what was added. */
  flush(size: number): void {
    if (this.#pending.length === 0) return;
    const before = size - this.#pending.length;
    for (const { level, n, hashes } of appendLeaves(before, this.#pending, this.#read))
      this.#put.run([level, n, hashes]);
    this.#pending.length = 0;
  }

  /** After a rollback. */
  forget(): void {
    this.#pending.length = 0;
  }

  /** Nodes for a proof; each row is read once. */
  nodes(): ReadNode {
    const held = new Map<string, Uint8Array>();
    return nodesIn((level, n) => {
      const name = `${level}/${n}`;
      let row = held.get(name);
      if (row === undefined) {
        row = this.#read(level, n);
        if (held.size >= MOST_ROWS) held.clear();
        held.set(name, row);
      }
      return row;
    });
  }

  /** A row that was lost is empty: what it should hold is then missed where it is used. */
  readonly #read = (level: number, n: number): Uint8Array => {
    const bytes = this.#row.first([level, n])?.[0] ?? new Uint8Array();
    return bytes.length <= ROW * 32 ? bytes : new Uint8Array();
  };
}
