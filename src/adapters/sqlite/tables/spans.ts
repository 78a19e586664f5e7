import { utf8, type Database, type Query, type Row } from '../engine/database.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** How often, and the two halves of how much; null where there is nothing. */
const VOLUME = ['number?', 'text?', 'text?'] as const;
const HALF = 32n;
const LOW = (1n << HALF) - 1n;

interface Added {
  count: number;
  amount: bigint;
}

/** How many, and how much in minor units. */
export interface Volume {
  readonly count: number;
  readonly amount: bigint;
}

/**
 * Accepted intents added up by minute and hour beside the single ones. A window has one open end, so it is the whole hours
 * after its start, the whole minutes before the first of them, and the single intents before the first of those.
 */
export class Spans {
  readonly #add;
  readonly #volume: Query<Row<typeof VOLUME>>;
  readonly #spent: Query<Row<typeof VOLUME>>;
  readonly #prune;
  /** Of this transaction, by action, span, start and currency. */
  readonly #pending = new Map<string, Added>();
  /** Where the one before was added. */
  #last: { action: number; start: number; currency: string; added: Added[] } | null = null;

  constructor(database: Database) {
    this.#add = database.statement(
      `INSERT INTO spans (action, span, start, currency, count, high, low) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (action, span, start, currency)
       DO UPDATE SET count = count + excluded.count, high = high + excluded.high, low = low + excluded.low`,
    );
    // ?1 is a JSON list of actions, ?2 the start of the window, ?3 and ?4 its first whole minute and hour.
    const volume = (single: string, spans: string) =>
      database.query(
        VOLUME,
        `SELECT sum(count), ${utf8('sum(high)')}, ${utf8('sum(low)')} FROM (
           SELECT count(*) AS count, sum(amount >> 32) AS high, sum(amount & ${LOW}) AS low FROM usages
             WHERE action IN (SELECT value FROM json_each(?1)) AND at > ?2 AND at < ?3 ${single}
           UNION ALL SELECT sum(count), sum(high), sum(low) FROM spans
             WHERE action IN (SELECT value FROM json_each(?1)) AND span = ${MINUTE} AND start >= ?3 AND start < ?4 ${spans}
           UNION ALL SELECT sum(count), sum(high), sum(low) FROM spans
             WHERE action IN (SELECT value FROM json_each(?1)) AND span = ${HOUR} AND start >= ?4 ${spans})`,
      );
    this.#volume = volume('', '');
    this.#spent = volume('AND currency = ?5', 'AND currency = ?5');
    this.#prune = database.statement('DELETE FROM spans WHERE action = ? AND span = ? AND start <= ?');
  }

  add(action: number, at: number, currency: string | null, amount: bigint | null): void {
    const start = at - (at % MINUTE);
    let last = this.#last;
    // All of a batch is of few actions and of one minute, and making keys costs more than adding.
    if (last === null || last.action !== action || last.start !== start || last.currency !== (currency ?? '')) {
      last = { action, start, currency: currency ?? '', added: [] };
      for (const span of [MINUTE, HOUR])
        last.added.push(this.#pendingAt(action, span, at - (at % span), last.currency));
      this.#last = last;
    }
    for (const added of last.added) {
      added.count += 1;
      if (amount !== null) added.amount += amount;
    }
  }

  /** Takes an amount out again and leaves the count. */
  take(action: number, at: number, currency: string, amount: bigint): void {
    for (const span of [MINUTE, HOUR]) this.#pendingAt(action, span, at - (at % span), currency).amount -= amount;
  }

  #pendingAt(action: number, span: number, start: number, currency: string): Added {
    const key = JSON.stringify([action, span, start, currency]);
    let added = this.#pending.get(key);
    if (added === undefined) this.#pending.set(key, (added = { count: 0, amount: 0n }));
    return added;
  }

  /** Everything of `actions` later than `after`; with a currency, only what was spent in it. */
  since(actions: readonly number[], after: number, currency: string | null): Volume {
    this.flush();
    // The first millisecond inside the window may itself begin a whole minute or hour.
    const minute = Math.ceil((after + 1) / MINUTE) * MINUTE;
    const hour = Math.ceil(minute / HOUR) * HOUR;
    const values = [JSON.stringify(actions), after, minute, hour];
    const row = currency === null ? this.#volume.first(values) : this.#spent.first([...values, currency]);
    const [count, high, low] = row!;
    return { count: count ?? 0, amount: (BigInt(high ?? 0) << HALF) + BigInt(low ?? 0) };
  }

  flush(): void {
    for (const [key, { count, amount }] of this.#pending) {
      const [action, span, start, currency] = JSON.parse(key) as [number, number, number, string];
      this.#add.run([action, span, start, currency, count, amount >> HALF, amount & LOW]);
    }
    this.forget();
  }

  /** Spans of `action` that ended by `until`. */
  prune(action: number, until: number): void {
    this.#prune.run([action, MINUTE, until - MINUTE]);
    this.#prune.run([action, HOUR, until - HOUR]);
  }

  /** After a rollback. */
  forget(): void {
    this.#pending.clear();
    this.#last = null;
  }
}
