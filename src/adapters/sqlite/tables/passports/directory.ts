import type { KeyRecord, KeyStoreName, KnownPassport, Pin, StandingRecord } from '../../../../app/ports/state.js';
import { damaged } from '../../engine/failures.js';
import { StandingMarks } from './standing-marks.js';
import { utf8, type Database, type Query, type Row } from '../../engine/database.js';

const PASSPORT = ['text', 'text', 'text', 'text?', 'number'] as const;
const PIN = ['text', 'text', 'bytes', 'number', 'text'] as const;
const KEY = ['text', 'text', 'text', 'number'] as const;
const STATUSES: ReadonlySet<string> = new Set(['active', 'suspended', 'revoked']);
const STANDING = ['text', 'text', 'text?', 'number', 'text?', 'number?', 'number'] as const;

/** What this machine knows about others: passports, pinned principals, where keys live, and the standing of everyone. */
export class Directory {
  readonly #path: string;
  readonly #hasNotes;
  readonly #note;
  readonly #passport: Query<Row<typeof PASSPORT>>;
  readonly #passports: Query<Row<typeof PASSPORT>>;
  readonly #addPassport;
  readonly #dropPassport;
  readonly #pins: Query<Row<typeof PIN>>;
  readonly #pinsOf: Query<Row<typeof PIN>>;
  readonly #addPin;
  readonly #dropPin;
  readonly #dropPins;
  readonly #key;
  readonly #keys;
  readonly #addKey;
  readonly #dropKey;
  readonly #standing;
  readonly #marks: StandingMarks;
  #isNoted = false;

  constructor(database: Database, path: string) {
    this.#path = path;
    this.#hasNotes = database.query(['number'], "SELECT count(*) FROM sqlite_schema WHERE name = 'mesh_notes'");
    this.#note = database.query(['text'], `SELECT ${utf8('value')} FROM mesh_notes WHERE name = ?`);
    const passports = `SELECT ${utf8('agent_id')}, ${utf8('name')}, ${utf8('text')}, ${utf8('path')}, added_at FROM passports`;
    this.#passport = database.query(PASSPORT, `${passports} WHERE agent_id = ?`);
    this.#passports = database.query(PASSPORT, `${passports} ORDER BY agent_id`);
    this.#addPassport = database.statement(
      'INSERT OR REPLACE INTO passports (agent_id, name, text, path, added_at) VALUES (?, ?, ?, ?, ?)',
    );
    this.#dropPassport = database.statement('DELETE FROM passports WHERE agent_id = ?');
    const pins = `SELECT ${utf8('did')}, ${utf8('key_id')}, public_key, pinned_at, ${utf8('source')} FROM pins`;
    this.#pins = database.query(PIN, `${pins} ORDER BY did, key_id`);
    this.#pinsOf = database.query(PIN, `${pins} WHERE did = ? ORDER BY key_id`);
    this.#addPin = database.statement(
      'INSERT OR REPLACE INTO pins (did, key_id, public_key, pinned_at, source) VALUES (?, ?, ?, ?, ?)',
    );
    this.#dropPin = database.statement('DELETE FROM pins WHERE did = ? AND key_id = ?');
    this.#dropPins = database.statement('DELETE FROM pins WHERE did = ?');
    const keys = `SELECT ${utf8('key_id')}, ${utf8('store')}, ${utf8('ref')}, created_at FROM keys`;
    this.#key = database.query(KEY, `${keys} WHERE key_id = ?`);
    this.#keys = database.query(KEY, `${keys} ORDER BY key_id`);
    this.#addKey = database.statement(
      'INSERT OR REPLACE INTO keys (key_id, store, ref, created_at) VALUES (?, ?, ?, ?)',
    );
    this.#dropKey = database.statement('DELETE FROM keys WHERE key_id = ?');
    this.#standing = database.query(
      STANDING,
      `SELECT ${utf8('subject')}, ${utf8('status')}, ${utf8('reason')}, changed_at, ${utf8('changed_by')}, suspended_until,
       version FROM standing WHERE subject = ?`,
    );
    this.#marks = new StandingMarks(database);
  }

  passport(agentId: string): KnownPassport | null {
    const row = this.#passport.first([agentId]);
    return row === undefined ? null : passportOf(row);
  }

  passports(): readonly KnownPassport[] {
    return this.#passports.all([]).map(passportOf);
  }

  rememberPassport({ agentId, name, text, path, addedAt }: KnownPassport): void {
    this.#addPassport.run([agentId, name, text, path, addedAt]);
  }

  forgetPassport(agentId: string): boolean {
    return this.#dropPassport.change([agentId]) > 0;
  }

  pins(did: string | undefined): readonly Pin[] {
    return did === undefined ? this.#pins.all([]).map(pinOf) : this.#pinsOf.all([did]).map(pinOf);
  }

  pin({ did, keyId, publicKey, pinnedAt, source }: Pin): void {
    if (publicKey.length !== 32) throw new TypeError('a pinned key has 32 bytes');
    this.#addPin.run([did, keyId, publicKey, pinnedAt, source]);
  }

  unpin(did: string, keyId: string | undefined): number {
    return keyId === undefined ? this.#dropPins.change([did]) : this.#dropPin.change([did, keyId]);
  }

  key(keyId: string): KeyRecord | null {
    const row = this.#key.first([keyId]);
    return row === undefined ? null : keyOf(row);
  }

  keys(): readonly KeyRecord[] {
    return this.#keys.all([]).map(keyOf);
  }

  rememberKey({ keyId, store, ref, createdAt }: KeyRecord): void {
    this.#addKey.run([keyId, store, ref, createdAt]);
  }

  forgetKey(keyId: string): boolean {
    return this.#dropKey.change([keyId]) > 0;
  }

  standing(subject: string): StandingRecord | null {
    const row = this.#standing.first([subject]);
    const record = row === undefined ? null : this.#standingOf(row);
    if (!this.#marks.agree(subject, record)) throw damaged(this.#path);
    return record;
  }

  /** What the copy of the mesh's state has written down under `name`; null also where there is no copy. */
  note(name: string): string | null {
    // The table is made once, by whichever process is the first to join, and every sitting asks this.
    this.#isNoted ||= this.#hasNotes.first([])![0] > 0;
    return this.#isNoted ? (this.#note.first([name])?.[0] ?? null) : null;
  }

  #standingOf(row: Row<typeof STANDING>): StandingRecord {
    const [name, status, reason, changedAt, changedBy, suspendedUntil, version] = row;
    // An unknown status must not pass for a good one.
    if (!STATUSES.has(status)) throw damaged(this.#path);
    return {
      subject: name,
      status: status as StandingRecord['status'],
      reason,
      changedAt,
      changedBy,
      suspendedUntil,
      version,
    };
  }
}

function passportOf([agentId, name, text, path, addedAt]: Row<typeof PASSPORT>): KnownPassport {
  return { agentId, name, text, path, addedAt };
}

function keyOf([keyId, store, ref, createdAt]: Row<typeof KEY>): KeyRecord {
  return { keyId, store: store as KeyStoreName, ref, createdAt };
}

function pinOf([did, keyId, publicKey, pinnedAt, source]: Row<typeof PIN>): Pin {
  return { did, keyId, publicKey, pinnedAt, source };
}
