/** The embedded mesh store: one SQLite file, one server, every answer after its commit reached the disk. */
import { dirname, join } from 'node:path';
import { requireAdminBeside, type ApiKeyRecord } from '../../../mesh/access/api-key.js';
import { NO_HASH, type Head } from '../../../mesh/log/head.js';
import type { Member } from '../../../mesh/roster/member.js';
import { carryOutOnce, type OrderTables } from '../../../mesh/log/carry-out.js';
import { isRole } from '../../../mesh/access/roles.js';
import type { Answer, Judge, EventRecord, Proposal } from '../../../mesh/ruling.js';
import type { Standing, Status } from '../../../mesh/standing.js';
import {
  StoreTrouble,
  type KeyTable,
  type LogTable,
  type MeshStore,
  type OrderResult,
  type PaperTable,
} from '../../../mesh/log/store.js';
import { type Database, type Row } from '../../sqlite/engine/database.js';
import { SqlitePassports } from './passports.js';
import { IN_MEMORY, SqliteLogs } from './logs.js';
import { sqlitePapers } from './papers.js';
import { sqliteRest } from './rest.js';
import { EVENT, KEY, storeStatements, SUBJECT } from './statements.js';
import { openStoreFile, unusableStore } from './store-file.js';

/** Most bytes of shipped logs, unless a server says otherwise. */
const DEFAULT_LOG_QUOTA = 1024 * 1024 * 1024;
/** How often an opening that is not alone looks for what the others wrote, in ms. */
const LOOK_MS = 250;

/** Another opening holds the file for longer than this one waits: nothing was written, and it may be asked again. */
function unlessBusy<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as { code?: unknown };
    if (typeof code === 'string' && code.startsWith('SQLITE_BUSY'))
      throw new StoreTrouble('unavailable', 'The store is busy.', error);
    throw error;
  }
}

interface SqliteMeshStoreOptions {
  readonly shared?: boolean;
  readonly logQuota?: number;
  readonly withLogs?: boolean;
}

export class SqliteMeshStore implements MeshStore {
  readonly logId: string;
  readonly shared: boolean;
  readonly #database: Database;
  readonly #registry: SqlitePassports;
  readonly #logs: SqliteLogs;
  #term: number;
  #keysRead: { readonly version: number; readonly keys: readonly ApiKeyRecord[] } | null = null;
  /** Looks for what other openings of the file have committed; null where this is the only one. */
  #looking: NodeJS.Timeout | null = null;
  readonly #release: () => void;
  readonly #listeners = new Set<() => void>();
  readonly #sql: ReturnType<typeof storeStatements>;

  /**
   * `newLogId` names the log when the file is new: 32 hex digits. `shared`: beside other openings of the file, which are then looked for
   * every 250 ms; otherwise the file is taken alone. `withLogs`: false opens the store alone, for one that compares what it holds.
   */
  constructor(
    path: string,
    newLogId: () => string,
    { shared = false, logQuota = DEFAULT_LOG_QUOTA, withLogs = true }: SqliteMeshStoreOptions = {},
  ) {
    const { database, release } = openStoreFile(path, newLogId, shared);
    this.shared = shared;
    this.#database = database;
    this.#release = release;
    this.#sql = storeStatements(database);
    this.logs = this.#logs = withLogs
      ? new SqliteLogs(join(dirname(path), 'shipped.db'), logQuota, path)
      : new SqliteLogs(IN_MEMORY, logQuota, null);
    this.#registry = new SqlitePassports(database);
    this.passports = this.#registry.passports;
    this.principals = this.#registry.principals;
    this.papers = sqlitePapers(database);
    ({ rest: this.rest, putRest: this.putRest } = sqliteRest(database));
    const logId = this.#sql.meta.first(['log_id'])?.[0];
    const term = Number(this.#sql.meta.first(['term'])?.[0]);
    if (logId === undefined || !Number.isSafeInteger(term)) throw unusableStore(path, 'is damaged');
    this.logId = logId;
    // Files that were never opened by the first version say 0.
    this.#term = Math.max(1, term);
    if (shared) {
      let seen = this.#version();
      this.#looking = setInterval(() => {
        const now = this.#version();
        if (now !== seen) this.#wake();
        seen = now;
      }, LOOK_MS);
      this.#looking.unref();
    }
  }

  get term(): number {
    return this.#term;
  }

  async confirm(): Promise<Head> {
    // The file is this machine's own: what one read of it says is current.
    return unlessBusy(() => this.#head());
  }

  async raiseTerm(term: number): Promise<void> {
    this.#database.transact(() => {
      if (term <= this.#readTerm()) throw new RangeError('a new history has a greater term');
      this.#sql.setMeta.run(['term', String(term)]);
      this.#sql.dropMeta.run(['sealed_by']);
    });
    this.#term = term;
  }

  async sealedBy(): Promise<number | null> {
    const row = this.#sql.meta.first(['sealed_by']);
    return row === undefined ? null : Number(row[0]);
  }

  async seal(term: number): Promise<void> {
    this.#database.transact(() => {
      const before = Number(this.#sql.meta.first(['sealed_by'])?.[0] ?? 0);
      if (term > Math.max(before, this.#readTerm())) this.#sql.setMeta.run(['sealed_by', String(term)]);
    });
  }

  async append(batch: readonly Proposal[], judge: Judge, beforeWriting?: () => void): Promise<readonly OrderResult[]> {
    return unlessBusy(() => this.#append(batch, judge, beforeWriting));
  }

  #append(batch: readonly Proposal[], judge: Judge, beforeWriting?: () => void): readonly OrderResult[] {
    let before = 0;
    const outcomes = this.#database.transact(() => {
      this.#term = this.#readTerm();
      let head = this.#head();
      before = head.seq;
      const tables: OrderTables = {
        spend: ({ value, keepUntil }) => this.#spend(value, keepUntil),
        answered: (cmdId) => this.#answer(cmdId),
        judged: (proposal) => {
          const { subject } = proposal.command;
          return judge(proposal, head, this.term, this.#standing(subject), this.#registry.mark(subject));
        },
        keep: (ruling) => {
          const { answer } = ruling;
          if (ruling.kind === 'append') {
            const { record, standing, passport } = ruling;
            const { seq, term, hash } = record;
            this.#sql.addEvent.run([seq, term, hash, record.text]);
            if (standing !== null) this.#putStanding(standing);
            if (passport !== null) this.#registry.put(passport.mark, passport.document);
            head = { logId: this.logId, term, seq, hash };
          }
          this.#sql.addAnswer.run([answer.cmdId, answer.digest, JSON.stringify(answer)]);
        },
      };
      const results = batch.map((proposal) => carryOutOnce(proposal, tables));
      beforeWriting?.();
      return results;
    });
    if (this.#head().seq > before) this.#wake();
    return outcomes;
  }

  async answers(cmdIds: readonly string[]): Promise<readonly Answer[]> {
    return cmdIds.flatMap((cmdId) => this.#answer(cmdId) ?? []);
  }

  async read(after: number, limit: number): Promise<readonly EventRecord[]> {
    return this.#sql.events.all([after, limit]).map(recordOf);
  }

  async head(): Promise<Head> {
    return this.#head();
  }

  async standing(subject: string): Promise<Standing | null> {
    return this.#standing(subject);
  }

  async snapshot(): Promise<{ head: Head; standings: readonly Standing[] }> {
    // One connection, and nothing is awaited in between: both are of one moment.
    return { head: this.#head(), standings: this.#sql.subjects.all([]).map(standingOf) };
  }

  async standings(after: string | null, limit: number): Promise<readonly Standing[]> {
    // Subjects are ASCII, so SQLite's order of bytes is that of code units. None is empty.
    return this.#sql.subjectsAfter.all([after ?? '', limit]).map(standingOf);
  }

  onWake(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  readonly keys: KeyTable = {
    find: async (keyId) => {
      const row = this.#sql.key.first([keyId]);
      return row === undefined ? null : keyOf(row);
    },
    // A server asks twice a second: they are read again where one was changed, here or by another opening.
    list: async () => {
      const version = this.#version();
      if (this.#keysRead?.version !== version) this.#keysRead = { version, keys: this.#sql.keys.all([]).map(keyOf) };
      return this.#keysRead.keys;
    },
    add: async (record) => this.#changeKeys(() => this.#sql.addKey.run(keyRow(record))),
    put: async (record) => this.#changeKeys(() => this.#sql.putKey.run(keyRow(record))),
    revoke: async (keyId, at) =>
      this.#changeKeys(() => {
        requireAdminBeside(this.#sql.keys.all([]).map(keyOf), keyId);
        return this.#sql.revokeKey.change([at, keyId]) === 1;
      }),
  };

  readonly nonces = {
    spend: async (value: string, keepUntil: number): Promise<boolean> => this.#spend(value, keepUntil),
    prune: async (now: number): Promise<void> => {
      if (this.#sql.oldNonce.first([now]) !== undefined) this.#sql.pruneNonces.run([now]);
    },
  };

  readonly members = {
    put: async (members: readonly Member[]): Promise<void> => {
      this.#database.transact(() => {
        for (const member of members) this.#sql.putMember.run([member.verifier, member.seenAt, JSON.stringify(member)]);
      });
    },
    list: async (since: number): Promise<readonly Member[]> =>
      this.#sql.members.all([since]).map(([body]) => JSON.parse(body) as Member),
    forget: async (verifier: string): Promise<void> => this.#sql.forgetMember.run([verifier]),
  };

  readonly notes = {
    get: async (name: string): Promise<string | null> => this.#sql.meta.first([`note:${name}`])?.[0] ?? null,
    put: async (name: string, body: string): Promise<void> => this.#sql.setMeta.run([`note:${name}`, body]),
  };

  readonly passports: MeshStore['passports'];
  readonly principals: MeshStore['principals'];
  readonly papers: PaperTable;
  readonly logs: LogTable;
  readonly rest: MeshStore['rest'];
  readonly putRest: MeshStore['putRest'];

  async meshKey(): Promise<string | null> {
    return this.#sql.meta.first(['mesh_key'])?.[0] ?? null;
  }

  async setMeshKey(publicKey: string): Promise<void> {
    this.#sql.setMeta.run(['mesh_key', publicKey]);
  }

  async health(): Promise<void> {
    this.#database.exec('BEGIN IMMEDIATE; ROLLBACK;');
  }

  async close(): Promise<void> {
    if (this.#looking !== null) clearInterval(this.#looking);
    this.#logs.close();
    this.#database.close(0);
    this.#release();
  }

  #answer(cmdId: string): Answer | null {
    const row = this.#sql.answer.first([cmdId]);
    return row === undefined ? null : (JSON.parse(row[0]) as Answer);
  }

  #changeKeys<T>(work: () => T): T {
    this.#keysRead = null;
    return this.#database.transact(work);
  }

  /** Changes with every commit of another connection. */
  #version(): number {
    return this.#sql.dataVersion.first([])![0];
  }

  #readTerm(): number {
    return Math.max(1, Number(this.#sql.meta.first(['term'])?.[0]));
  }

  #wake(): void {
    for (const listener of [...this.#listeners]) queueMicrotask(listener);
  }

  #head(): Head {
    const row = this.#sql.head.first([]);
    if (row === undefined) return { logId: this.logId, term: 0, seq: 0, hash: NO_HASH };
    const [seq, term, hash] = row;
    return { logId: this.logId, term, seq, hash };
  }

  #putStanding(standing: Standing): void {
    const { subject, status, reason, changedAt, changedBy, suspendedUntil, version, seq } = standing;
    this.#sql.putSubject.run([subject, status, reason, changedAt, changedBy, suspendedUntil, version, seq]);
  }

  #standing(subject: string): Standing | null {
    const row = this.#sql.subject.first([subject]);
    return row === undefined ? null : standingOf(row);
  }

  #spend(value: string, keepUntil: number): boolean {
    return this.#sql.spendNonce.change([value, keepUntil]) === 1;
  }
}

function recordOf([seq, term, hash, body]: Row<typeof EVENT>): EventRecord {
  return { seq, term, hash, text: body };
}

function standingOf(row: Row<typeof SUBJECT>): Standing {
  const [subject, status, reason, changedAt, changedBy, suspendedUntil, version, seq] = row;
  return { subject, status: status as Status, reason, changedAt, changedBy, suspendedUntil, version, seq };
}

function keyOf(row: Row<typeof KEY>): ApiKeyRecord {
  const [keyId, role, hash, label, publicKey, createdAt, revokedAt, maxVerifiers, ephemeral] = row;
  // An unknown role was not written by this program: it may do the least.
  const known = isRole(role) ? role : 'observer';
  const limits = { maxVerifiers, ephemeral: ephemeral === 1 };
  return { keyId, role: known, hash, label, publicKey, createdAt, revokedAt, ...limits };
}

function keyRow(record: ApiKeyRecord): (string | number | null)[] {
  const { keyId, role, hash, label, publicKey, createdAt, revokedAt, maxVerifiers, ephemeral } = record;
  const limits = [maxVerifiers ?? null, ephemeral === true ? 1 : 0];
  return [keyId, role, hash, label, publicKey, createdAt, revokedAt, ...limits];
}
