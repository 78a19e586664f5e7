/** The only file that knows libsql. It keeps that library's traps away from everyone else. */
import Libsql from 'libsql';
import { stateFailure } from './failures.js';

/**
 * What may be bound. A boolean aborts the whole process inside libsql 0.5, so the type is closed; text comes back cut at a
 * NUL and with lone surrogates replaced, so text of strangers goes through `stored` first.
 */
export type Value = string | number | bigint | Uint8Array | null;

export interface Query {
  run(values: readonly Value[]): void;
  /** As `run`; how many rows it wrote or deleted. */
  change(values: readonly Value[]): number;
  /** As `run`; the rowid it inserted. */
  insert(values: readonly Value[]): number;
  /** The first row, column by column. */
  row<T extends readonly unknown[]>(values: readonly Value[]): T | undefined;
  rows<T extends readonly unknown[]>(values: readonly Value[]): T[];
}

/** One connection. Every error that SQLite raises leaves it as a Failure, or as a bug with its stack. */
export class Database {
  readonly #path: string;
  readonly #connection: Libsql.Database;

  /** `timeout`: how long a statement waits for other processes, in ms. */
  constructor(path: string, timeout: number) {
    this.#path = path;
    this.#connection = this.#guard(() => new Libsql(path, { timeout }));
  }

  exec(sql: string): void {
    this.#guard(() => this.#connection.exec(sql));
  }

  /** Compiled on first use: a short command touches few of the statements that exist. */
  query(sql: string): Query {
    let writer: Libsql.Statement<unknown[]> | undefined;
    let reader: Libsql.Statement<unknown[]> | undefined;
    const write = () => (writer ??= this.#connection.prepare(sql));
    const read = () => (reader ??= this.#connection.prepare(sql).raw(true));
    // One array, always: libsql takes a lone object (a Buffer is one) for named parameters and aborts the process.
    return {
      run: (values) => void this.#guard(() => write().run(values)),
      change: (values) => this.#guard(() => write().run(values)).changes,
      insert: (values) => Number(this.#guard(() => write().run(values)).lastInsertRowid),
      row: (values) => this.#guard(() => read().get(values)) as never,
      rows: (values) => this.#guard(() => read().all(values)) as never,
    };
  }

  /** Ends a transaction without effect; SQLite has done so already after some errors. */
  rollback(): void {
    if (this.#connection.inTransaction) this.exec('ROLLBACK');
  }

  close(): void {
    this.#connection.close();
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw stateFailure(error, this.#path);
    }
  }
}

// A leading quote marks text that was written as JSON.
const PLAIN = /^(?!")[^\0\p{Surrogate}]*$/u;

/** `text` in a form that SQLite gives back exactly, and that is equal for equal text. */
export function stored(text: string): string {
  return PLAIN.test(text) ? text : JSON.stringify(text);
}

/** Throws on a second spelling of the same text: whoever respelt it would hide the row from searches. */
export function restored(text: string): string {
  const original = text.startsWith('"') ? (JSON.parse(text) as string) : text;
  if (stored(original) !== text) throw new SyntaxError('not the stored form of a text');
  return original;
}
