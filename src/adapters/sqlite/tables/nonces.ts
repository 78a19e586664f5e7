import type { SpentNonce } from '../../../app/ports/state.js';
import { sha256 } from '../../../protocol/hash.js';
import { toHex } from '../../../protocol/hex.js';
import { utf8, type Database } from '../engine/database.js';
import type { LogHeadRow } from './log/head.js';

/** A nonce to be kept longer than this goes to the table that is pruned row by row, in ms. */
const LONG = 60 * 60 * 1000;
/** So much longer it is kept there: a clock that was ahead and is set back puts what it was spent by in force again. In ms. */
const CLOCK_AHEAD = 24 * LONG;
/** Rows of that table which one prune forgets at most. */
const PRUNED_AT_ONCE = 256;

const COLUMNS = '(key, seen, result)';

/** A nonce that was spent, and the table that it goes to. */
interface Spent {
  readonly table: number;
  readonly key: Uint8Array;
  readonly seenAt: number;
  readonly result: string;
}

/** Spent nonces. `null` as a result stands for `accepted`, the usual one. */
export class Nonces {
  readonly #find;
  readonly #missing;
  readonly #add;
  readonly #addLong;
  readonly #empty;
  readonly #pruneLong;
  /** The last nonce that was asked for and not found: spending it next need not ask again. */
  #absent: { readonly name: string; readonly key: Uint8Array } | null = null;
  /** Of this transaction, not written yet, by name. */
  readonly #pending = new Map<string, Spent>();

  constructor(database: Database) {
    const find = (table: string) => `SELECT seen, ${utf8('result')} FROM ${table} WHERE key = ?1`;
    this.#find = database.query(
      ['number', 'text?'],
      `${find('nonces_0')} UNION ALL ${find('nonces_1')} UNION ALL ${find('nonces_long')}`,
    );
    const absent = (table: string) => `NOT EXISTS (SELECT 1 FROM ${table} WHERE key = unhex(asked.value))`;
    this.#missing = database.query(
      ['number'],
      `SELECT asked.key FROM json_each(?) asked
         WHERE ${absent('nonces_0')} AND ${absent('nonces_1')} AND ${absent('nonces_long')}`,
    );
    // All of a transaction in one statement, as a JSON list.
    this.#add = [0, 1].map((n) =>
      database.statement(
        `INSERT INTO nonces_${n} ${COLUMNS} SELECT unhex(value ->> 0), value ->> 1, value ->> 2 FROM json_each(?)`,
      ),
    );
    this.#addLong = database.statement('INSERT INTO nonces_long (key, seen, result, kept) VALUES (?, ?, ?, ?)');
    this.#empty = [0, 1].map((n) => database.statement(`DELETE FROM nonces_${n}`));
    this.#pruneLong = database.query(
      ['number'],
      `DELETE FROM nonces_long WHERE key IN (SELECT key FROM nonces_long WHERE kept < ? ORDER BY kept LIMIT ${PRUNED_AT_ONCE})
       RETURNING seen`,
    );
  }

  find(agentId: string, nonce: string): SpentNonce | null {
    const name = nameOf(agentId, nonce);
    const spent = this.#pending.get(name);
    this.#absent = null;
    if (spent !== undefined) return { firstSeenAt: spent.seenAt, firstResult: spent.result };
    const key = sha256(name).subarray(0, 16);
    const row = this.#find.first([key]);
    if (row !== undefined) return { firstSeenAt: row[0], firstResult: row[1] ?? 'accepted' };
    this.#absent = { name, key };
    return null;
  }

  /** Places of those among `used` that were not spent. Of what is committed. */
  missing(used: readonly (readonly [agentId: string, nonce: string])[]): number[] {
    const keys = used.map(([agentId, nonce]) => toHex(sha256(nameOf(agentId, nonce)).subarray(0, 16)));
    return this.#missing.all([JSON.stringify(keys)]).map(([place]) => place);
  }

  /** Spending twice is a bug of the caller: the second one must have been refused. */
  spend(head: LogHeadRow, agentId: string, nonce: string, seenAt: number, result: string, keepUntil: number): void {
    const name = nameOf(agentId, nonce);
    if (this.#absent?.name !== name) this.find(agentId, nonce);
    if (this.#absent === null) throw new Error('a nonce was spent twice');
    const { key } = this.#absent;
    this.#absent = null;
    const kept = Math.ceil(keepUntil);
    if (kept - seenAt > LONG) {
      this.#addLong.run([key, seenAt, stored(result), kept]);
      return;
    }
    const young = head.generation;
    this.#pending.set(name, { table: young, key, seenAt, result });
    head.kept[young] = Math.max(head.kept[young]!, kept);
    head.seen[young] = Math.max(head.seen[young]!, seenAt);
  }

  /**
   * Marks a refusal by its intent's hash, beside the nonces: no agent's id holds a space, so no nonce has such a name. False when it
   * was marked before.
   */
  mark(head: LogHeadRow, agentId: string, intentHash: string, seenAt: number, keepUntil: number): boolean {
    const name = `refused ${agentId}`;
    if (this.find(name, intentHash) !== null) return false;
    this.spend(head, name, intentHash, seenAt, 'refused', keepUntil);
    return true;
  }

  /** Writes what was spent; the end of a transaction that commits. */
  flush(): void {
    if (this.#pending.size === 0) return;
    const spent = [...this.#pending.values()];
    for (const [table, add] of this.#add.entries()) {
      const rows = spent.filter((each) => each.table === table);
      if (rows.length > 0)
        add.run([JSON.stringify(rows.map(({ key, seenAt, result }) => [toHex(key), seenAt, stored(result)]))]);
    }
  }

  /** At the end of a transaction. */
  forget(): void {
    this.#pending.clear();
    this.#absent = null;
  }

  prune(head: LogHeadRow, now: number): void {
    const young = head.generation;
    const old = 1 - young;
    if (head.kept[young] !== 0 && head.kept[old]! < now) {
      if (head.kept[old] !== 0) this.#empty[old]!.run([]);
      head.forgotten = Math.max(head.forgotten, head.seen[old]!);
      head.kept[old] = 0;
      head.seen[old] = 0;
      head.generation = old;
    }
    for (const [seen] of this.#pruneLong.all([now - CLOCK_AHEAD])) head.forgotten = Math.max(head.forgotten, seen);
  }
}

function stored(result: string): string | null {
  return result === 'accepted' ? null : result;
}

function nameOf(agentId: string, nonce: string): string {
  return `${agentId}\n${nonce}`;
}
