import type { Entry } from '../../../../protocol/log/entry.js';
import { isAttributable, isCounted } from '../../../../protocol/log/attribution.js';
import { utf8, type Database } from '../../engine/database.js';

/** What the log says of an agent in all, kept up to date so that a report costs the same however long the log is. */
export interface Tally {
  readonly total: number;
  readonly successful: number;
  /** Refusals that the agent can be held to. */
  readonly failed: number;
  /** Refusals that may be a stranger's doing. */
  readonly unattributed: number;
  /** How often each code was given. */
  readonly codes: ReadonlyMap<string, number>;
}

interface Counts {
  total: number;
  successful: number;
  failed: number;
  unattributed: number;
  readonly codes: Map<string, number>;
}

const MOST_REMEMBERED = 4096;

/** Agents by number, and their tallies. */
export class Agents {
  readonly #find;
  readonly #add;
  readonly #count;
  readonly #countCode;
  readonly #tally;
  readonly #held;
  readonly #codes;
  /** Numbers are given for good, so committed ones stay true whatever other processes do. */
  readonly #ids = new Map<string, number>();
  readonly #pending = new Map<number, Counts>();

  constructor(database: Database) {
    this.#find = database.query(['number'], 'SELECT id FROM agents WHERE name = ?');
    this.#add = database.statement('INSERT INTO agents (name) VALUES (?)');
    this.#count = database.statement(
      `UPDATE agents SET total = total + ?, successful = successful + ?, failed = failed + ?, unattributed = unattributed + ?
       WHERE id = ?`,
    );
    this.#countCode = database.statement(
      `INSERT INTO code_tallies (agent, code, count) VALUES (?1, ?2, ?3)
       ON CONFLICT (agent, code) DO UPDATE SET count = count + ?3`,
    );
    this.#tally = database.query(
      ['number', 'number', 'number', 'number'],
      'SELECT total, successful, failed, unattributed FROM agents WHERE id = ?',
    );
    this.#held = database.query(['number'], 'SELECT 1 FROM agents WHERE name = ? AND successful + failed > 0');
    this.#codes = database.query(['text', 'number'], `SELECT ${utf8('code')}, count FROM code_tallies WHERE agent = ?`);
  }

  /** Null for an agent never seen. */
  find(agentId: string): number | null {
    const known = this.#ids.get(agentId);
    if (known !== undefined) return known;
    const row = this.#find.first([agentId]);
    return row === undefined ? null : this.#remember(agentId, row[0]);
  }

  /** Inside a write transaction only. */
  findOrAdd(agentId: string): number {
    return this.find(agentId) ?? this.#remember(agentId, this.#add.insert([agentId]));
  }

  /** True for an agent that some committed entry says something about. */
  isHeldToSomething(agentId: string): boolean {
    return this.#held.first([agentId]) !== undefined;
  }

  count(id: number, entry: Entry): void {
    if (!isCounted(entry)) return;
    const counts = this.#countsOf(id);
    counts.total += 1;
    if (entry.status === 'success') counts.successful += 1;
    else if (isAttributable(entry)) counts.failed += 1;
    else counts.unattributed += 1;
    if (entry.error_code !== null) counts.codes.set(entry.error_code, (counts.codes.get(entry.error_code) ?? 0) + 1);
  }

  /** A refusal without an entry, that may be a stranger's doing. */
  countFolded(id: number, code: string): void {
    const counts = this.#countsOf(id);
    counts.total += 1;
    counts.unattributed += 1;
    counts.codes.set(code, (counts.codes.get(code) ?? 0) + 1);
  }

  #countsOf(id: number): Counts {
    let counts = this.#pending.get(id);
    if (counts === undefined) {
      this.#pending.set(id, (counts = { total: 0, successful: 0, failed: 0, unattributed: 0, codes: new Map() }));
    }
    return counts;
  }

  /** Writes what was counted: one row an agent, however many entries the transaction held. */
  flush(): void {
    for (const [id, { total, successful, failed, unattributed, codes }] of this.#pending) {
      this.#count.run([total, successful, failed, unattributed, id]);
      for (const [code, count] of codes) this.#countCode.run([id, code, count]);
    }
    this.#pending.clear();
  }

  /** After a rollback: nothing that the transaction learnt holds. */
  forget(): void {
    this.#ids.clear();
    this.#pending.clear();
  }

  tally(agentId: string): Tally | null {
    const id = this.find(agentId);
    const row = id === null ? undefined : this.#tally.first([id]);
    if (row === undefined) return null;
    const [total, successful, failed, unattributed] = row;
    return { total, successful, failed, unattributed, codes: new Map(this.#codes.all([id!])) };
  }

  #remember(agentId: string, id: number): number {
    if (this.#ids.size >= MOST_REMEMBERED) this.#ids.clear();
    this.#ids.set(agentId, id);
    return id;
  }
}
