import type { Releasable } from '../../../app/ports/state.js';
import { utf8, type Database } from '../engine/database.js';

/** Made when something is first counted that may be given back: most states never hold one. */
const TABLE = `
CREATE TABLE IF NOT EXISTS releases (
  decision INTEGER PRIMARY KEY,
  agent_id TEXT NOT NULL,
  action TEXT NOT NULL,
  at INTEGER NOT NULL,           -- ms
  currency TEXT NOT NULL,
  amount INTEGER NOT NULL,       -- minor units
  most INTEGER NOT NULL,         -- minor units
  released_at INTEGER            -- ms; null while it counts
) STRICT;
CREATE INDEX IF NOT EXISTS releases_agent ON releases (agent_id, released_at);`;

/** What may be given back is asked for within a day; the second one covers clocks that disagree. In ms. */
const KEPT_MS = 48 * 3_600_000;
const COLUMNS = `${['agent_id', 'action'].map(utf8).join(', ')}, at, ${utf8('currency')}, ${utf8('amount')}, ${utf8('most')}`;

/** Accepted intents whose place in a daily limit may be given back, and those where it was. */
export class Releases {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  add(decision: number, { agentId, action, at, currency, amountMinor, mostMinor }: Releasable): void {
    if (!this.#exists()) this.#database.exec(TABLE);
    this.#database.statement('DELETE FROM releases WHERE at < ?').run([at - KEPT_MS]);
    this.#database
      .statement('INSERT INTO releases VALUES (?, ?, ?, ?, ?, ?, ?, NULL)')
      .run([decision, agentId, action, at, currency, amountMinor, mostMinor]);
  }

  find(decision: number): Releasable | null {
    if (!this.#exists()) return null;
    const row = this.#database
      .query(
        ['text', 'text', 'number', 'text', 'text', 'text'],
        `SELECT ${COLUMNS} FROM releases WHERE decision = ? AND released_at IS NULL`,
      )
      .first([decision]);
    if (row === undefined) return null;
    const [agentId, action, at, currency, amount, most] = row;
    return { agentId, action, at, currency, amountMinor: BigInt(amount), mostMinor: BigInt(most) };
  }

  since(agentId: string, currency: string, after: number): bigint {
    if (!this.#exists()) return 0n;
    const amounts = this.#database
      .query(['text'], `SELECT ${utf8('amount')} FROM releases WHERE agent_id = ? AND released_at > ? AND currency = ?`)
      .all([agentId, after, currency]);
    return amounts.reduce((sum, [amount]) => sum + BigInt(amount), 0n);
  }

  mark(decision: number, at: number): void {
    this.#database.statement('UPDATE releases SET released_at = ? WHERE decision = ?').run([at, decision]);
  }

  #exists(): boolean {
    // Asked every time: a rehearsal that made the table takes it back.
    const [count] = this.#database
      .query(['number'], "SELECT count(*) FROM sqlite_schema WHERE name = 'releases'")
      .first([])!;
    return count > 0;
  }
}
