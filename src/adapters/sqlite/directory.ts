import type { KeyRecord, KeyStoreName, KnownPassport, Pin, StandingRecord } from '../../app/ports.js';
import type { Database, Query } from './database.js';

type PassportRow = [string, string, string, string | null, number];
type PinRow = [string, string, Uint8Array, number, string];
type StandingRow = [string, StandingRecord['status'], string | null, number, string | null, number | null, number];

/** What this machine knows about others: passports, pinned principals, where keys live, and the standing of everyone. */
export class Directory {
  readonly #passport: Query;
  readonly #passports: Query;
  readonly #addPassport: Query;
  readonly #dropPassport: Query;
  readonly #pins: Query;
  readonly #pinsOf: Query;
  readonly #addPin: Query;
  readonly #dropPins: Query;
  readonly #key: Query;
  readonly #addKey: Query;
  readonly #dropKey: Query;
  readonly #standing: Query;

  constructor(database: Database) {
    const passports = 'SELECT agent_id, name, text, path, added_at FROM passports';
    this.#passport = database.query(`${passports} WHERE agent_id = ?`);
    this.#passports = database.query(`${passports} ORDER BY agent_id`);
    this.#addPassport = database.query(
      'INSERT OR REPLACE INTO passports (agent_id, name, text, path, added_at) VALUES (?, ?, ?, ?, ?)',
    );
    this.#dropPassport = database.query('DELETE FROM passports WHERE agent_id = ?');
    const pins = 'SELECT did, key_id, public_key, pinned_at, source FROM pins';
    this.#pins = database.query(`${pins} ORDER BY did, key_id`);
    this.#pinsOf = database.query(`${pins} WHERE did = ? ORDER BY key_id`);
    this.#addPin = database.query(
      'INSERT OR REPLACE INTO pins (did, key_id, public_key, pinned_at, source) VALUES (?, ?, ?, ?, ?)',
    );
    this.#dropPins = database.query('DELETE FROM pins WHERE did = ?');
    this.#key = database.query('SELECT key_id, store, ref, created_at FROM keys WHERE key_id = ?');
    this.#addKey = database.query('INSERT OR REPLACE INTO keys (key_id, store, ref, created_at) VALUES (?, ?, ?, ?)');
    this.#dropKey = database.query('DELETE FROM keys WHERE key_id = ?');
    this.#standing = database.query(
      `SELECT subject, status, reason, changed_at, changed_by, suspended_until, version FROM standing WHERE subject = ?`,
    );
  }

  passport(agentId: string): KnownPassport | null {
    const row = this.#passport.row<PassportRow>([agentId]);
    return row === undefined ? null : passportOf(row);
  }

  passports(): readonly KnownPassport[] {
    return this.#passports.rows<PassportRow>([]).map(passportOf);
  }

  rememberPassport({ agentId, name, text, path, addedAt }: KnownPassport): void {
    this.#addPassport.run([agentId, name, text, path, addedAt]);
  }

  forgetPassport(agentId: string): boolean {
    return this.#dropPassport.change([agentId]) > 0;
  }

  pins(did: string | undefined): readonly Pin[] {
    return did === undefined ? this.#pins.rows<PinRow>([]).map(pinOf) : this.#pinsOf.rows<PinRow>([did]).map(pinOf);
  }

  pin({ did, keyId, publicKey, pinnedAt, source }: Pin): void {
    if (publicKey.length !== 32) throw new TypeError('a pinned key has 32 bytes');
    this.#addPin.run([did, keyId, publicKey, pinnedAt, source]);
  }

  unpin(did: string): number {
    return this.#dropPins.change([did]);
  }

  key(keyId: string): KeyRecord | null {
    const row = this.#key.row<[string, KeyStoreName, string, number]>([keyId]);
    return row === undefined ? null : { keyId: row[0], store: row[1], ref: row[2], createdAt: row[3] };
  }

  rememberKey({ keyId, store, ref, createdAt }: KeyRecord): void {
    this.#addKey.run([keyId, store, ref, createdAt]);
  }

  forgetKey(keyId: string): boolean {
    return this.#dropKey.change([keyId]) > 0;
  }

  standing(subject: string): StandingRecord | null {
    const row = this.#standing.row<StandingRow>([subject]);
    if (row === undefined) return null;
    const [name, status, reason, changedAt, changedBy, suspendedUntil, version] = row;
    return { subject: name, status, reason, changedAt, changedBy, suspendedUntil, version };
  }
}

function passportOf([agentId, name, text, path, addedAt]: PassportRow): KnownPassport {
  return { agentId, name, text, path, addedAt };
}

function pinOf([did, keyId, publicKey, pinnedAt, source]: PinRow): Pin {
  return { did, keyId, publicKey: new Uint8Array(publicKey), pinnedAt, source };
}
