/** The only file that knows libsql. It keeps that library's traps away from everyone else. */
import { isUtf8 } from 'node:buffer';
import { statSync } from 'node:fs';
import Libsql from 'libsql';
import { Failure } from '../../../app/failure.js';
import { requireDescriptors } from '../../files/descriptors.js';
import { copyFailure, damaged, stateFailure } from './failures.js';

/**
 * Bytes of a write-ahead log that a closing connection copies back. Below, every short command would pay for a second sync.
 */
const LONG_LOG = 2 ** 20;

/** What may be bound. A boolean aborts the whole process inside libsql 0.5, so the type is closed. */
export type SqlValue = string | number | bigint | Uint8Array | null;

/** What a column holds; a trailing question mark allows NULL. */
export type Column = 'number' | 'number?' | 'bytes' | 'text' | 'text?';
export type Row<C extends readonly Column[]> = { -readonly [I in keyof C]: Held<C[I]> };
type Held<C> = C extends 'number'
  ? number
  : C extends 'number?'
    ? number | null
    : C extends 'bytes'
      ? Uint8Array
      : C extends 'text'
        ? string
        : string | null;

export interface Statement {
  run(values: readonly SqlValue[]): void;
  /** As `run`; how many rows it wrote or deleted. */
  change(values: readonly SqlValue[]): number;
  /** As `run`; the rowid it inserted. */
  insert(values: readonly SqlValue[]): number;
}

export interface Query<R> {
  first(values: readonly SqlValue[]): R | undefined;
  all(values: readonly SqlValue[]): R[];
}

/**
 * SQL that reads a text column. It comes as bytes because libsql aborts the process on text that is not UTF-8, as in a
 * damaged file, and cuts it at a NUL.
 */
export function utf8(column: string): string {
  return `CAST(${column} AS BLOB)`;
}

/** One connection. Every error that SQLite raises leaves it as a Failure, or as a bug with its stack. */
export class Database {
  readonly #path: string;
  readonly #connection: Libsql.Database;

  /** True where nothing may be written: the file, or its folder, belongs to somebody else, or its file system is mounted so. */
  readonly readOnly: boolean;

  /**
   * @param path of the file, for what is said of it.
   * @param timeout how long a statement waits for other processes, in ms.
   * @param source what is opened where it is not the file by its path: a URI of SQLite.
   */
  constructor(
    path: string,
    timeout: number,
    source: { readonly name: string; readonly readOnly: boolean } | null = null,
  ) {
    this.#path = path;
    this.readOnly = source?.readOnly ?? false;
    this.#connection = this.#guard(() => {
      requireDescriptors();
      return new Libsql(source?.name ?? path, { timeout });
    });
    // macOS else gives a commit to the disk, which may lose it with the power (SQLite, "PRAGMA fullfsync").
    this.exec('PRAGMA fullfsync = ON');
  }

  exec(sql: string): void {
    this.#guard(() => this.#connection.exec(sql));
  }

  /** Something to do. Compiled on first use: a short command touches few of the statements that exist. */
  statement(sql: string): Statement {
    let compiled: Libsql.Statement | undefined;
    // One array, always: libsql takes a lone object (a Buffer is one) for named parameters and aborts the process.
    const run = (values: readonly SqlValue[]) =>
      this.#guard(() => (compiled ??= this.#connection.prepare(sql)).run(values));
    return {
      run: (values) => void run(values),
      change: (values) => run(values).changes,
      insert: (values) => Number(run(values).lastInsertRowid),
    };
  }

  /** Something to ask. Rows that do not hold what they were written with are damage. */
  query<const C extends readonly Column[]>(columns: C, sql: string): Query<Row<C>> {
    let compiled: Libsql.Statement | undefined;
    const reader = () => (compiled ??= this.#connection.prepare(sql).raw(true));
    const decode = (row: unknown[]): Row<C> => {
      for (let i = 0; i < columns.length; i++) row[i] = this.#held(row[i], columns[i]!);
      return row as Row<C>;
    };
    return {
      first: (values) => {
        const row = this.#guard(() => reader().get(values)) as unknown[] | undefined;
        return row === undefined ? undefined : decode(row);
      },
      all: (values) => (this.#guard(() => reader().all(values)) as unknown[][]).map(decode),
    };
  }

  /** Begins a transaction that writes. `attempts`: how often, where other processes hold the file. */
  begin(attempts: number): void {
    for (let attempt = 1; ; attempt++) {
      try {
        return this.exec('BEGIN IMMEDIATE');
      } catch (error) {
        if (!(error instanceof Failure) || !error.retryable || attempt === attempts) throw error;
      }
    }
  }

  /** Runs `work` in one immediate transaction: all of it is committed when this returns, or none when it throws. */
  transact<T>(work: () => T): T {
    this.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.exec('COMMIT');
      return result;
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  /** Reads all that `work` asks as of one moment, whatever others write meanwhile. */
  atOneMoment<T>(work: () => T): T {
    if (this.#connection.inTransaction) return work();
    this.exec('BEGIN');
    try {
      return work();
    } finally {
      this.rollback();
    }
  }

  /** Ends a transaction without effect; SQLite has done so already after some errors. */
  rollback(): void {
    if (this.#connection.inTransaction) this.exec('ROLLBACK');
  }

  /** What is deleted or replaced from now on is overwritten in the file. */
  overwriteDeleted(): void {
    this.exec('PRAGMA secure_delete = ON');
  }

  /** Writes what it holds into the empty file `target`. */
  copyInto(target: string): void {
    try {
      this.#connection.exec(`VACUUM INTO '${target.replaceAll("'", "''")}'`);
    } catch (error) {
      throw copyFailure(error, this.#path, target);
    }
  }

  /**
   * Writes the file anew and empties the write-ahead log, so that neither holds what was deleted or replaced before: a page that was split keeps
   * what it held in its unused part. False where another process still reads the log.
   */
  rewriteAll(): boolean {
    this.exec('VACUUM');
    const [busy] = this.query(['number'], 'PRAGMA wal_checkpoint(TRUNCATE)').first([])!;
    return busy === 0;
  }

  /**
   * Ends the connection, and empties a long write-ahead log, which the next process would read as a whole: libsql copies
   * nothing back when the last connection goes, and the next process cannot tell what an earlier one copied back, so that the
   * log never starts over. It waits for no other process: one that closes later does it.
   *
   * @param least bytes of a log that is left: with 0 the file alone holds all, for who copies it without its log
   */
  close(least = LONG_LOG): void {
    try {
      this.#emptyLog(least);
    } catch (error) {
      // All that was reported is on the disk already; a log that stays long is slow and nothing else.
      if (!(error instanceof Failure)) throw error;
    } finally {
      this.#connection.close();
    }
  }

  #emptyLog(least: number): void {
    if (!this.#connection.open || this.#connection.inTransaction) return;
    const log = statSync(`${this.#path}-wal`, { throwIfNoEntry: false });
    if (log === undefined || log.size <= least) return;
    this.exec('PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE)');
  }

  #held(value: unknown, column: Column): unknown {
    if (value === null && column.endsWith('?')) return null;
    if (column.startsWith('number') && typeof value === 'number') return value;
    if (!column.startsWith('number') && Buffer.isBuffer(value)) {
      if (column === 'bytes') return new Uint8Array(value);
      if (isUtf8(value)) return value.toString('utf8');
    }
    throw damaged(this.#path);
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw stateFailure(error, this.#path);
    }
  }
}
