import type { PassportFloor } from '../../../../app/ports/state.js';
import { utf8, type Database, type Query, type Row } from '../../engine/database.js';

const FLOOR = ['text', 'text', 'number', 'text', 'number'] as const;

/** Who may still speak for an agent: the serials below which passports are refused, and the names of keys that are bound to none. */
export class Floors {
  readonly #of: Query<Row<typeof FLOOR>>;
  readonly #raise;
  readonly #names;
  readonly #addName;

  constructor(database: Database) {
    // A key may have spoken under any number of names, and each that is given here is looked up with every envelope.
    const spoken = `SELECT ${utf8('agent_id')} FROM spoken_names WHERE key = ?1`;
    this.#names = database.query(
      ['text'],
      `SELECT * FROM (${spoken} LIMIT 256) UNION
       ${spoken} AND agent_id IN (SELECT subject FROM standing WHERE status <> 'active')`,
    );
    this.#addName = database.statement('INSERT OR IGNORE INTO spoken_names (key, agent_id) VALUES (?, ?)');
    this.#of = database.query(
      FLOOR,
      `SELECT ${utf8('agent_id')}, ${utf8('issuer_key')}, serial, ${utf8('hash')}, raised_at FROM passport_floors WHERE agent_id = ?`,
    );
    this.#raise = database.statement(
      `INSERT INTO passport_floors (agent_id, issuer_key, serial, hash, raised_at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (agent_id, issuer_key) DO UPDATE SET serial = excluded.serial, hash = excluded.hash,
       raised_at = excluded.raised_at WHERE excluded.serial > serial`,
    );
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

  /** The names that a key bound to no agent has spoken under: up to 256, and all that are denied. */
  spokenNames(key: string): readonly string[] {
    return this.#names.all([key]).map(([name]) => name);
  }

  addSpokenName(key: string, agentId: string): void {
    this.#addName.run([key, agentId]);
  }
}
