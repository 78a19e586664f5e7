import type { Meter, MeterReading, Releasable, Usage } from '../../../app/ports/state.js';
import { holdsThing } from '../../../protocol/constraints/counted-names.js';
import { utf8, type Database } from '../engine/database.js';
import type { LogHeadRow } from './log/head.js';
import { Spans } from './spans.js';

const HOUR = 60 * 60 * 1000;
/** The longest window is a day; the second one covers clocks that disagree. In ms. */
const KEPT = 48 * HOUR;
/** Actions that one prune looks at, and usages of each that it forgets at most. */
const ACTIONS_PRUNED = 4;
const USAGES_PRUNED = 256;
const LARGEST = 2n ** 63n - 1n;

/** An answer that stays true for the rest of the transaction, as long as its own usages are added to it. */
interface Answer {
  readonly meter: Meter;
  readonly after: number;
  reading: MeterReading;
}

/** Accepted intents in sliding windows: how many, and how much. */
export class Windows {
  readonly #actionsOf;
  readonly #addAction;
  readonly #addUsages;
  readonly #nth;
  readonly #counted;
  readonly #empty;
  readonly #spans: Spans;
  readonly #actionsAfter;
  readonly #cut;
  readonly #prune;
  /** Of this transaction: another process may add actions between two. */
  readonly #actions = new Map<number, Map<string, number>>();
  readonly #answers = new Map<number, Answer[]>();
  /** Usages of this transaction, not written yet. */
  #pending: (number | string | null)[][] = [];
  #pruneFrom: number;

  /** `start` spreads the pruning of short-lived processes over the actions. */
  constructor(database: Database, start: number) {
    this.#pruneFrom = start;
    this.#actionsOf = database.query(['text', 'number'], `SELECT ${utf8('name')}, id FROM actions WHERE agent = ?`);
    this.#addAction = database.statement('INSERT INTO actions (agent, name) VALUES (?, ?)');
    // All of a transaction in one statement, as a JSON list; amounts as text, which no number of JavaScript rounds.
    this.#addUsages = database.statement(
      `INSERT INTO usages (action, at, n, currency, amount)
       SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, CAST(value ->> 4 AS INTEGER) FROM json_each(?)`,
    );
    this.#nth = database.query(
      ['number'],
      `SELECT at FROM usages WHERE action IN (SELECT value FROM json_each(?1)) AND at > ?2
       ORDER BY at DESC LIMIT 1 OFFSET ?3 - 1`,
    );
    this.#counted = database.query(
      ['number'],
      'SELECT n FROM usages WHERE action = ? AND at = ? AND currency = ? AND amount = ? LIMIT 1',
    );
    this.#empty = database.statement('UPDATE usages SET amount = 0 WHERE action = ? AND at = ? AND n = ?');
    this.#spans = new Spans(database);
    this.#actionsAfter = database.query(
      ['number'],
      `SELECT id FROM actions WHERE id > ? ORDER BY id LIMIT ${ACTIONS_PRUNED}`,
    );
    this.#cut = database.query(
      ['number?', 'number'],
      `SELECT max(at), count(*) FROM (SELECT at FROM usages WHERE action = ? AND at < ? ORDER BY at LIMIT ${USAGES_PRUNED})`,
    );
    this.#prune = database.statement('DELETE FROM usages WHERE action = ? AND at <= ?');
  }

  /**
   * Reads what lies after `now - windowMs`, also what lies after `now`: a clock set back must not open a window. The agent is null
   * where the state has never heard of it.
   */
  read(agent: number | null, meter: Meter, now: number): MeterReading {
    if (agent === null)
      return meter.kind === 'sum' ? { kind: 'sum', spent: 0n } : { kind: 'count', used: 0, roomAt: null };
    const after = now - meter.windowMs;
    let answers = this.#answers.get(agent);
    if (answers === undefined) this.#answers.set(agent, (answers = []));
    let answer = answers.find((known) => known.after === after && sameMeter(known.meter, meter));
    if (answer === undefined) {
      answer = { meter, after, reading: this.#ask(agent, meter, after) };
      answers.push(answer);
    }
    return answer.reading;
  }

  record(head: LogHeadRow, agent: number, { action, at, currency, amountMinor }: Usage): void {
    if (amountMinor !== null && (amountMinor < 0n || amountMinor > LARGEST)) {
      throw new RangeError('an amount outside of 0 to 2^63 - 1 minor units cannot be accounted for');
    }
    const actions = this.#known(agent);
    let id = actions.get(action);
    if (id === undefined) actions.set(action, (id = this.#addAction.insert([agent, action])));
    head.usages += 1;
    this.#pending.push([id, at, head.usages, currency, amountMinor === null ? null : String(amountMinor)]);
    this.#spans.add(id, at, currency, amountMinor);
    const answers = this.#answers.get(agent);
    if (answers !== undefined)
      this.#answers.set(
        agent,
        answers.filter((answer) => stillTrue(answer, action, at, currency, amountMinor)),
      );
  }

  /** Takes an amount out of the sums again; that it was accepted stays counted. False where no window holds it any more. */
  giveBack(agent: number, { action, at, currency, amountMinor }: Omit<Releasable, 'agentId' | 'mostMinor'>): boolean {
    this.#flushUsages();
    const id = this.#known(agent).get(action);
    const found = id === undefined ? undefined : this.#counted.first([id, at, currency, amountMinor]);
    if (id === undefined || found === undefined) return false;
    this.#empty.run([id, at, found[0]]);
    this.#spans.take(id, at, currency, amountMinor);
    this.#answers.delete(agent);
    return true;
  }

  /** Forgets a bounded number of usages that no window can reach any more, by whole hours so that their sums go too. */
  prune(now: number): void {
    const until = now - KEPT - ((now - KEPT) % HOUR);
    const actions = this.#actionsAfter.all([this.#pruneFrom]);
    for (const [action] of actions) {
      const [cut, pruned] = this.#cut.first([action, until])!;
      if (cut === null) continue;
      this.#prune.run([action, cut]);
      this.#spans.prune(action, pruned < USAGES_PRUNED ? until : cut);
    }
    this.#pruneFrom = actions.length < ACTIONS_PRUNED ? 0 : actions.at(-1)![0];
  }

  /** Writes what was recorded; the end of a transaction that commits. */
  flush(): void {
    this.#flushUsages();
    this.#spans.flush();
  }

  /** At the end of every transaction. */
  forget(): void {
    this.#pending = [];
    this.#spans.forget();
    this.#actions.clear();
    this.#answers.clear();
  }

  #ask(agent: number, meter: Meter, after: number): MeterReading {
    this.#flushUsages();
    const ids: number[] = [];
    for (const [action, id] of this.#known(agent)) if (meter.kind === 'sum' || counts(meter, action)) ids.push(id);
    if (meter.kind === 'sum') {
      return { kind: 'sum', spent: this.#spans.since(ids, after, meter.currency).amount };
    }
    const used = this.#spans.since(ids, after, null).count;
    if (used < meter.limit) return { kind: 'count', used, roomAt: null };
    // A limit of nothing never has room; there is no moment to name.
    const nth = meter.limit < 1 ? undefined : this.#nth.first([JSON.stringify(ids), after, meter.limit]);
    return { kind: 'count', used, roomAt: nth === undefined ? null : nth[0] + meter.windowMs };
  }

  #flushUsages(): void {
    if (this.#pending.length === 0) return;
    this.#addUsages.run([JSON.stringify(this.#pending)]);
    this.#pending = [];
  }

  #known(agent: number): Map<string, number> {
    let actions = this.#actions.get(agent);
    if (actions === undefined) {
      actions = new Map(this.#actionsOf.all([agent]));
      this.#actions.set(agent, actions);
    }
    return actions;
  }
}

/** True when `answer` holds with the usage added; a window that just filled up is asked again, to learn when it has room. */
function stillTrue(
  answer: Answer,
  action: string,
  at: number,
  currency: string | null,
  amount: bigint | null,
): boolean {
  const { meter, reading } = answer;
  if (at <= answer.after) return true;
  if (meter.kind === 'sum' && reading.kind === 'sum') {
    if (currency === meter.currency && amount !== null) answer.reading = { kind: 'sum', spent: reading.spent + amount };
    return true;
  }
  if (meter.kind !== 'count' || reading.kind !== 'count') return false;
  if (!counts(meter, action)) return true;
  if (reading.used + 1 >= meter.limit) return false;
  answer.reading = { kind: 'count', used: reading.used + 1, roomAt: null };
  return true;
}

function counts({ actions, word }: Extract<Meter, { kind: 'count' }>, name: string): boolean {
  return (actions === null || actions.includes(name)) && (word === null || holdsThing(name, word));
}

function sameMeter(a: Meter, b: Meter): boolean {
  if (a.windowMs !== b.windowMs) return false;
  if (a.kind === 'sum') return b.kind === 'sum' && a.currency === b.currency;
  return b.kind === 'count' && sameActions(a.actions, b.actions) && a.word === b.word && a.limit === b.limit;
}

function sameActions(a: readonly string[] | null, b: readonly string[] | null): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((name, i) => name === b[i]);
}
