/** The memory that a fleet shares, in PostgreSQL: one call of `settle` a batch. */
import { Failure } from '../../../app/failure.js';
import type {
  FleetClaim,
  FleetHealth,
  FleetMemory,
  Release,
  SettledBatch,
  SharedAnswer,
  SharedRequest,
} from '../../../app/ports/fleet-memory.js';
import type { Clock, Random } from '../../../app/ports/state.js';
import { toHex } from '../../../protocol/hex.js';
import type { Connection } from '../connection.js';
import { TOLD } from '../durably.js';
import { fromServer, PostgresTrouble } from '../trouble.js';
import { newerDatabase, STATE_SCHEMA_NAME as SCHEMA, STATE_VERSION } from './version.js';
import {
  askedToJson,
  claimToJson,
  readAnswer,
  UnknownAnswer,
  type AskedBeside,
  type OpenId,
  type SettleAnswer,
} from './wire.js';

/** Between two tries, in ms. */
const PAUSE_MS = 50;
/** What a try has at least, in ms: one that is cut off would hide what the server said before. */
const LEAST_MS = 100;
/** Connections at once. More would only wait for each other in the database: what makes a busy verifier fast is its batches. */
const MOST_CONNECTIONS = 2;

/** How long a call is waited for, in ms. */
export interface Patience {
  /** It is asked again until then. */
  readonly totalMs: number;
  /** One try: a network that swallows everything must leave time for another connection. */
  readonly tryMs: number;
}

/** What a verification waits for (protocol: no decision after two seconds). */
export const PATIENCE: Patience = { totalMs: 2000, tryMs: 900 };

export interface PostgresMemoryOptions {
  /** Makes a connection in at most so many ms. */
  readonly connect: (withinMs: number) => Promise<Connection>;
  /** Where it is, without a password. */
  readonly where: string;
  readonly encrypted: boolean;
  /** Name of this machine in log entries. */
  readonly verifier: string;
  readonly random: Random;
  /** This machine's clock, and one that never goes back, in microseconds. */
  readonly clock: Clock;
  readonly ticks: () => number;
  readonly patience: Patience;
}

/** An answer, and whether it came from a standby or a user whose transactions only read. */
type Answered = SettleAnswer & { readonly readsOnly: boolean };

export class PostgresMemory implements FleetMemory {
  readonly #options: PostgresMemoryOptions;
  readonly #process: string;
  readonly #idle: Connection[] = [];
  readonly #waiting: (() => void)[] = [];
  /** Calls of this process that are not logged yet have a slot each; the others are free. */
  readonly #freeSlots: number[] = [];
  #slots = 0;
  #connections = 0;
  /** Calls that are logged, and the database does not know it yet. */
  #done: OpenId[] = [];
  #closed = false;

  constructor(options: PostgresMemoryOptions) {
    this.#options = options;
    this.#process = toHex(options.random(8));
  }

  async settle(claims: readonly FleetClaim[], resumes: boolean): Promise<SettledBatch> {
    const { random, verifier } = this.#options;
    const json = JSON.stringify(claims.map((claim) => claimToJson(random(16), claim)));
    const slot = this.#freeSlots.pop() ?? this.#slots++;
    const own: OpenId = [this.#process, slot, toHex(random(16))];
    const done = this.#done.splice(0);
    const about = JSON.stringify({ verifier, process: own[0], slot, call: own[2], done, resumes });
    let answer: Answered;
    try {
      answer = await this.#ask(json, about, claims);
    } catch (error) {
      // The slot is not used again: what is kept under it may never be logged.
      this.#done.push(...done);
      throw error;
    }
    const spent = answer.claims.some(({ spentAs }) => spentAs !== null);
    if (!spent) this.#freeSlots.push(slot);
    return {
      now: answer.now,
      claims: answer.claims,
      open: answer.open,
      logged: () => {
        this.#done.push(...answer.open.map(({ id }) => id));
        if (!spent) return;
        this.#done.push(own);
        this.#freeSlots.push(slot);
      },
    };
  }

  async requests(ids: readonly string[]): Promise<readonly SharedRequest[]> {
    return ids.length === 0 ? [] : (await this.#beside({ requests: ids })).requests;
  }

  async answer(answers: readonly SharedAnswer[]): Promise<void> {
    if (answers.length > 0) await this.#beside({ answers });
  }

  async release(token: string): Promise<Release> {
    return (await this.#beside({ release: token })).released ?? 'unknown';
  }

  async health(verifier: string | null): Promise<FleetHealth> {
    const { where, encrypted, clock } = this.#options;
    // The first call also connects and loads the function: the second one tells what a verification waits for.
    await this.#beside({});
    const [began, beganAt] = [this.#now(), clock()];
    const { now, schema, enrolled, readsOnly } = await this.#beside({ verifier });
    const roundTripMs = this.#now() - began;
    // Nothing was settled here; what a verification settles would be refused.
    if (readsOnly)
      throw unavailable(fromServer(where, { code: '25006', message: 'transaction_read_only is on' }, true));
    const aheadMs = Math.round(now - beganAt - roundTripMs / 2);
    return { where, roundTripMs, aheadMs, schema, latestSchema: STATE_VERSION, encrypted, enrolled };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    if (this.#done.length > 0 && this.#idle.length > 0) {
      // So that the next process need not look for them. Where it cannot be said now, that one finds them logged.
      await this.settle([], false).catch(() => undefined);
    }
    this.#closed = true;
    await Promise.all(this.#idle.splice(0).map((connection) => connection.close()));
  }

  /** What is asked beside the settling of claims: nothing of it is open afterwards. */
  #beside(asked: AskedBeside): Promise<Answered> {
    return this.#ask('[]', this.#about(asked), []);
  }

  #about(asked: AskedBeside): string {
    const own = { verifier: '', process: this.#process, slot: 0, call: '00', done: [], resumes: false };
    return JSON.stringify({ ...own, ...askedToJson(asked) });
  }

  /** Of the clock that never goes back, in ms. */
  #now(): number {
    return this.#options.ticks() / 1000;
  }

  /** Asks until there is an answer, or the time is over. */
  async #ask(claims: string, about: string, asked: readonly FleetClaim[]): Promise<Answered> {
    const { patience } = this.#options;
    const end = this.#now() + patience.totalMs;
    let before: PostgresTrouble | null = null;
    let inDoubt = false;
    for (;;) {
      const left = end - this.#now();
      try {
        return await this.#try(claims, about, asked, Math.min(left, patience.tryMs));
      } catch (error) {
        if (!(error instanceof PostgresTrouble)) throw error;
        inDoubt ||= error.kind === 'in-doubt';
        const over = end - this.#now();
        if (!error.retryable) throw unavailable(error, { inDoubt });
        // A try that the end cuts off says less than the one before it.
        if (over < PAUSE_MS + LEAST_MS) throw unavailable(over < PAUSE_MS ? (before ?? error) : error, { inDoubt });
        before = error;
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  async #try(claims: string, about: string, asked: readonly FleetClaim[], withinMs: number): Promise<Answered> {
    const end = this.#now() + withinMs;
    const connection = await this.#take(end);
    try {
      return await this.#call(connection, claims, about, asked, end);
    } finally {
      this.#give(connection);
    }
  }

  async #call(
    connection: Connection,
    claims: string,
    about: string,
    asked: readonly FleetClaim[],
    end: number,
  ): Promise<Answered> {
    const [row] = await connection.query(
      `SELECT ${SCHEMA}.settle($1::jsonb, $2::jsonb) AS answer, current_setting('transaction_read_only') = 'on' AS reads, ${TOLD}`,
      [claims, about],
      end - this.#now(),
    );
    try {
      const answer = readAnswer(row?.['answer'], asked);
      if (answer.schema > STATE_VERSION) throw newerDatabase(answer.schema);
      return { ...answer, readsOnly: row?.['reads'] === true };
    } catch (error) {
      // The next one is asked for its version before anything is settled by it.
      connection.destroy();
      if (error instanceof UnknownAnswer)
        throw new Failure('STATE_UNAVAILABLE', `${connection.where}: ${error.message}.`, {
          hint: 'aip doctor',
          cause: error,
        });
      throw error;
    }
  }

  async #take(end: number): Promise<Connection> {
    if (this.#closed) throw new Error('the memory is closed');
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (idle.usable) return idle;
      this.#connections--;
    }
    if (this.#connections >= MOST_CONNECTIONS) {
      await this.#turn(end - this.#now());
      return this.#take(end);
    }
    this.#connections++;
    let connection: Connection | null = null;
    try {
      connection = await this.#options.connect(end - this.#now());
      // While it is asked a timer runs; a connection that only waits must not keep a program from ending.
      connection.unref();
      // Nothing is settled in a schema of a later version: what it spent would be spent without a decision.
      await this.#call(connection, '[]', this.#about({}), [], end);
      return connection;
    } catch (error) {
      connection?.destroy();
      this.#connections--;
      this.#waiting.shift()?.();
      throw error;
    }
  }

  #give(connection: Connection): void {
    if (connection.usable && !this.#closed) this.#idle.push(connection);
    else {
      this.#connections--;
      connection.destroy();
    }
    this.#waiting.shift()?.();
  }

  /** Resolves when a connection may be free. */
  #turn(withinMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const wake = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(wake), 1);
        reject(new PostgresTrouble('unreachable', `${this.#options.where}: its connections are busy`));
      }, withinMs);
      this.#waiting.push(wake);
    });
  }
}

/** What `work`, which takes the user that owns the database, gives; what the database did not do is a Failure STATE_UNAVAILABLE. */
export async function asFailures<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof PostgresTrouble
      ? unavailable(error, { owner: true, inDoubt: error.kind === 'in-doubt' })
      : error;
  }
}

/** SQLSTATEs of a database that was never prepared, or of a user that was not. */
const UNPREPARED: ReadonlySet<string> = new Set(['3F000', '42883', '42P01', '42501']);

const AS_OWNER = 'name the user that owns the database: --url postgres://owner@host/database';

/** As the commands say it: nothing was decided. */
function unavailable(
  trouble: PostgresTrouble,
  { owner = false, inDoubt = false }: { readonly owner?: boolean; readonly inDoubt?: boolean } = {},
): Failure {
  const { message, sqlState, hint, retryable } = trouble;
  const unprepared = sqlState !== null && UNPREPARED.has(sqlState);
  const doubt = inDoubt ? ' It may have kept what was asked; nothing was answered with yes.' : '';
  return new Failure('STATE_UNAVAILABLE', `The memory of the fleet gives no answer: ${message}.${doubt}`, {
    hint: owner && sqlState === '42501' ? AS_OWNER : unprepared ? 'aip state migrate' : (hint ?? 'aip doctor'),
    retryable,
    cause: trouble,
  });
}
