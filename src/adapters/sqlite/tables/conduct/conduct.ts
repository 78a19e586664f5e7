import type { Conduct, TrustFloor } from '../../../../app/ports/log.js';
import type { Clock } from '../../../../app/ports/state.js';
import type { Entry } from '../../../../protocol/log/entry.js';
import { readTrust } from '../../../../trust/score.js';
import type { Agents } from './agents.js';
import { utf8, type Database } from '../../engine/database.js';
import type { Log } from '../log/log.js';
import { Tallies } from './tallies.js';
import { TrustStates } from './trust-states.js';

/** A fold that is this far behind is written down when it has caught up. */
const FAR = 256;
/** The name of all strangers together; no agent's. */
const ALL_STRANGERS = '';

/** The reports' side of the log. Written with each entry, read without touching the log. */
export class ConductTables implements Conduct {
  readonly #database: Database;
  readonly #agents: Agents;
  readonly #tallies: Tallies;
  readonly #trust: TrustStates;
  readonly #held;
  readonly #open;
  readonly #clock: Clock;
  readonly #settle: (work: () => void) => void;
  /** What is to be written once a moment is over. */
  #later: (() => void)[] | null = null;

  /** `settle` runs work in a write transaction of its own, or at once inside of one. */
  constructor(
    database: Database,
    path: string,
    parts: { agents: Agents; log: Log; clock: Clock; settle: (work: () => void) => void },
  ) {
    this.#database = database;
    this.#agents = parts.agents;
    this.#clock = parts.clock;
    this.#settle = parts.settle;
    this.#tallies = new Tallies(database);
    this.#trust = new TrustStates(database, path, parts.log);
    // Not by agent: of one agent there may be far more entries than of a minute.
    this.#open = database.query(
      ['number'],
      `SELECT count(*) FROM entries WHERE +agent = ? AND at >= ? AND at < ? AND kind = 0 AND success = 1
         AND NOT EXISTS (SELECT 1 FROM outcomes WHERE decision = entries.seq AND final = 1)`,
    );
    this.#held = database.query(
      ['text'],
      `SELECT ${utf8('name')} FROM agents WHERE successful + failed > 0 ORDER BY name`,
    );
  }

  /** Inside a write transaction, after the entry was written. */
  count(agent: number, entry: Entry): void {
    this.#tallies.count(agent, entry);
    this.#trust.count(agent, entry);
  }

  /**
   * Inside a write transaction: a refusal without an entry that may be a stranger's doing. Of an agent that the log holds to nothing and that
   * is not known here, which null stands for, the name is not kept: strangers make up as many as they like.
   */
  countFolded(agentId: string | null, code: string, at: number): void {
    const agent = this.#agents.findOrAdd(agentId ?? ALL_STRANGERS);
    this.#agents.countFolded(agent, code);
    this.#tallies.countFolded(agent, code, at);
  }

  /** Inside a write transaction: the final word on an accepted intent. */
  countEnded(agent: number, acceptedAt: number, ok: boolean): void {
    this.#tallies.countEnded(agent, acceptedAt, ok);
  }

  flush(): void {
    this.#tallies.flush();
    this.#trust.flush();
  }

  forget(): void {
    this.#tallies.forget();
    this.#trust.forget();
  }

  /** The folds of all agents at entry `until`, for when the entries up to there are gone. */
  floors(until: number): TrustFloor[] {
    return this.#trust.floors((agentId) => this.#agents.find(agentId), until);
  }

  /** Inside a write transaction. */
  keepFloors(floors: readonly TrustFloor[]): void {
    for (const { agentId, seq, state } of floors) this.#trust.keepFloor(this.#agents.findOrAdd(agentId), seq, state);
  }

  judgeBy(rules: Parameters<Conduct['judgeBy']>[0]): void {
    this.#trust.judgeBy(rules);
  }

  atOneMoment<T>(work: () => T): T {
    if (this.#later !== null) return work();
    const later = (this.#later = []) as (() => void)[];
    let result: T;
    try {
      result = this.#database.atOneMoment(work);
    } finally {
      this.#later = null;
    }
    for (const each of later) this.#settle(each);
    return result;
  }

  agents(): string[] {
    return this.#held.all([]).map(([name]) => name);
  }

  counts(agentId: string, since: number | null) {
    const now = this.#clock();
    const found = this.#tallies.since(this.#agents.find(agentId), since ?? 0, now, since === null ? null : now);
    return { since: since === null ? null : found.since, counts: found.counts };
  }

  hours(agentId: string, from: number) {
    return this.#tallies.hours(this.#agents.find(agentId), from, this.#clock());
  }

  recentFailures(agentId: string, since: number | null) {
    // A minute of grace, as the counts have it: an entry of this very minute is of now.
    const until = since === null ? Number.MAX_SAFE_INTEGER : this.#clock() + 60_000;
    return this.#tallies.recentFailures(this.#agents.find(agentId), since ?? 0, until);
  }

  outcomes(agentId: string, since: number | null, unknownBefore: number) {
    const agent = this.#agents.find(agentId);
    if (agent === null) return { ok: 0, error: 0, unknown: 0, running: 0 };
    const now = this.#clock();
    const until = since === null ? null : now;
    const { accepted, ok, error } = this.#tallies.since(agent, since ?? 0, now, until).endings;
    // What is still running was accepted lately: counted whole minutes or hours, and entries before the first of them.
    const lately = Math.max(unknownBefore, since ?? 0);
    const from = this.#tallies.firstWhole(agent, lately, now);
    const whole = this.#tallies.since(agent, from, now, until).endings;
    const [before] = this.#open.first([agent, lately, from])!;
    const running = before + whole.accepted - whole.ok - whole.error;
    return { ok, error, unknown: accepted - ok - error - running, running };
  }

  trust(agentId: string, now: number) {
    const agent = this.#agents.find(agentId);
    const folded = this.#trust.folded(agent, agentId);
    if (agent !== null && folded.behind > FAR) {
      const keep = (): void => this.#trust.keep(agent, this.#trust.folded(agent, agentId));
      if (this.#later === null) this.#settle(keep);
      else this.#later.push(keep);
    }
    return readTrust(folded.state, this.#trust.rules, now);
  }

  trustByHour(agentId: string, from: number) {
    return this.#trust.byHour(this.#agents.find(agentId), from);
  }

  retrace(agentId: string, now: number, onEvent: Parameters<Conduct['retrace']>[2]) {
    return this.#trust.retrace(this.#agents.find(agentId), agentId, now, onEvent);
  }
}
