import type { PassportFloor } from '../../../app/ports/state.js';
import { text, type Database, type Query, type Row } from '../database.js';

const FLOOR = ['text', 'text', 'number', 'text', 'number'] as const;

/** A file of the first version has none: made where it is missing. */
const TABLE = `
CREATE TABLE IF NOT EXISTS passport_floors (
  agent_id TEXT NOT NULL,
  issuer_key TEXT NOT NULL,      -- of the document it comes from; empty for an event of the mesh
  serial INTEGER NOT NULL,
  hash TEXT NOT NULL,
  raised_at INTEGER NOT NULL,
  PRIMARY KEY (agent_id, issuer_key)
) STRICT, WITHOUT ROWID;`;

/** The serials below which passports are refused, one for each agent and issuer. They outlive the passports themselves. */
export class Floors {
  readonly #of: Query<Row<typeof FLOOR>>;
  readonly #raise;
  readonly #drop;

  constructor(database: Database) {
    const there = database.query(['number'], "SELECT count(*) FROM sqlite_schema WHERE name = 'passport_floors'");
    if (there.first([])![0] === 0) database.exec(TABLE);
    this.#of = database.query(
      FLOOR,
      `SELECT ${text('agent_id')}, ${text('issuer_key')}, serial, ${text('hash')}, raised_at FROM passport_floors WHERE agent_id = ?`,
    );
    this.#raise = database.statement(
      `INSERT INTO passport_floors (agent_id, issuer_key, serial, hash, raised_at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (agent_id, issuer_key) DO UPDATE SET serial = excluded.serial, hash = excluded.hash,
       raised_at = excluded.raised_at WHERE excluded.serial > serial`,
    );
    this.#drop = database.statement("DELETE FROM passport_floors WHERE agent_id = ? AND issuer_key = ''");
  }

  of(agentId: string): readonly PassportFloor[] {
    return this.#of.all([agentId]).map(([agentId, issuerKey, serial, hash, raisedAt]) => ({
      agentId,
      issuerKey: issuerKey === '' ? null : issuerKey,
      serial,
      hash,
      raisedAt,
    }));
  }

  raise({ agentId, issuerKey, serial, hash, raisedAt }: PassportFloor): void {
    this.#raise.run([agentId, issuerKey ?? '', serial, hash, raisedAt]);
  }

  /** Takes back what an event said. */
  withdraw(agentId: string): void {
    this.#drop.run([agentId]);
  }
}
