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
  readonly #agents: Agents;
  readonly #tallies: Tallies;
  readonly #trust: TrustStates;
  readonly #held;
  readonly #outcomes;
  readonly #clock: Clock;
  readonly #settle: (work: () => void) => void;

  /** `settle` runs work in a write transaction of its own, or at once inside of one. */
  constructor(
    database: Database,
    path: string,
    parts: { agents: Agents; log: Log; clock: Clock; settle: (work: () => void) => void },
  ) {
    this.#agents = parts.agents;
    this.#clock = parts.clock;
    this.#settle = parts.settle;
    this.#tallies = new Tallies(database);
    this.#trust = new TrustStates(database, path, parts.log);
    this.#outcomes = database.query(
      ['number', 'number', 'number', 'number'],
      `SELECT coalesce(sum(ended = 1), 0), coalesce(sum(ended = 0), 0), coalesce(sum(ended IS NULL AND at < ?3), 0), count(*) FROM (
         SELECT at, (SELECT said.success FROM outcomes JOIN entries said ON said.seq = outcomes.seq
                      WHERE outcomes.decision = entries.seq AND final = 1) AS ended
           FROM entries WHERE agent = ?1 AND kind = 0 AND success = 1 AND at >= ?2)`,
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
    const [ok, error, unknown, all] =
      agent === null ? [0, 0, 0, 0] : this.#outcomes.first([agent, since ?? 0, unknownBefore])!;
    return { ok, error, unknown, running: all - ok - error - unknown };
  }

  trust(agentId: string, now: number) {
    const agent = this.#agents.find(agentId);
    const folded = this.#trust.folded(agent, agentId);
    if (agent !== null && folded.behind > FAR) {
      this.#settle(() => this.#trust.keep(agent, this.#trust.folded(agent, agentId)));
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
