import { sha256 } from '../../../../protocol/hash.js';
import type { Database } from '../../engine/database.js';

/** Entries whose keys lie beside each other, so that writing one touches few pages however long the log is. */
const BLOCK = 65_536;
const HASHED = 64;

/**
 * Finds entries by intent hash or nonce. The index holds 32 bits of an HMAC under a key of this state, so it does not confirm a guess
 * of what was erased; what is found is compared with the entry itself.
 */
export class Lookups {
  readonly #add;
  readonly #find;
  readonly #drop;
  readonly #inner: Buffer;
  readonly #outer: Buffer;

  constructor(database: Database, secret: Uint8Array) {
    this.#add = database.statement('INSERT INTO lookups (key, seq) VALUES (?, ?) ON CONFLICT DO NOTHING');
    this.#find = database.query(['number'], 'SELECT seq FROM lookups WHERE key = ? ORDER BY seq');
    this.#drop = database.statement('DELETE FROM lookups WHERE key = ? AND seq = ?');
    const pad = (byte: number): Buffer =>
      Buffer.alloc(HASHED, byte).map((each, i) => each ^ (secret[i] ?? 0)) as Buffer;
    [this.#inner, this.#outer] = [pad(0x36), pad(0x5c)];
  }

  /** Inside a write transaction. */
  add(seq: number, value: string): void {
    this.#add.run([this.#key(seq, value), seq]);
  }

  /** Inside a write transaction that erases it. */
  drop(seq: number, value: string): void {
    this.#drop.run([this.#key(seq, value), seq]);
  }

  /** Entries up to `head` that may hold it, ascending. */
  find(value: string, head: number): number[] {
    const found: number[] = [];
    const mark = this.#mark(value);
    for (let block = 0; block <= Math.floor(head / BLOCK); block++)
      for (const [seq] of this.#find.all([block * 2 ** 32 + mark])) found.push(seq);
    return found;
  }

  #key(seq: number, value: string): number {
    return Math.floor(seq / BLOCK) * 2 ** 32 + this.#mark(value);
  }

  #mark(value: string): number {
    const inner = sha256(Buffer.concat([this.#inner, Buffer.from(value)]));
    return Buffer.from(sha256(Buffer.concat([this.#outer, inner]))).readUInt32BE(0);
  }
}
