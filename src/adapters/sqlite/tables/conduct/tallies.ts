import type { HourCounts } from '../../../../app/ports/log.js';
import { isAttributable, isCounted } from '../../../../protocol/log/attribution.js';
import type { Entry } from '../../../../protocol/log/entry.js';
import { formatTime } from '../../../../protocol/time.js';
import type { Counts, RecentFailure } from '../../../../trust/health.js';
import { utf8, type Database } from '../../engine/database.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const MINUTES_KEPT = 48 * HOUR;
const MOST_RECENT = 5;
const MOST_TIDIED = 4096;

/** What is counted: what was accepted; refused, and held against the agent or not; refused without an entry; and how the accepted ended. */
const KINDS = { accepted: 0, failed: 1, unattributed: 2, folded: 3, ok: 4, error: 5 } as const;

type Kind = (typeof KINDS)[keyof typeof KINDS];

/** How accepted intents ended. */
export interface Endings {
  readonly accepted: number;
  readonly ok: number;
  readonly error: number;
}

interface Pending {
  /** By `<minute>|<kind>|<code>`. */
  readonly counts: Map<string, number>;
  readonly failures: { seq: number; at: number; code: string; action: string | null }[];
  newest: number;
}

/** How much was logged of each agent, and when. */
export class Tallies {
  readonly #add;
  readonly #forgetMinutes;
  readonly #sum;
  readonly #hours;
  readonly #newestHour;
  readonly #addFailure;
  readonly #forgetFailures;
  readonly #failures;
  readonly #pending = new Map<number, Pending>();
  /** The hour in which this process last forgot minutes, by agent. */
  readonly #tidied = new Map<number, number>();

  constructor(database: Database) {
    this.#add = database.statement(
      `INSERT INTO tallies (agent, span, start, kind, code, count) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
       ON CONFLICT DO UPDATE SET count = count + ?6`,
    );
    this.#forgetMinutes = database.statement(`DELETE FROM tallies WHERE agent = ? AND span = ${MINUTE} AND start < ?`);
    this.#sum = database.query(
      ['number', 'text', 'number'],
      `SELECT kind, ${utf8('code')}, sum(count) FROM (
         SELECT kind, code, count FROM tallies
           WHERE agent = ?1 AND span = ${MINUTE} AND start >= ?2 AND start < ?3 AND start <= ?5
         UNION ALL
         SELECT kind, code, count FROM tallies WHERE agent = ?1 AND span = ${HOUR} AND start >= ?3 AND start < ?4
         UNION ALL
         SELECT kind, code, count FROM tallies
           WHERE agent = ?1 AND span = ${MINUTE} AND start >= ?3 AND start >= ?4 AND start <= ?5
       ) GROUP BY kind, code`,
    );
    this.#hours = database.query(
      ['number', 'number', 'number'],
      `SELECT start, kind, sum(count) FROM tallies
         WHERE agent = ? AND span = ${HOUR} AND start >= ? AND start <= ? AND kind <= ${KINDS.folded} GROUP BY start, kind`,
    );
    this.#newestHour = database.query(['number?'], `SELECT max(start) FROM tallies WHERE agent = ? AND span = ${HOUR}`);
    this.#addFailure = database.statement(
      'INSERT INTO recent_failures (agent, seq, at, code, action) VALUES (?, ?, ?, ?, ?)',
    );
    this.#forgetFailures = database.statement(
      `DELETE FROM recent_failures WHERE agent = ?1 AND seq <=
         (SELECT seq FROM recent_failures WHERE agent = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ${MOST_RECENT})`,
    );
    this.#failures = database.query(
      ['number', 'number', 'text', 'text?'],
      `SELECT seq, at, ${utf8('code')}, ${utf8('action')} FROM recent_failures WHERE agent = ? AND at >= ? AND at < ? ORDER BY seq DESC`,
    );
  }

  count(agent: number, entry: Entry): void {
    if (!isCounted(entry)) return;
    const at = Date.parse(entry.timestamp);
    const kind =
      entry.status === 'success' ? KINDS.accepted : isAttributable(entry) ? KINDS.failed : KINDS.unattributed;
    const pending = this.#addOne(agent, at, kind, entry.error_code ?? '');
    if (kind !== KINDS.failed) return;
    pending.failures.push({ seq: entry.seq, at, code: entry.error_code ?? '', action: entry.action });
    if (pending.failures.length > MOST_RECENT) pending.failures.shift();
  }

  /** A refusal without an entry, that may be a stranger's doing. */
  countFolded(agent: number, code: string, at: number): void {
    this.#addOne(agent, at, KINDS.folded, code);
  }

  /** The final word on an intent that was accepted `at`. */
  countEnded(agent: number, at: number, ok: boolean): void {
    this.#addOne(agent, at, ok ? KINDS.ok : KINDS.error, '');
  }

  #addOne(agent: number, at: number, kind: Kind, code: string): Pending {
    let pending = this.#pending.get(agent);
    if (pending === undefined) this.#pending.set(agent, (pending = { counts: new Map(), failures: [], newest: 0 }));
    const key = `${at - (at % MINUTE)}|${kind}|${code}`;
    pending.counts.set(key, (pending.counts.get(key) ?? 0) + 1);
    pending.newest = Math.max(pending.newest, at);
    return pending;
  }

  flush(): void {
    for (const [agent, { counts, failures, newest }] of this.#pending) {
      for (const [key, count] of counts) {
        const [minute, kind, ...code] = key.split('|');
        const start = Number(minute);
        const row = [Number(kind), code.join('|'), count];
        this.#add.run([agent, MINUTE, start, ...row]);
        this.#add.run([agent, HOUR, start - (start % HOUR), ...row]);
      }
      for (const { seq, at, code, action } of failures) this.#addFailure.run([agent, seq, at, code, action]);
      if (failures.length > 0) this.#forgetFailures.run([agent]);
      const hour = newest - (newest % HOUR);
      if (this.#tidied.get(agent) !== hour) {
        // Strangers name as many agents as they like.
        if (this.#tidied.size >= MOST_TIDIED) this.#tidied.clear();
        this.#tidied.set(agent, hour);
        this.#forgetMinutes.run([agent, hour - MINUTES_KEPT]);
      }
    }
    this.#pending.clear();
  }

  forget(): void {
    this.#pending.clear();
  }

  /**
   * `since` rounded down to the minute, or to the hour once minutes are forgotten. What a clock that ran ahead has dated after `until` is in no
   * window that ends there; null counts all that there ever was.
   */
  since(
    agent: number | null,
    since: number,
    now: number,
    until: number | null,
  ): { readonly since: number; readonly counts: Counts; readonly endings: Endings } {
    const newest = agent === null ? null : this.#newestHour.first([agent])![0];
    const span = spanAt(since, now, newest);
    const from = since - (since % span);
    // The last hour is counted by its minutes where they are there.
    const hour = (until ?? 0) - ((until ?? 0) % HOUR);
    const hoursEnd = until === null ? Number.MAX_SAFE_INTEGER : hour >= (newest ?? 0) - MINUTES_KEPT ? hour : until + 1;
    const codes = new Map<string, number>();
    const totals: [number, number, number, number, number, number] = [0, 0, 0, 0, 0, 0];
    for (const [kind, code, count] of agent === null
      ? []
      : this.#sum.all([agent, from, Math.ceil(from / HOUR) * HOUR, hoursEnd, until ?? Number.MAX_SAFE_INTEGER])) {
      totals[kind as Kind] += count;
      if (code !== '') codes.set(code, (codes.get(code) ?? 0) + count);
    }
    const [successful, failed, logged, folded, ok, error] = totals;
    return {
      since: from,
      counts: { successful, failed, unattributed: logged + folded, folded, codes },
      endings: { accepted: successful, ok, error },
    };
  }

  /** The first minute, or hour where minutes are forgotten, that begins at `at` or later. */
  firstWhole(agent: number, at: number, now: number): number {
    const span = spanAt(at, now, this.#newestHour.first([agent])![0]);
    return Math.ceil(at / span) * span;
  }

  hours(agent: number | null, from: number, until: number): HourCounts[] {
    const found = new Map<number, [number, number, number]>();
    for (const [start, kind, count] of agent === null ? [] : this.#hours.all([agent, from - (from % HOUR), until])) {
      const row = found.get(start) ?? [0, 0, 0];
      row[Math.min(kind, 2) as 0 | 1 | 2] += count;
      found.set(start, row);
    }
    return [...found].map(([start, [successful, failed, unattributed]]) => ({
      start,
      successful,
      failed,
      unattributed,
    }));
  }

  recentFailures(agent: number | null, since: number, until: number): RecentFailure[] {
    if (agent === null) return [];
    return this.#failures
      .all([agent, since, until])
      .map(([seq, at, code, action]) => ({ error_code: code, action, timestamp: formatTime(at), seq }));
  }
}

/** What is counted alone at `at`, in ms. One entry of a clock that ran ahead has minutes forgotten that are not old. */
function spanAt(at: number, now: number, newestHour: number | null): number {
  return at < Math.max(now + HOUR, newestHour ?? 0) - MINUTES_KEPT ? HOUR : MINUTE;
}
