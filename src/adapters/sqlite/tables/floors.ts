import type { PassportFloor } from '../../../app/ports/state.js';
import { text, type Database, type Query, type Row } from '../database.js';

const FLOOR = ['text', 'text', 'number', 'text', 'number'] as const;

/** The serials below which passports are refused, one for each agent and issuer. They outlive the passports themselves. */
export class Floors {
  readonly #of: Query<Row<typeof FLOOR>>;
  readonly #raise;
  readonly #drop;

  constructor(database: Database) {
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
