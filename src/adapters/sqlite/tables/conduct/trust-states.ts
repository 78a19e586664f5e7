import type { TrustFloor } from '../../../../app/ports/log.js';
import type { Entry } from '../../../../protocol/log/entry.js';
import { GUIDE_RULES, ruleName, type TrustRules } from '../../../../trust/rules.js';
import {
  newcomer,
  observe,
  parseTrustState,
  readTrust,
  type TrustEvent,
  type TrustState,
} from '../../../../trust/score.js';
import { utf8, type Database } from '../../engine/database.js';
import { damaged } from '../../engine/failures.js';
import type { Log } from '../log/log.js';

const HOUR = 3_600_000;

interface Folded {
  readonly state: TrustState;
  /** The newest entry of the agent taken in. */
  seq: number;
  /** The score at the end of each hour that is over. */
  readonly hours: Map<number, number>;
  /** The hour of the newest entry taken in here, ms. */
  hour: number | null;
  /** Entries taken in that are not written down. */
  behind: number;
}

/**
 * The fold of each agent, kept where its entries are. What is stored says how far it came, so that entries written by a process with other rules
 * are taken in when they are next needed, and the score is always that of the whole log.
 */
export class TrustStates {
  readonly #path: string;
  readonly #log: Log;
  readonly #find;
  readonly #floor;
  readonly #put;
  readonly #putFloor;
  readonly #raise;
  readonly #keepOthers;
  readonly #putHour;
  readonly #hours;
  readonly #missed;
  readonly #pending = new Map<number, Folded>();
  #rules: TrustRules = GUIDE_RULES;
  #name = ruleName(GUIDE_RULES);

  constructor(database: Database, path: string, log: Log) {
    this.#path = path;
    this.#log = log;
    const find = (table: string) =>
      database.query(['number', 'text'], `SELECT seq, ${utf8('state')} FROM ${table} WHERE agent = ? AND rules = ?`);
    const put = (table: string) =>
      database.statement(
        `INSERT INTO ${table} (agent, rules, seq, state) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET seq = ?3, state = ?4`,
      );
    this.#find = find('trust_states');
    this.#floor = find('trust_floors');
    this.#put = put('trust_states');
    this.#putFloor = put('trust_floors');
    this.#raise = database.statement(
      'UPDATE trust_states SET seq = ?3, state = ?4 WHERE agent = ?1 AND rules = ?2 AND seq < ?3',
    );
    this.#keepOthers = database.statement(
      `INSERT INTO trust_floors (agent, rules, seq, state)
         SELECT agent, rules, seq, state FROM trust_states WHERE agent = ?1 AND rules <> ?2
       ON CONFLICT DO UPDATE SET seq = excluded.seq, state = excluded.state WHERE excluded.seq > seq`,
    );
    // Nearly always there is none, and then the log need not be read.
    this.#missed = database.query(
      ['number'],
      'SELECT seq FROM entries WHERE agent = ? AND seq > ? AND seq <= ? LIMIT 1',
    );
    this.#putHour = database.statement(
      `INSERT INTO trust_hours (agent, rules, start, score) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET score = ?4`,
    );
    this.#hours = database.query(
      ['number', 'number'],
      'SELECT start, score FROM trust_hours WHERE agent = ? AND rules = ? AND start >= ? ORDER BY start',
    );
  }

  get rules(): TrustRules {
    return this.#rules;
  }

  judgeBy(rules: TrustRules): void {
    const name = ruleName(rules);
    if (name !== this.#name) this.#pending.clear();
    this.#rules = rules;
    this.#name = name;
  }

  /** Inside a write transaction, after the entry was written. */
  count(agent: number, entry: Entry): void {
    const folded = this.folded(agent, entry.agent_id, entry.seq - 1);
    this.#take(folded, entry);
    this.#pending.set(agent, folded);
  }

  /** The fold up to entry `until`; for an agent without a number, a newcomer's. */
  folded(agent: number | null, agentId: string, until = Number.MAX_SAFE_INTEGER): Folded {
    const pending = agent === null ? undefined : this.#pending.get(agent);
    if (pending !== undefined) return pending;
    const folded = this.#start(agent === null ? undefined : this.#find.first([agent, this.#name]), agent);
    if (agent !== null && this.#missed.first([agent, folded.seq, until]) !== undefined) {
      this.#catchUp(folded, agentId, until);
    }
    return folded;
  }

  /** From the oldest entry kept, or what pruning left of the ones before it. */
  retrace(agent: number | null, agentId: string, now: number, onEvent: (event: TrustEvent) => void) {
    const folded = this.#start(undefined, agent);
    for (const entry of this.#log.entries({ agentId, afterSeq: folded.seq })) this.#take(folded, entry, onEvent);
    return readTrust(folded.state, this.#rules, now, onEvent);
  }

  /** The folds at entry `until` of all agents that the entries up to there speak of. */
  floors(numberOf: (agentId: string) => number | null, until: number): TrustFloor[] {
    const folds = new Map<string, Folded>();
    for (const entry of this.#log.entries({})) {
      if (entry.seq > until) break;
      let folded = folds.get(entry.agent_id);
      if (folded === undefined) {
        folds.set(entry.agent_id, (folded = this.#start(undefined, numberOf(entry.agent_id))));
      }
      // Entries before the floor that it starts from were pruned, and wait to be deleted.
      if (entry.seq > folded.seq) this.#take(folded, entry);
    }
    return [...folds].map(([agentId, { seq, state }]) => ({ agentId, seq, state: JSON.stringify(state) }));
  }

  /** Inside a write transaction that takes away what the folds were made of. */
  keepFloor(agent: number, seq: number, state: string): void {
    const values = [agent, this.#name, seq, state];
    this.#putFloor.run(values);
    // A fold that is behind could not catch up any more.
    this.#raise.run(values);
    // Under other rules computing anew begins where their own fold stands: they are unknown here.
    this.#keepOthers.run([agent, this.#name]);
  }

  byHour(agent: number | null, from: number): { start: number; score: number }[] {
    if (agent === null) return [];
    return this.#hours.all([agent, this.#name, from - (from % HOUR)]).map(([start, score]) => ({ start, score }));
  }

  flush(): void {
    for (const [agent, folded] of this.#pending) {
      const { state, seq, hours, hour, behind } = folded;
      if (behind === 0) continue;
      if (hour !== null) hours.set(hour, this.#scoreOf(folded));
      this.#put.run([agent, this.#name, seq, JSON.stringify(state)]);
      for (const [start, score] of hours) this.#putHour.run([agent, this.#name, start, score]);
    }
    this.#pending.clear();
  }

  forget(): void {
    this.#pending.clear();
  }

  /** Holds a fold ready to be written at the end of the transaction. */
  keep(agent: number, folded: Folded): void {
    this.#pending.set(agent, folded);
  }

  #start(row: [number, string] | undefined, agent: number | null): Folded {
    const known = row ?? (agent === null ? undefined : this.#floor.first([agent, this.#name]));
    if (known === undefined) return { state: newcomer(this.#rules), seq: 0, hours: new Map(), hour: null, behind: 0 };
    const state = parseTrustState(known[1], this.#rules);
    if (state === null) throw damaged(this.#path);
    return { state, seq: known[0], hours: new Map(), hour: null, behind: 0 };
  }

  #catchUp(folded: Folded, agentId: string, until: number): void {
    for (const entry of this.#log.entries({ agentId, afterSeq: folded.seq })) {
      if (entry.seq > until) return;
      this.#take(folded, entry);
    }
  }

  #take(folded: Folded, entry: Entry, onEvent?: (event: TrustEvent) => void): void {
    // The log holds none but valid times; a damaged one is damage elsewhere.
    const at = Date.parse(entry.timestamp) || 0;
    const hour = at - (at % HOUR);
    if (folded.hour !== null && folded.hour !== hour) folded.hours.set(folded.hour, this.#scoreOf(folded));
    folded.hour = hour;
    observe(folded.state, { ...entry, at }, this.#rules, onEvent);
    folded.seq = entry.seq;
    folded.behind += 1;
  }

  /** As of its newest entry. */
  #scoreOf({ state }: Folded): number {
    return readTrust(state, this.#rules, state.lastAt ?? 0).score;
  }
}
