/** One connection for one kind of work: statements in turn, each with an end, and another connection after one that was lost. */
import { Failure } from '../../../app/failure.js';
import { StoreTrouble } from '../../../mesh/log/store.js';
import type { Connection, PostgresRow, PostgresValue } from '../connection.js';
import { PostgresTrouble } from '../trouble.js';

/** After a connection that failed, the next one is tried not before this, ms: what waits is told at once that nothing answers. */
const PAUSE_MS = 100;
/** A unique key that somebody was faster with. */
const UNIQUE = '23505';

const AS_MAKER =
  'name the user who made the mesh there; before the first start: GRANT CREATE ON DATABASE <database> TO <user>';

/** What runs statements one after the other on a connection that is held. */
export interface LaneQueries {
  query(text: string, values?: readonly PostgresValue[]): Promise<readonly PostgresRow[]>;
}

/** Thrown where a unique key was taken meanwhile; nothing was written. */
export class Taken extends Error {}

export class Lane {
  readonly #connect: (withinMs: number) => Promise<Connection>;
  readonly #withinMs: number;
  /** What the end of a statement without an answer means: of what only reads, nothing. */
  readonly #writes: boolean;
  #connection: Connection | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #failedAt = -Infinity;
  #failure: StoreTrouble | null = null;
  #closed = false;

  /** `withinMs`: of one piece of work, from the call on. */
  constructor(connect: (withinMs: number) => Promise<Connection>, withinMs: number, writes: boolean) {
    this.#connect = connect;
    this.#withinMs = withinMs;
    this.#writes = writes;
  }

  /** @throws StoreTrouble, Taken; Failure where the database is not what it must be */
  run<T>(work: (held: LaneQueries) => Promise<T>): Promise<T> {
    const due = performance.now() + this.#withinMs;
    const done = this.#last.then(() => this.#run(work, due));
    this.#last = done.catch(() => undefined);
    return done;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#connection?.close();
    this.#connection = null;
  }

  async #run<T>(work: (held: LaneQueries) => Promise<T>, due: number): Promise<T> {
    const connection = await this.#ready(due);
    let asked = false;
    try {
      return await work({
        query: (text, values = []) => {
          asked = true;
          return connection.query(text, values, due - performance.now());
        },
      });
    } catch (error) {
      throw this.#troubleOf(error, asked);
    } finally {
      // Where no time was left to undo a transaction, the next work would be written into it, acknowledged, and undone with it.
      if (connection.inTransaction) connection.destroy();
      if (!connection.usable) this.#connection = null;
    }
  }

  async #ready(due: number): Promise<Connection> {
    if (this.#closed) throw new StoreTrouble('unavailable', 'The store is closed.');
    if (this.#connection?.usable === true) return this.#connection;
    const now = performance.now();
    if (now - this.#failedAt < PAUSE_MS && this.#failure !== null) throw this.#failure;
    if (now >= due) throw new StoreTrouble('unavailable', 'The database did not answer in time.');
    try {
      const connection = await this.#connect(due - now);
      connection.unref();
      if (this.#closed) {
        connection.destroy();
        throw new StoreTrouble('unavailable', 'The store is closed.');
      }
      return (this.#connection = connection);
    } catch (error) {
      const trouble = this.#troubleOf(error, false);
      if (!(trouble instanceof StoreTrouble)) throw trouble;
      [this.#failedAt, this.#failure] = [performance.now(), trouble];
      throw trouble;
    }
  }

  #troubleOf(error: unknown, asked: boolean): unknown {
    if (!(error instanceof PostgresTrouble)) return error;
    const { kind, sqlState, message, hint } = error;
    if (sqlState === UNIQUE) return new Taken(message);
    if (kind === 'in-doubt')
      return new StoreTrouble(this.#writes && asked ? 'in-doubt' : 'unavailable', message, error);
    // What a statement needs is not there, or not allowed: that does not go away by itself.
    if (kind === 'refused' && sqlState !== null && /^(?:42|3F|0A)/.test(sqlState))
      return new Failure('STATE', `The database refuses: ${message}.`, {
        hint: sqlState === '42501' ? AS_MAKER : (hint ?? 'aip help growing'),
        cause: error,
      });
    return new StoreTrouble('unavailable', message, error);
  }
}
