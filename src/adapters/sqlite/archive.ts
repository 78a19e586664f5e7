import type { Aging, Erasure, LogArchive, TrustFloor } from '../../app/ports/log.js';
import type { Ledger } from '../../app/ports/state.js';
import type { Link } from '../../protocol/log/chain.js';
import type { ErasureDraft, LogRecord } from '../../protocol/log/entry.js';
import type { ConductTables } from './tables/conduct/conduct.js';
import { utf8, type Database } from './engine/database.js';
import type { Approvals } from './tables/approvals.js';
import type { Documents } from './tables/log/documents.js';
import type { Log } from './tables/log/log.js';

/** Entries deleted in one transaction: others wait no longer than that takes. */
const SWEPT = 5000;

export interface ArchiveParts {
  readonly conduct: ConductTables;
  /** Runs work in a write transaction. */
  readonly transact: <T>(work: (ledger: Ledger) => T) => T;
  readonly log: Log;
  readonly approvals: Approvals;
  readonly documents: Documents;
}

/** Signed statements, and the beginning of the log. */
export class Archive implements LogArchive {
  readonly #database: Database;
  readonly #parts: ArchiveParts;
  readonly #list;
  readonly #add;
  readonly #firstSince;
  readonly #firstWithin;
  readonly #lastOlder;
  readonly #oldest;
  readonly #dated;
  readonly #newest;
  readonly #entry;
  readonly #base;
  readonly #setBase;
  readonly #sweep;

  constructor(database: Database, parts: ArchiveParts) {
    this.#database = database;
    this.#parts = parts;
    this.#list = database.query(['text'], `SELECT ${utf8('text')} FROM statements WHERE kind = ? ORDER BY seq, text`);
    this.#add = database.statement('INSERT INTO statements (seq, kind, text) VALUES (?, ?, ?) ON CONFLICT DO NOTHING');
    this.#firstSince = database.query(['number?'], 'SELECT min(seq) FROM entries WHERE at >= ? AND seq > ?');
    // The plus keeps SQLite from going by time: the entry looked for stands near the one that the search begins at.
    this.#firstWithin = database.query(
      ['number?'],
      'SELECT min(seq) FROM entries WHERE +at >= ? AND +at <= ? AND seq > ?',
    );
    this.#lastOlder = database.query(['number?'], 'SELECT max(seq) FROM entries WHERE +at < ? AND seq > ? AND seq < ?');
    this.#dated = database.query(['number'], 'SELECT at FROM entries WHERE seq = ?');
    this.#oldest = database.query(['number?'], 'SELECT min(at) FROM entries');
    this.#newest = database.query(['number?'], 'SELECT max(seq) FROM entries');
    this.#entry = database.query(['text'], `SELECT ${utf8('hash')} FROM entries WHERE seq = ?`);
    this.#base = database.query(['number', 'text'], `SELECT base_seq, ${utf8('base_hash')} FROM head WHERE id = 1`);
    this.#setBase = database.statement('UPDATE head SET base_seq = ?, base_hash = ? WHERE id = 1');
    this.#sweep = database.statement(
      `DELETE FROM entries WHERE seq IN (SELECT seq FROM entries WHERE seq <= ? ORDER BY seq LIMIT ${SWEPT})`,
    );
  }

  statements(kind: 'checkpoint' | 'pruning'): string[] {
    return this.#list.all([kind]).map(([statement]) => statement);
  }

  addCheckpoint(seq: number, statement: string): void {
    this.#parts.transact(() => this.#add.run([seq, 'checkpoint', statement]));
  }

  lastBefore({ before, now }: Aging): Link | null {
    const base = this.#base.first([])![0];
    const first = this.#firstSince.first([before, base])![0];
    const seq = first === null ? this.#newest.first([])![0] : this.#lastBeforeYoung(first, base, { before, now });
    const hash = seq === null || seq <= base ? undefined : this.#entry.first([seq]);
    return hash === undefined ? null : { seq: seq!, hash: hash[0] };
  }

  /** `first` is the first that is not dated before; null where nothing is old. */
  #lastBeforeYoung(first: number, base: number, { before, now }: Aging): number | null {
    if (this.#dated.first([first])![0] <= now) return first - 1;
    // The clock was ahead when it was written. Where nothing at all is old, the log need not be read for that.
    const oldest = this.#oldest.first([])![0];
    if (oldest === null || oldest >= before) return null;
    const young = this.#firstWithin.first([before, now, first])![0];
    return this.#lastOlder.first([before, base, young ?? Number.MAX_SAFE_INTEGER])![0];
  }

  floors(until: number): TrustFloor[] {
    return this.#parts.conduct.floors(until);
  }

  moveBase(after: Link, until: Link, statement: string, floors: readonly TrustFloor[]): boolean {
    return this.#parts.transact(() => {
      const [seq, hash] = this.#base.first([])!;
      if (seq !== after.seq || hash !== after.hash || this.#entry.first([until.seq])?.[0] !== until.hash) return false;
      this.#add.run([until.seq, 'pruning', statement]);
      this.#parts.conduct.keepFloors(floors);
      this.#setBase.run([until.seq, until.hash]);
      return true;
    });
  }

  erase(changed: () => readonly LogRecord[], statement: ErasureDraft, isAsked: (request: string) => boolean): Erasure {
    const { transact, log, approvals, documents } = this.#parts;
    this.#database.overwriteDeleted();
    return transact((ledger) => {
      for (const record of changed()) {
        log.rewrite(record);
        documents.drop(record.seq);
      }
      const requests = approvals.forget(isAsked);
      return { seq: ledger.appendErasure(statement).seq, requests };
    });
  }

  overwriteErased(): boolean {
    return this.#database.rewriteAll();
  }

  sweep(): number {
    this.#database.overwriteDeleted();
    return this.#parts.transact(() => {
      const [base] = this.#base.first([])!;
      this.#parts.documents.sweep(base);
      return this.#sweep.change([base]);
    });
  }
}
