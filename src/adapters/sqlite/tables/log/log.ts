import type { EntryQuery, Random, RecordQuery } from '../../../../app/ports/state.js';
import type { JsonObject } from '../../../../protocol/json/values.js';
import { seal, sealRecord } from '../../../../protocol/log/chain.js';
import type { Entry, EntryDraft, LogRecord, RecordType } from '../../../../protocol/log/entry.js';
import { formatTime, parseTime } from '../../../../protocol/time.js';
import type { Agents } from '../conduct/agents.js';
import { utf8, type Database, type Statement, type SqlValue } from '../../engine/database.js';
import { damaged } from '../../engine/failures.js';
import type { LogHeadRow } from './head.js';
import type { Lookups } from './lookups.js';
import { COLUMNS, PAGE_ROWS, Pages, type EntryRow } from './pages.js';
import type { Tree } from './tree.js';

/** Of the first version. */
type FirstBody = [
  verifier: string,
  prevHash: string,
  dialect: Entry['dialect'],
  errorMessage: Entry['error_message'],
  intentHash: Entry['intent_hash'],
  nonce: Entry['nonce'],
  signature: Entry['signature'],
  latencyUs: number,
  params: Entry['params'],
  details: Entry['details'],
];

type Body = [
  ...FirstBody,
  target: Entry['target'],
  intentTimestamp: Entry['intent_timestamp'],
  keyId: Entry['key_id'],
  passportHash: Entry['passport_hash'],
  passportSerial: Entry['passport_serial'],
  approvalRequest: Entry['approval_request'],
  salts: string,
  withheld: Entry['withheld'],
  erased: Entry['erased'],
  observed?: Entry['observed'],
];

/** What an entry of another kind holds beside its place and its agent. */
type OtherBody = [verifier: string, prevHash: string, salts: string, erased: Entry['erased'], rest: object];

/** By the numbers of the column. */
const KINDS = ['verification', 'outcome', 'erasure', 'interrupted'] as const satisfies readonly RecordType[];

/** What stands with a verification, and is no part of it. */
export interface Aside {
  /** The params as they were sent, where the draft may hold others. */
  readonly sent: JsonObject | null;
  /** What the hash of the outcome token begins with. */
  readonly token: Uint8Array | null;
}

/** What is written with each entry. */
export interface LogParts {
  readonly agents: Agents;
  readonly tree: Tree;
  readonly lookups: Lookups;
  readonly random: Random;
}

/** The verification log. */
export class Log {
  readonly #database: Database;
  readonly #path: string;
  readonly #parts: LogParts;
  readonly #add: Statement;
  readonly #base;
  readonly #rewrite;
  readonly #token;
  #last: { readonly text: string | null; readonly at: number } = { text: null, at: 0 };

  constructor(database: Database, path: string, parts: LogParts) {
    this.#database = database;
    this.#path = path;
    this.#parts = parts;
    this.#add = database.statement(
      'INSERT INTO entries (seq, at, agent, action, success, code, hash, body, kind, token) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    );
    this.#rewrite = database.statement('UPDATE entries SET body = ? WHERE seq = ?');
    this.#base = database.query(['number'], 'SELECT base_seq FROM head WHERE id = 1');
    this.#token = database.query(
      ['text?'],
      'SELECT CAST(hex(token) AS BLOB) FROM entries WHERE seq = ? AND token IS NOT NULL',
    );
  }

  append(head: LogHeadRow, verifier: string, draft: EntryDraft, { sent, token }: Aside = NOTHING_ASIDE): Entry {
    const at = this.#timeOf(draft);
    const { agents, tree, lookups, random } = this.#parts;
    const { entry, leaf } = seal(draft, sent, verifier, head, random);
    const agent = agents.findOrAdd(entry.agent_id);
    const body = bodyOf(entry);
    const success = entry.status === 'success' ? 1 : 0;
    this.#add.run([
      ...[entry.seq, at, agent, entry.action, success, entry.error_code, entry.hash, JSON.stringify(body), 0],
      token,
    ]);
    agents.count(agent, entry);
    tree.add(leaf);
    if (entry.intent_hash !== null) lookups.add(entry.seq, entry.intent_hash);
    if (entry.nonce !== null) lookups.add(entry.seq, entry.nonce);
    head.seq = entry.seq;
    head.hash = entry.hash;
    return entry;
  }

  /** Entries of the other kinds: they count nothing. */
  appendRecord(head: LogHeadRow, verifier: string, draft: Parameters<typeof sealRecord>[0]): LogRecord {
    const at = this.#timeOf(draft);
    const { agents, tree, lookups, random } = this.#parts;
    const { entry, leaf } = sealRecord(draft, verifier, head, random);
    const { type, seq, agent_id, hash } = entry;
    const body = otherBodyOf(entry);
    const success = 'status' in entry && entry.status !== 'error' ? 1 : 0;
    const kind = KINDS.indexOf(type);
    this.#add.run([seq, at, agents.findOrAdd(agent_id), null, success, null, hash, JSON.stringify(body), kind, null]);
    tree.add(leaf);
    if (entry.type === 'interrupted') lookups.add(seq, entry.intent_hash);
    head.seq = seq;
    head.hash = hash;
    return entry;
  }

  /** Writes what is left of an entry after values were erased, inside a write transaction: its hash is as it was. */
  rewrite(record: LogRecord): void {
    const { seq, hash } = record;
    for (const each of this.records({ afterSeq: seq - 1 })) {
      if (each.seq !== seq || each.hash !== hash) throw damaged(this.#path);
      if (each.type === 'verification') {
        const { lookups } = this.#parts;
        if (each.intent_hash !== null) lookups.drop(seq, each.intent_hash);
        if (each.nonce !== null) lookups.drop(seq, each.nonce);
        const left = record as Entry;
        if (left.intent_hash !== null) lookups.add(seq, left.intent_hash);
        if (left.nonce !== null) lookups.add(seq, left.nonce);
      }
      break;
    }
    const body = record.type === 'verification' ? bodyOf(record) : otherBodyOf(record);
    this.#rewrite.run([JSON.stringify(body), seq]);
  }

  /** What the hash of the outcome token of an accepted intent begins with; null where there is none. */
  token(seq: number): Uint8Array | null {
    const found = this.#token.first([seq])?.[0] ?? null;
    return found === null ? null : Buffer.from(found, 'hex');
  }

  /** The entries of a transaction carry one time. */
  #timeOf({ timestamp }: Pick<EntryDraft, 'timestamp'>): number {
    if (this.#last.text !== timestamp) {
      const at = parseTime(timestamp);
      if (at === null || formatTime(at) !== timestamp) throw new TypeError('an entry needs a time in milliseconds');
      this.#last = { text: timestamp, at };
    }
    return this.#last.at;
  }

  /** Verifications. */
  *entries(query: EntryQuery): Generator<Entry> {
    for (const record of this.records({ ...query, type: 'verification' })) yield record as Entry;
  }

  /** Entries of every kind, or of one. */
  *records(query: RecordQuery): Generator<LogRecord> {
    const { where, values } = conditions(query);
    if (query.agentId !== undefined) {
      const agent = this.#parts.agents.find(query.agentId);
      if (agent === null) return;
      where.push('agent = ?');
      values.push(agent);
    }
    // What stands before the beginning of the log was pruned and waits to be deleted, or was put there: no chain vouches for it.
    let after = Math.max(query.afterSeq ?? 0, this.#base.first([])?.[0] ?? 0);
    if (query.since !== undefined) {
      // Clocks jump, so times need not ascend: no entry before this one is late enough, some after it may be too early.
      const first = this.#database
        .query(['number?'], 'SELECT min(seq) FROM entries WHERE at >= ? AND seq > ?')
        .first([query.since, after]);
      if (first![0] === null) return;
      after = Math.max(after, first![0] - 1);
    }
    if (query.last !== undefined) {
      const from = this.#oldestOfLast(where, values, after, query.last);
      if (from === null) return;
      after = from - 1;
    }
    const condition = ['seq > ?', ...where].join(' AND ');
    const pages = new Pages(this.#database, condition);
    const rowByRow = this.#database.query(
      COLUMNS,
      `SELECT seq, at, ${utf8('name')}, ${utf8('action')}, success, ${utf8('code')}, ${utf8('hash')}, ${utf8('body')}, kind
       FROM entries LEFT JOIN agents ON agents.id = agent WHERE ${condition} ORDER BY seq LIMIT ?`,
    );
    // The first row by itself: many look at one entry.
    for (let most = 1; ; most = PAGE_ROWS) {
      const asked = [after, ...values, most];
      const rows = pages.after(asked) ?? rowByRow.all(asked);
      for (const row of rows) yield this.#entry(row);
      if (rows.length < most) return;
      after = rows.at(-1)![0];
    }
  }

  #oldestOfLast(where: readonly string[], values: readonly SqlValue[], after: number, last: number): number | null {
    const row = this.#database
      .query(
        ['number?'],
        `SELECT min(seq) FROM (SELECT seq FROM entries WHERE ${['seq > ?', ...where].join(' AND ')} ORDER BY seq DESC LIMIT ?)`,
      )
      .first([after, ...values, last]);
    return row![0];
  }

  #entry([seq, at, name, action, success, code, hash, body, kind]: EntryRow): LogRecord {
    try {
      const held = (typeof body === 'string' ? JSON.parse(body) : body) as Body | OtherBody;
      const placed = { seq, timestamp: formatTime(at), agent_id: name ?? '' };
      if (kind !== 0) return otherOf(kind, placed, hash, held as OtherBody);
      const [verifier, prev_hash, dialect, error_message, intent_hash, nonce, signature, latency_us, params, details] =
        held as Body;
      const [, , , , , , , , , , target, intent_timestamp, key_id, passport_hash, passport_serial] = held as Body;
      const [approval_request, salts, withheld, erased, observed] = (held as Body).slice(15) as LastOf;
      return {
        type: 'verification',
        ...placed,
        action,
        target: target ?? null,
        params,
        status: success === 1 ? 'success' : 'failed',
        error_code: code,
        error_message,
        details,
        nonce,
        signature,
        intent_hash,
        intent_timestamp: intent_timestamp ?? null,
        key_id: key_id ?? null,
        passport_hash: passport_hash ?? null,
        passport_serial: passport_serial ?? null,
        approval_request: approval_request ?? null,
        dialect,
        verifier,
        latency_us,
        prev_hash,
        hash,
        salts: salts ?? null,
        withheld: withheld ?? null,
        erased: erased ?? null,
        // Whatever stands there is part of what the hash must be of.
        ...(observed === undefined ? null : { observed }),
      };
    } catch {
      throw damaged(this.#path);
    }
  }
}

function bodyOf(entry: Entry): Body {
  const body: Body = [
    entry.verifier,
    entry.prev_hash,
    entry.dialect,
    entry.error_message,
    entry.intent_hash,
    entry.nonce,
    entry.signature,
    entry.latency_us,
    entry.params,
    entry.details,
    entry.target,
    entry.intent_timestamp,
    entry.key_id,
    entry.passport_hash,
    entry.passport_serial,
    entry.approval_request,
    entry.salts!,
    entry.withheld,
    entry.erased,
  ];
  if (entry.observed !== undefined) body.push(entry.observed);
  return body;
}

function otherBodyOf(entry: Exclude<LogRecord, Entry>): OtherBody {
  const {
    type: _,
    seq: __,
    timestamp: ___,
    agent_id: ____,
    verifier,
    prev_hash,
    hash: _____,
    salts,
    withheld: ______,
    erased,
    ...rest
  } = entry;
  return [verifier, prev_hash, salts!, erased, rest];
}

const NOTHING_ASIDE: Aside = { sent: null, token: null };

type LastOf = [
  approvalRequest?: Entry['approval_request'],
  salts?: string,
  withheld?: Entry['withheld'],
  erased?: Entry['erased'],
  observed?: Entry['observed'],
];

function otherOf(
  kind: number,
  placed: object,
  hash: string,
  [verifier, prev_hash, salts, erased, rest]: OtherBody,
): LogRecord {
  const type = KINDS[kind];
  if (type === undefined || typeof rest !== 'object') throw new TypeError('an entry of an unknown kind');
  return { type, ...placed, ...rest, verifier, prev_hash, hash, salts, withheld: null, erased } as unknown as LogRecord;
}

/** Every condition but the agent and the place in the log. */
function conditions({ action, status, code, since, until, type }: RecordQuery): {
  where: string[];
  values: SqlValue[];
} {
  const where: string[] = [];
  const values: SqlValue[] = [];
  const add = (condition: string, value: SqlValue | undefined): void => {
    if (value === undefined) return;
    where.push(condition);
    values.push(value);
  };
  add('kind = ?', type === undefined ? undefined : KINDS.indexOf(type));
  add('action = ?', action);
  add('success = ?', status === undefined ? undefined : status === 'success' ? 1 : 0);
  add('code = ?', code);
  // The plus keeps SQLite from reading by time, which would sort the rest of the log for each page.
  add('+at >= ?', since);
  add('+at < ?', until);
  return { where, values };
}
