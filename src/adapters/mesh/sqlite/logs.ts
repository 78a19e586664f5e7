/** Shipped verification logs in the mesh's store. */
import { closeSync, openSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { ruleShipment } from '../../../mesh/log/shipping.js';
import type {
  LogEnd,
  LogTable,
  Rewritten,
  Shipment,
  Shipped,
  ShippedLogQuery,
  ShippedRow,
  ShippedSelection,
} from '../../../mesh/log/store.js';
import { Database, utf8 } from '../../sqlite/engine/database.js';

/** Room on the disk that is left to the events, in bytes: a log that fills it would end the kill switch. */
const RESERVED_BYTES = 64 * 1024 * 1024;
/** The part of the oldest entries that is shed at once, of so many at most. */
const SHED_PART = 10;
const SHED_OF = 10_000;
/** Entries that are rewritten, dropped or let go at once: a deny waits no longer than that takes. */
const REWRITTEN = 200;
/** Entries that are looked through at once; the same holds. */
const SCANNED = 4_000;
/** A larger file is not written anew for an erasure: that would hold up denies. */
const MOST_WRITTEN_ANEW = 32 * 1024 * 1024;

const SCHEMA = `
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS shipped (
  row INTEGER PRIMARY KEY,
  log_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  hash TEXT NOT NULL,
  agent TEXT NOT NULL,
  status TEXT NOT NULL,
  code TEXT,
  at INTEGER NOT NULL,
  text TEXT NOT NULL,
  UNIQUE (log_id, seq)
) STRICT;
CREATE INDEX IF NOT EXISTS shipped_agent ON shipped (agent, row);
-- How far each log is held.
CREATE TABLE IF NOT EXISTS shippers (
  log_id TEXT PRIMARY KEY,
  verifier TEXT NOT NULL UNIQUE,
  key_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  hash TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- The last row when a log was dropped: the numbers up to it are given to no other entry.
CREATE TABLE IF NOT EXISTS shipped_floor (one INTEGER PRIMARY KEY CHECK (one = 1), row INTEGER NOT NULL) STRICT;
COMMIT;`;

/** The path of logs that are in no file. */
export const IN_MEMORY = ':memory:';

/** The columns of `shipped` since the first version. */
const FIRST_COLUMNS = 'row, log_id, seq, hash, agent, status, code, at, text';

/** Brings the file up to when entries arrived; of what is there already that is now, so that nothing is taken for older than it is. */
function addArrival(database: Database): void {
  database.transact(() => {
    const [version] = database.query(['number'], 'PRAGMA user_version').first([])!;
    if (version >= 1) return;
    const [now] = database.query(['number'], "SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER)").first([])!;
    database.exec(`ALTER TABLE shipped ADD COLUMN arrived INTEGER NOT NULL DEFAULT ${now}; PRAGMA user_version = 1`);
  });
}

/** Shipped logs in a file of their own, which may fill up, be shed and be lost without touching an event. */
export class SqliteLogs implements LogTable {
  readonly #path: string;
  readonly #quota: number;
  readonly #database: Database;
  readonly #sql: ReturnType<typeof statements>;
  #shed = 0;

  /** `quota` in bytes. `events`: the path of the store, in whose file the first version kept them; null leaves it alone. */
  constructor(path: string, quota: number, events: string | null) {
    this.#path = path;
    this.#quota = quota;
    // Private from its first byte.
    if (path !== IN_MEMORY) closeSync(openSync(path, 'a', 0o600));
    this.#database = new Database(path, 5_000);
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 4000;');
    this.#database.exec(SCHEMA);
    addArrival(this.#database);
    this.#sql = statements(this.#database);
    if (events !== null) this.#takeOver(events);
  }

  /** What a store of the first version holds is moved here once. */
  #takeOver(events: string): void {
    this.#database.exec(`ATTACH DATABASE '${events.replaceAll("'", "''")}' AS events`);
    const old = this.#database.query(['number'], "SELECT count(*) FROM events.sqlite_schema WHERE name = 'shipped'");
    if (old.first([])![0] > 0) {
      this.#database.exec(`
BEGIN IMMEDIATE;
INSERT OR IGNORE INTO shipped (${FIRST_COLUMNS}) SELECT ${FIRST_COLUMNS} FROM events.shipped;
INSERT OR IGNORE INTO shippers SELECT * FROM events.shippers;
DROP TABLE events.shipped;
DROP TABLE events.shippers;
COMMIT;`);
    }
    this.#database.exec('DETACH DATABASE events');
  }

  async put(shipment: Shipment): Promise<Shipped> {
    const { bavail, bsize } = statfsSync(dirname(this.#path));
    if (bavail * bsize < RESERVED_BYTES) return { kind: 'full' };
    const incoming = shipment.entries.reduce((sum, { text: body }) => sum + 2 * body.length, 0);
    this.#makeRoom(incoming);
    return this.#database.transact(() => this.#ship(shipment));
  }

  async usage(): Promise<{ bytes: number; quota: number; shed: number }> {
    return { bytes: this.#used(), quota: this.#quota, shed: this.#shed };
  }

  close(): void {
    this.#database.close(0);
  }

  #used(): number {
    const [pages, free, size] = [this.#sql.pages, this.#sql.free, this.#sql.pageSize].map((each) => each.first([])![0]);
    return (pages! - free!) * size!;
  }

  /** Oldest first. The newest stay, whatever the quota, so that rows go on counting. */
  #makeRoom(incoming: number): void {
    while (this.#used() + incoming > this.#quota) {
      const [count] = this.#sql.count.first([SHED_OF])!;
      const part = Math.ceil(count / SHED_PART);
      if (count <= part) return;
      const shed = this.#sql.shedOldest.change([part]);
      if (shed === 0) return;
      this.#shed += shed;
    }
  }

  async read({
    agentId,
    status,
    code,
    since,
    after = 0,
    last,
    limit,
  }: ShippedLogQuery): Promise<readonly ShippedRow[]> {
    const newest = last !== undefined;
    const most = last ?? limit;
    const { search, searchAgent, newestOf, newestOfAgent } = this.#sql;
    const query = agentId === undefined ? (newest ? newestOf : search) : newest ? newestOfAgent : searchAgent;
    const filters = [agentId ?? null, status ?? null, since ?? null, code ?? null];
    const rows: [number, string][] = [];
    // What few entries have is looked for in many.
    let [from, to] = this.#rowsAfter(after);
    for (;;) {
      const [low, high] = newest ? [Math.max(from, to - SCANNED), to] : [from, Math.min(to, from + SCANNED)];
      rows.push(...query.all([low, ...filters, most - rows.length, high]));
      [from, to] = newest ? [from, low] : [high, to];
      if (rows.length === most || from >= to) break;
      await turnOfOthers();
    }
    const found = rows.map(([row, body]) => ({ row, text: body }));
    return newest ? found.reverse() : found;
  }

  /** The rows that are there beyond `after`: those above the first number, up to the second. */
  #rowsAfter(after: number): [from: number, to: number] {
    const [oldest] = this.#sql.oldest.first([]) ?? [1];
    return [Math.max(after, oldest - 1), this.#sql.head.first([])![0]];
  }

  async head(): Promise<number> {
    return this.#sql.head.first([])![0];
  }

  async end(logId: string): Promise<LogEnd | null> {
    return this.#end(logId);
  }

  async ends(limit: number): Promise<readonly LogEnd[]> {
    return this.#sql.ends.all([limit]).map(endOf);
  }

  async expire(before: number): Promise<number> {
    const [, oldest] = this.#sql.oldest.first([]) ?? [0, before];
    if (oldest >= before) return 0;
    const most = Math.floor(this.#sql.count.first([-1])![0] / SHED_PART);
    for (let gone = 0; ;) {
      const due = Math.min(REWRITTEN, most - gone);
      const part = this.#sql.expire.change([before, due]);
      gone += part;
      if (part < REWRITTEN) return gone;
      await turnOfOthers();
    }
  }

  async rewrite(which: ShippedSelection, change: (text: string, logId: string) => string | null): Promise<Rewritten> {
    const { page, replace } = this.#sql;
    this.#database.overwriteDeleted();
    let entries = 0;
    let [after, to] = this.#rowsAfter(0);
    while (after < to) {
      const rows = page.all([after, which.agentId ?? null, which.logId ?? null, REWRITTEN, after + SCANNED]);
      this.#database.transact(() => {
        for (const [row, logId, body] of rows) {
          const left = change(body, logId);
          if (left === null) continue;
          replace.run([left, row]);
          entries += 1;
        }
      });
      after = rows.length < REWRITTEN ? after + SCANNED : rows.at(-1)![0];
      await turnOfOthers();
      to = this.#sql.head.first([])![0];
    }
    const overwritten = entries === 0 || (this.#used() <= MOST_WRITTEN_ANEW && this.#database.rewriteAll());
    return { entries, overwritten };
  }

  async endOf(verifier: string): Promise<LogEnd | null> {
    const found = this.#sql.logOf.first([verifier]);
    return found === undefined ? null : this.#end(found[0]);
  }

  async drop(logId: string): Promise<number> {
    const { keepFloor, dropSome, dropEnd } = this.#sql;
    for (let dropped = 0; ;) {
      const part = this.#database.transact(() => {
        keepFloor.run([]);
        const gone = dropSome.change([logId, REWRITTEN]);
        if (gone < REWRITTEN) dropEnd.run([logId]);
        return gone;
      });
      dropped += part;
      if (part < REWRITTEN) return dropped;
      await turnOfOthers();
    }
  }

  #end(logId: string): LogEnd | null {
    const row = this.#sql.end.first([logId]);
    return row === undefined ? null : endOf(row);
  }

  #ship(shipment: Shipment): Shipped {
    const { logId, verifier, at } = shipment;
    const named = this.#sql.logOf.first([verifier]);
    const ends = [this.#end(logId), named === undefined ? null : this.#end(named[0])].filter((end) => end !== null);
    const ruling = ruleShipment(shipment, ends, (seq) => this.#sql.hash.first([logId, seq])?.[0]);
    if (ruling.kind !== 'new') return ruling;
    let [row] = this.#sql.head.first([])!;
    for (const { seq, hash, agentId, status, code, at: loggedAt, text: body } of ruling.entries) {
      row += 1;
      this.#sql.add.run([row, logId, seq, hash, agentId, status, code, loggedAt, body, at]);
    }
    const { keyId, seq, hash } = ruling.end;
    this.#sql.setEnd.run([logId, verifier, keyId, seq, hash, at]);
    return { kind: 'stored', seq, hash };
  }
}

function turnOfOthers(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const END = ['text', 'text', 'text', 'number', 'text', 'number'] as const;
const END_SQL = `${utf8('log_id')}, ${utf8('verifier')}, ${utf8('key_id')}, seq, ${utf8('hash')}, at`;

const LAST_ROW = 'max(coalesce((SELECT max(row) FROM shipped), 0), coalesce((SELECT row FROM shipped_floor), 0))';

function endOf([logId, verifier, keyId, seq, hash, at]: [string, string, string, number, string, number]): LogEnd {
  return { logId, verifier, keyId, seq, hash, at };
}

function statements(database: Database) {
  const filters = '(?3 IS NULL OR status = ?3) AND (?4 IS NULL OR at >= ?4) AND (?5 IS NULL OR code = ?5)';
  const search = (order: 'row' | 'row DESC') =>
    database.query(
      ['number', 'text'],
      // ?2 IS NULL always holds here; it is named so that both queries take the same values.
      `SELECT row, ${utf8('text')} FROM shipped WHERE row > ?1 AND row <= ?7 AND ?2 IS NULL AND ${filters} ORDER BY ${order} LIMIT ?6`,
    );
  const searchAgent = (order: 'row' | 'row DESC') =>
    database.query(
      ['number', 'text'],
      `SELECT row, ${utf8('text')} FROM shipped INDEXED BY shipped_agent
       WHERE agent = ?2 AND row > ?1 AND row <= ?7 AND ${filters} ORDER BY ${order} LIMIT ?6`,
    );
  return {
    pages: database.query(['number'], 'PRAGMA page_count'),
    free: database.query(['number'], 'PRAGMA freelist_count'),
    pageSize: database.query(['number'], 'PRAGMA page_size'),
    // Up to a number; -1 for all.
    count: database.query(['number'], 'SELECT count(*) FROM (SELECT 1 FROM shipped LIMIT ?)'),
    shedOldest: database.statement('DELETE FROM shipped WHERE row IN (SELECT row FROM shipped ORDER BY row LIMIT ?)'),
    oldest: database.query(['number', 'number'], 'SELECT row, arrived FROM shipped ORDER BY row LIMIT 1'),
    // Of the ?2 oldest those before the first that arrived later.
    expire: database.statement(
      `WITH old AS MATERIALIZED (SELECT row, arrived FROM shipped ORDER BY row LIMIT ?2)
       DELETE FROM shipped WHERE row IN (SELECT row FROM old)
         AND row < coalesce((SELECT min(row) FROM old WHERE arrived >= ?1), 9223372036854775807)`,
    ),
    page: database.query(
      ['number', 'text', 'text'],
      `SELECT row, ${utf8('log_id')}, ${utf8('text')} FROM shipped
       WHERE row > ?1 AND row <= ?5 AND (?2 IS NULL OR agent = ?2) AND (?3 IS NULL OR log_id = ?3) ORDER BY row LIMIT ?4`,
    ),
    replace: database.statement('UPDATE shipped SET text = ? WHERE row = ?'),
    head: database.query(['number'], `SELECT ${LAST_ROW}`),
    keepFloor: database.statement(`INSERT OR REPLACE INTO shipped_floor SELECT 1, ${LAST_ROW}`),
    dropSome: database.statement('DELETE FROM shipped WHERE row IN (SELECT row FROM shipped WHERE log_id = ? LIMIT ?)'),
    dropEnd: database.statement('DELETE FROM shippers WHERE log_id = ?'),
    hash: database.query(['text'], `SELECT ${utf8('hash')} FROM shipped WHERE log_id = ? AND seq = ?`),
    add: database.statement(
      'INSERT INTO shipped (row, log_id, seq, hash, agent, status, code, at, text, arrived) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    ),
    end: database.query(END, `SELECT ${END_SQL} FROM shippers WHERE log_id = ?`),
    ends: database.query(END, `SELECT ${END_SQL} FROM shippers ORDER BY at DESC, log_id LIMIT ?`),
    logOf: database.query(['text'], `SELECT ${utf8('log_id')} FROM shippers WHERE verifier = ?`),
    setEnd: database.statement('INSERT OR REPLACE INTO shippers VALUES (?, ?, ?, ?, ?, ?)'),
    search: search('row'),
    newestOf: search('row DESC'),
    searchAgent: searchAgent('row'),
    newestOfAgent: searchAgent('row DESC'),
  };
}
