import { sha256, sha256Hex } from '../../../../protocol/hash.js';
import type { Database } from '../../engine/database.js';

/**
 * Entries whose keys lie beside each other: a commit touches the few pages of a block, and a search asks each block. Keys are random within,
 * so a larger block costs each entry of a commit a page of its own.
 */
const BLOCK = 1024;
/** What SHA-256 takes in at once, in bytes. */
const HASHED = 64;

/**
 * Finds entries by intent hash or nonce. The index holds 32 bits of an HMAC under a key of this state, so it does not confirm a guess
 * of what was erased; what is found is compared with the entry itself.
 */
export class Lookups {
  readonly #add;
  readonly #find;
  readonly #drop;
  /** The two inputs of the HMAC, each behind its padded key: the first is of any length, the second a hash. */
  readonly #innerKey: Uint8Array;
  readonly #outer: Uint8Array;
  /** Of this transaction, not written yet: key and entry. */
  #pending: [number, number][] = [];

  constructor(database: Database, secret: Uint8Array) {
    // All of a transaction in one statement, as a JSON list of pairs: a call of SQLite costs more than a row.
    this.#add = database.statement(
      'INSERT INTO lookups (key, seq) SELECT value ->> 0, value ->> 1 FROM json_each(?) WHERE true ON CONFLICT DO NOTHING',
    );
    // ?1 is the mark, ?2 the newest block. CROSS JOIN fixes the order: block by block.
    this.#find = database.query(
      ['number'],
      `WITH RECURSIVE blocks (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM blocks WHERE n < ?2)
       SELECT seq FROM blocks CROSS JOIN lookups ON key = n * 4294967296 + ?1`,
    );
    this.#drop = database.statement('DELETE FROM lookups WHERE key = ? AND seq = ?');
    const pad = (byte: number): Uint8Array => Uint8Array.from({ length: HASHED }, (_, i) => byte ^ (secret[i] ?? 0));
    this.#innerKey = pad(0x36);
    this.#outer = Buffer.concat([pad(0x5c)], HASHED + 32);
  }

  /** Inside a write transaction; `flush` writes it. */
  add(seq: number, value: string): void {
    this.#pending.push([this.#key(seq, value), seq]);
  }

  /** Inside a write transaction that erases it. */
  drop(seq: number, value: string): void {
    this.flush();
    this.#drop.run([this.#key(seq, value), seq]);
  }

  /** Entries up to `head` that may hold it, ascending. */
  find(value: string, head: number): number[] {
    this.flush();
    return this.#find.all([this.#mark(value), Math.floor(head / BLOCK)]).map(([seq]) => seq);
  }

  /** At the end of a write transaction. */
  flush(): void {
    if (this.#pending.length === 0) return;
    this.#add.run([JSON.stringify(this.#pending)]);
    this.#pending = [];
  }

  /** After a rollback. */
  forget(): void {
    this.#pending = [];
  }

  #key(seq: number, value: string): number {
    return Math.floor(seq / BLOCK) * 2 ** 32 + this.#mark(value);
  }

  /** The first 32 bits of the HMAC (RFC 2104). */
  #mark(value: string): number {
    const inner = sha256(Buffer.concat([this.#innerKey, Buffer.from(value)]));
    this.#outer.set(inner, HASHED);
    return Number.parseInt(sha256Hex(this.#outer).slice(0, 8), 16);
  }
}
