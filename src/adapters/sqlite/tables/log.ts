import type { EntryQuery } from '../../../app/ports/state.js';
import { seal } from '../../../protocol/log/chain.js';
import type { Entry, EntryDraft } from '../../../protocol/log/entry.js';
import { formatTime, parseTime } from '../../../protocol/time.js';
import type { Agents } from './agents.js';
import { text, type Database, type Statement, type Value } from '../database.js';
import { damaged } from '../failures.js';
import type { Head } from './head.js';
import { COLUMNS, PAGE, Pages, type EntryRow } from './pages.js';

type Body = [
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

/** The verification log. */
export class Log {
  readonly #database: Database;
  readonly #path: string;
  readonly #agents: Agents;
  readonly #add: Statement;
  readonly #base;
  #last: { readonly text: string | null; readonly at: number } = { text: null, at: 0 };

  constructor(database: Database, path: string, agents: Agents) {
    this.#database = database;
    this.#path = path;
    this.#agents = agents;
    this.#add = database.statement(
      'INSERT INTO entries (seq, at, agent, action, success, code, hash, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    );
    this.#base = database.query(['number'], 'SELECT base_seq FROM head WHERE id = 1');
  }

  append(head: Head, verifier: string, draft: EntryDraft): Entry {
    const at = this.#timeOf(draft);
    const entry = seal(draft, verifier, head);
    const agent = this.#agents.findOrAdd(entry.agent_id);
    const body: Body = [
      verifier,
      entry.prev_hash,
      entry.dialect,
      entry.error_message,
      entry.intent_hash,
      entry.nonce,
      entry.signature,
      entry.latency_us,
      entry.params,
      entry.details,
    ];
    this.#add.run([
      entry.seq,
      at,
      agent,
      entry.action,
      entry.status === 'success' ? 1 : 0,
      entry.error_code,
      entry.hash,
      JSON.stringify(body),
    ]);
    this.#agents.count(agent, entry);
    head.seq = entry.seq;
    head.hash = entry.hash;
    return entry;
  }

  /** The entries of a transaction carry one time. */
  #timeOf({ timestamp }: EntryDraft): number {
    if (this.#last.text !== timestamp) {
      const at = parseTime(timestamp);
      if (at === null || formatTime(at) !== timestamp) throw new TypeError('an entry needs a time in milliseconds');
      this.#last = { text: timestamp, at };
    }
    return this.#last.at;
  }

  *entries(query: EntryQuery): Generator<Entry> {
    const { where, values } = conditions(query);
    if (query.agentId !== undefined) {
      const agent = this.#agents.find(query.agentId);
      if (agent === null) return;
      where.push('agent = ?');
      values.push(agent);
    }
    // What stands before the beginning of the log was pruned and waits to be deleted, or was put there: no chain vouches for it.
    let after = Math.max(query.afterSeq ?? 0, this.#base.first([])?.[0] ?? 0);
    if (query.since !== undefined) {
      // Clocks jump, so times need not ascend: no entry before this one is late enough, some after it may be too early.
      const first = this.#database
        .query(['number?'], 'SELECT min(seq) FROM entries WHERE at >= ?')
        .first([query.since]);
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
      `SELECT seq, at, ${text('name')}, ${text('action')}, success, ${text('code')}, ${text('hash')}, ${text('body')}
       FROM entries LEFT JOIN agents ON agents.id = agent WHERE ${condition} ORDER BY seq LIMIT ${PAGE}`,
    );
    for (;;) {
      const rows = pages.after([after, ...values]) ?? rowByRow.all([after, ...values]);
      for (const row of rows) yield this.#entry(row);
      if (rows.length < PAGE) return;
      after = rows.at(-1)![0];
    }
  }

  #oldestOfLast(where: readonly string[], values: readonly Value[], after: number, last: number): number | null {
    const row = this.#database
      .query(
        ['number?'],
        `SELECT min(seq) FROM (SELECT seq FROM entries WHERE ${['seq > ?', ...where].join(' AND ')} ORDER BY seq DESC LIMIT ?)`,
      )
      .first([after, ...values, last]);
    return row![0];
  }

  #entry([seq, at, name, action, success, code, hash, body]: EntryRow): Entry {
    try {
      const [verifier, prev_hash, dialect, error_message, intent_hash, nonce, signature, latency_us, params, details] =
        (typeof body === 'string' ? JSON.parse(body) : body) as Body;
      return {
        seq,
        timestamp: formatTime(at),
        agent_id: name ?? '',
        action,
        params,
        status: success === 1 ? 'success' : 'failed',
        error_code: code,
        error_message,
        details,
        nonce,
        signature,
        intent_hash,
        dialect,
        verifier,
        latency_us,
        prev_hash,
        hash,
      };
    } catch {
      throw damaged(this.#path);
    }
  }
}

/** Every condition but the agent and the place in the log. */
function conditions({ action, status, code, since, until }: EntryQuery): { where: string[]; values: Value[] } {
  const where: string[] = [];
  const values: Value[] = [];
  const add = (condition: string, value: Value | undefined): void => {
    if (value === undefined) return;
    where.push(condition);
    values.push(value);
  };
  add('action = ?', action);
  add('success = ?', status === undefined ? undefined : status === 'success' ? 1 : 0);
  add('code = ?', code);
  // The plus keeps SQLite from reading by time, which would sort the rest of the log for each page.
  add('+at >= ?', since);
  add('+at < ?', until);
  return { where, values };
}
