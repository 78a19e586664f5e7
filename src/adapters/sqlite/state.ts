import type { Conduct, LogArchive, ProvableLog } from '../../app/ports/log.js';
import { standingTime } from '../../app/ports/mesh.js';
import type { DecidedEntry, EntryQuery, KeyRecord, Ledger, RecordQuery, State } from '../../app/ports/state.js';
import type { Link } from '../../protocol/log/chain.js';
import type { Entry, LogRecord } from '../../protocol/log/entry.js';
import type { ReadNode } from '../../protocol/transparency/tree.js';
import { Agents, type Tally } from './tables/conduct/agents.js';
import { Approvals } from './tables/approvals.js';
import { Archive } from './archive.js';
import { ConductTables } from './tables/conduct/conduct.js';
import { utf8, type Database } from './engine/database.js';
import { Floors } from './tables/passports/floors.js';
import { Directory } from './tables/passports/directory.js';
import { Documents } from './tables/log/documents.js';
import { damaged } from './engine/failures.js';
import { derivedProblems } from './derived.js';
import type { StateOptions } from './options.js';
import { pooled } from './random-pool.js';
import { ledgerOf, lookingLedgerOf, type LedgerTables } from './ledger.js';
import { FoldingTable } from './tables/conduct/folding.js';
import { Heads, type LogHeadRow } from './tables/log/head.js';
import { JudgedPassports } from './tables/passports/judged-passports.js';
import { Log } from './tables/log/log.js';
import { Lookups } from './tables/log/lookups.js';
import { checkFormat } from './file/format.js';
import { Outcomes } from './tables/log/outcomes.js';
import { Releases } from './tables/releases.js';
import { Tree } from './tables/log/tree.js';
import { Nonces } from './tables/nonces.js';
import { Windows } from './tables/windows.js';

/** How often a transaction starts that other processes keep waiting; once where it is said how long it may wait. */
const ATTEMPTS = 6;
/** After this many transactions the process counts as a long-lived one. */
const MANY = 16;

export interface SqliteState extends State, ProvableLog {
  /** The link before the oldest entry kept, and the newest entry: what `verifyChain` is to find. */
  bounds(): { readonly after: Link; readonly head: Link };
  /** Takes every nonce until then (ms) for forgotten: what is dated before may have been accepted by a state that is gone. */
  forgetUntil(until: number): void;
  /** What the state keeps beside the log and does not agree with it, as clauses for people. */
  derivedProblems(now: number): readonly string[];
  /** Null for an agent that the log does not know. */
  tally(agentId: string): Tally | null;
  /** True where this user may only read it: whatever writes fails. */
  readonly readOnly: boolean;
  readonly conduct: Conduct;
  readonly archive: LogArchive;
}

/** The state in a file that is open already. */
export function stateOn(database: Database, path: string, options: StateOptions): SqliteState {
  return new FileState(database, path, options);
}

class FileState implements SqliteState {
  readonly verifier: string;
  readonly logId: string;
  readonly #database: Database;
  readonly #path: string;
  readonly #heads: Heads;
  readonly #agents: Agents;
  readonly #directory: Directory;
  readonly #floors: Floors;
  readonly #log: Log;
  readonly #conduct: ConductTables;
  readonly archive: LogArchive;
  readonly #judged: JudgedPassports;
  readonly #lookups: Lookups;
  readonly #outcomes: Outcomes;
  readonly #tree: Tree;
  /** The entry before the first leaf. */
  readonly #treeAfter: number;
  readonly #folding: FoldingTable;
  readonly #nonces: Nonces;
  readonly #windows: Windows;
  readonly #tables: LedgerTables;
  #inTransaction = false;
  #looking = false;
  #transactions = 0;
  readonly #onCommit;
  readonly #onClose;
  readonly #attempts: number;

  constructor(database: Database, path: string, { random, clock, onCommit, onClose, waitsMs }: StateOptions) {
    this.#attempts = waitsMs == null ? ATTEMPTS : 1;
    this.#onCommit = onCommit;
    this.#onClose = onClose;
    this.#database = database;
    this.#path = path;
    // FULL: the commit is on the disk before it is reported. The cache is per process and bounded: 8 MB.
    database.exec('PRAGMA synchronous = FULL; PRAGMA cache_size = -8000; PRAGMA trusted_schema = OFF');
    checkFormat(database, path);
    const identity = database
      .query(
        ['text', 'text', 'bytes', 'number'],
        `SELECT ${utf8('verifier')}, ${utf8('log_id')}, secret, tree_after FROM identity`,
      )
      .first([]);
    if (identity === undefined) throw damaged(path);
    let secret: Uint8Array;
    [this.verifier, this.logId, secret, this.#treeAfter] = identity;
    this.#heads = new Heads(database);
    this.#agents = new Agents(database);
    this.#directory = new Directory(database, path);
    this.#floors = new Floors(database);
    const drawn = pooled(random);
    this.#tree = new Tree(database);
    this.#lookups = new Lookups(database, secret);
    this.#judged = new JudgedPassports(database);
    const [agents, tree, lookups] = [this.#agents, this.#tree, this.#lookups];
    this.#log = new Log(database, path, { agents, tree, lookups, random: drawn });
    this.#outcomes = new Outcomes(database, this.#log, this.#lookups);
    this.#conduct = new ConductTables(database, path, {
      agents: this.#agents,
      log: this.#log,
      clock: clock ?? Date.now,
      // What was added up from the log is kept for the next time; where it cannot be, it is added up again.
      settle: (work) => {
        if (database.readOnly) return;
        if (this.#looking) throw new Error('a look writes nothing');
        if (this.#inTransaction) work();
        else this.transact(work);
      },
    });
    const [conduct, log, approvals, documents] = [
      this.#conduct,
      this.#log,
      new Approvals(database),
      new Documents(database),
    ];
    const parts = { conduct, log, approvals, documents };
    this.archive = new Archive(database, { ...parts, transact: (work) => this.transact(work) });
    this.#folding = new FoldingTable(database);
    this.#nonces = new Nonces(database);
    this.#windows = new Windows(database, random(1)[0]!);
    this.#tables = {
      ...parts,
      agents: this.#agents,
      directory: this.#directory,
      floors: this.#floors,
      folding: this.#folding,
      judged: this.#judged,
      outcomes: this.#outcomes,
      releases: new Releases(database),
      nonces: this.#nonces,
      windows: this.#windows,
      verifier: this.verifier,
      random: drawn,
      clock,
    };
  }

  transact<T>(work: (ledger: Ledger) => T): T {
    return this.#run(work, true);
  }
  rehearse<T>(work: (ledger: Ledger) => T): T {
    return this.#run(work, false);
  }

  look<T>(work: (ledger: Ledger) => T): T {
    if (this.#inTransaction) throw new Error('a look inside a transaction');
    // Deferred: the first read fixes the snapshot, and no lock is taken that a writer would wait for.
    this.#database.exec('BEGIN');
    this.#inTransaction = true;
    this.#looking = true;
    let over = false;
    try {
      const result = work(lookingLedgerOf(this.#tables, this.#head(), () => over));
      if (result instanceof Promise) throw new Error('a look cannot wait');
      return result;
    } finally {
      over = true;
      this.#inTransaction = false;
      this.#looking = false;
      this.#folding.forget();
      this.#windows.forget();
      this.#nonces.forget();
      this.#database.rollback();
    }
  }

  #run<T>(work: (ledger: Ledger) => T, commit: boolean): T {
    if (this.#inTransaction) throw new Error('a transaction inside a transaction');
    this.#begin();
    this.#inTransaction = true;
    let committed = false;
    let over = false;
    try {
      const head = this.#head();
      const result = work(ledgerOf(this.#tables, head, () => over));
      if (result instanceof Promise) throw new Error('a transaction cannot wait');
      if (commit) {
        this.#agents.flush();
        this.#conduct.flush();
        this.#folding.flush();
        this.#windows.flush();
        this.#nonces.flush();
        this.#lookups.flush();
        this.#tree.flush(head.seq - this.#treeAfter);
        this.#heads.write(head);
        this.#database.exec('COMMIT');
        committed = true;
        this.#onCommit?.(head);
      }
      return result;
    } finally {
      over = true;
      this.#inTransaction = false;
      this.#windows.forget();
      this.#nonces.forget();
      this.#conduct.forget();
      this.#folding.forget();
      if (!committed) {
        this.#tree.forget();
        this.#lookups.forget();
        this.#judged.forget();
        this.#agents.forget();
        this.#database.rollback();
      }
    }
  }

  #begin(): void {
    this.#database.begin(this.#attempts);
    // A busy process writes the same pages again and again: letting its log grow saves most of the copying back. A short
    // command would leave a long log behind for the next one to read.
    if (++this.#transactions === MANY) this.#database.exec('PRAGMA wal_autocheckpoint = 4000');
  }

  passport(agentId: string) {
    return this.#directory.passport(agentId);
  }
  passports() {
    return this.#directory.passports();
  }
  rememberPassport(passport: Parameters<State['rememberPassport']>[0]): void {
    this.#directory.rememberPassport(passport);
  }
  forgetPassport(agentId: string): boolean {
    return this.#directory.forgetPassport(agentId);
  }
  floors(agentId: string) {
    return this.#floors.of(agentId);
  }
  raiseFloor(floor: Parameters<State['raiseFloor']>[0]): void {
    this.#floors.raise(floor);
  }
  standing(subject: string) {
    return this.#directory.standing(subject);
  }
  standingNow(now: number): number {
    return standingTime(this.#directory, now);
  }
  pins(did?: string) {
    return this.#directory.pins(did);
  }
  pin(pin: Parameters<State['pin']>[0]): void {
    this.#directory.pin(pin);
  }
  unpin(did: string, keyId?: string): number {
    return this.#directory.unpin(did, keyId);
  }
  keys(): readonly KeyRecord[] {
    return this.#directory.keys();
  }
  key(keyId: string) {
    return this.#directory.key(keyId);
  }
  rememberKey(record: Parameters<State['rememberKey']>[0]): void {
    this.#directory.rememberKey(record);
  }
  forgetKey(keyId: string): boolean {
    return this.#directory.forgetKey(keyId);
  }

  entries(query: EntryQuery): Iterable<Entry> {
    return { [Symbol.iterator]: () => this.#log.entries(query) };
  }

  records(query: RecordQuery): Iterable<LogRecord> {
    return { [Symbol.iterator]: () => this.#log.records(query) };
  }

  decision(seq: number): DecidedEntry | null {
    return this.#outcomes.decision(seq);
  }
  outcomesOf(seq: number): number[] {
    return this.#outcomes.of(seq).map((each) => each.seq);
  }

  find(value: string): number[] {
    return this.#lookups.find(value, this.#head().seq);
  }
  sentDocument(seq: number): string | null {
    return this.#tables.documents.find(seq);
  }
  judgedPassport(hash: string): string | null {
    return this.#judged.find(hash);
  }
  wasJudgedWith(text: string): boolean {
    return this.#judged.hold(text);
  }

  tree(): { readonly after: number; readonly size: number; readonly nodes: ReadNode } {
    return { after: this.#treeAfter, size: this.#head().seq - this.#treeAfter, nodes: this.#tree.nodes() };
  }

  bounds(): { after: Link; head: Link } {
    const { seq, hash, base } = this.#head();
    return { after: base, head: { seq, hash } };
  }

  get readOnly(): boolean {
    return this.#database.readOnly;
  }
  get conduct(): Conduct {
    return this.#conduct;
  }
  tally(agentId: string): Tally | null {
    return this.#agents.tally(agentId);
  }

  derivedProblems(now: number): readonly string[] {
    const [database, nonces] = [this.#database, this.#nonces];
    return database.atOneMoment(() =>
      derivedProblems({ database, head: this.#head(), nonces, entries: this.entries({}), now }),
    );
  }

  forgetUntil(until: number): void {
    this.#database.transact(() => {
      const head = this.#head();
      head.forgotten = Math.max(head.forgotten, until);
      this.#heads.write(head);
    });
  }

  close(): void {
    if (this.#transactions > 0) this.#onClose?.(this.#head());
    this.#database.close();
  }

  #head(): LogHeadRow {
    const head = this.#heads.read();
    if (head === null) throw damaged(this.#path);
    return head;
  }
}
