/**
 * The only file that knows `pg`: one bare client, loaded when the first connection is made. Statements are unnamed, so that pgbouncer in
 * transaction mode works. Every wait has a timer of this process: the server's `statement_timeout` does not bound a commit that waits
 * for a standby. When a timer runs out the connection is destroyed and never used again; nothing is cancelled, because a cancelled wait
 * for a standby ends as a commit that "succeeded".
 */
import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type { default as Client, Result, ServerMessage } from 'pg/lib/client.js';
import { Failure, shellWord } from '../../app/failure.js';
import { meaningOf } from '../../app/system-failures.js';
import { readSecretNow } from '../files/secret/secret-file.js';
import { readAuthorities } from '../http/authorities.js';
import { isLocal, type PostgresAddress } from './address.js';
import type { Passwords } from './password.js';
import { certificateHint, fromServer, oneLine, PostgresTrouble } from './trouble.js';

/** A value of a statement: lists and objects go as JSON text that the caller makes. */
export type PostgresValue = string | number | bigint | boolean | Uint8Array | null | readonly string[];

/** A row, by column. `int8` and `numeric` come as text, `jsonb` as what it says, `bytea` as bytes, `timestamptz` as a Date. */
export type PostgresRow = Readonly<Record<string, unknown>>;

/** Where to connect, and with what. */
export interface ConnectionOptionsOf {
  readonly address: PostgresAddress;
  readonly passwords: Passwords;
  /** What the server's administrator sees, unless the URL says another name. */
  readonly name: string;
  /** For all hosts together, in ms: name resolution, TLS and login are within. */
  readonly connectMs: number;
}

/** A connection that is logged in. One statement at a time. */
export interface Connection {
  /** The host it leads to. */
  readonly where: string;
  /** False once it was lost or closed. */
  readonly usable: boolean;
  /** True after a BEGIN that was neither committed nor undone. */
  readonly inTransaction: boolean;
  /**
   * Runs one statement with values, or several without, by themselves one transaction. Rejects with PostgresTrouble: `refused` where the
   * server undid it, `in-doubt` where no answer came in `withinMs`; then the connection is destroyed.
   */
  query(text: string, values: readonly PostgresValue[], withinMs: number): Promise<readonly PostgresRow[]>;
  /** Called once, when the connection is lost without being closed here. */
  onLost(listener: () => void): void;
  /** Called with each notification of a channel that this connection listens to. */
  onNotification(listener: (channel: string, payload: string) => void): void;
  /** Lets the process end while it is idle. */
  unref(): void;
  /** Says goodbye, within a second; a connection that is busy is destroyed. */
  close(): Promise<void>;
  /** Ends it at once. A statement under way is in doubt. */
  destroy(): void;
}

/**
 * Connects to the first host that answers and takes writes. Rejects with PostgresTrouble `unreachable`; with Failure where a file that
 * the URL names cannot be read.
 */
export async function connectTo(options: ConnectionOptionsOf): Promise<Connection> {
  const { address, connectMs } = options;
  const ssl = tlsOptions(address);
  const end = performance.now() + connectMs;
  const several = address.hosts.length > 1;
  let last: PostgresTrouble | null = null;
  for (const [i, target] of address.hosts.entries()) {
    // A host that swallows everything must leave time for those after it.
    const share = Math.max(1, (end - performance.now()) / (address.hosts.length - i));
    try {
      // No network lies on the way to a socket, and no server speaks TLS on one: libpq's sslmode is not for them either.
      const connection = await connectToOne(options, target, target.host.startsWith('/') ? false : ssl, share);
      if (!several) return connection;
      if (await takesWrites(connection, share)) return connection;
      await connection.close();
      last = new PostgresTrouble('unreachable', `${connection.where}: it is a standby that only answers reads`);
    } catch (error) {
      if (!(error instanceof PostgresTrouble)) throw error;
      last = error;
    }
  }
  const found = last!;
  return Promise.reject(several ? among(address, found) : found);
}

async function takesWrites(connection: Connection, withinMs: number): Promise<boolean> {
  const [row] = await connection.query('SELECT pg_is_in_recovery() AS standby', [], withinMs);
  return row?.['standby'] === false;
}

function among(
  address: PostgresAddress,
  { hint, retryable, message, sqlState, cause }: PostgresTrouble,
): PostgresTrouble {
  const all = `none of the ${address.hosts.length} hosts is a primary that answers; the last one: ${message}`;
  return new PostgresTrouble('unreachable', all, { hint, retryable, sqlState, cause });
}

async function connectToOne(
  { address, passwords, name }: ConnectionOptionsOf,
  { host, port }: PostgresAddress['hosts'][number],
  ssl: false | ConnectionOptions,
  withinMs: number,
): Promise<Connection> {
  const { default: PgClient } = await import('pg/lib/client.js');
  const where = host.startsWith('/')
    ? `${host}/.s.PGSQL.${port}`
    : `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const client = new PgClient({
    host,
    port,
    user: address.user,
    database: address.database,
    password: () => passwords(host, port) ?? undefined,
    ssl,
    application_name: address.applicationName ?? name,
    client_encoding: 'UTF8',
    keepAlive: true,
    ...(address.options === null ? {} : { options: address.options }),
  });
  const connection = new OneConnection(client, where);
  // In plain text over a network the password itself would be read on the way; a digest of it is not.
  if (ssl === false && !isLocal(host)) {
    client.connection.on('authenticationCleartextPassword', () =>
      client.connection.stream.destroy(new Error('it asks for the password in plain text, without TLS')),
    );
  }
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new PostgresTrouble('unreachable', `${where}: no answer in ${Math.round(withinMs)} ms`)),
      withinMs,
    );
  });
  try {
    await Promise.race([client.connect(), late]);
    return connection;
  } catch (error) {
    connection.destroy();
    throw error instanceof PostgresTrouble ? error : unreachable(where, error, passwords(host, port) === null);
  } finally {
    clearTimeout(timer);
  }
}

class OneConnection implements Connection {
  readonly where: string;
  readonly #client: Client;
  #usable = true;
  #closing = false;
  #busy = false;
  /** A standby has not confirmed what was committed here. */
  #unconfirmed = false;
  /** Called with true when the server is ready for the next statement, with false when the connection ends. */
  #ended: (ready: boolean) => void = () => undefined;
  #lost: (() => void) | null = null;

  constructor(client: Client, where: string) {
    this.#client = client;
    this.where = where;
    // Without a listener an error between two statements would end the process.
    client.on('error', () => this.#gone());
    client.on('end', () => this.#gone());
    client.connection.on('readyForQuery', () => this.#ended(true));
    client.connection.on('end', () => this.#ended(false));
    client.on('notice', (notice: ServerMessage) => {
      if (notice.routine === 'SyncRepWaitForLSN') this.#unconfirmed = true;
    });
  }

  get usable(): boolean {
    return this.#usable;
  }

  get inTransaction(): boolean {
    return /[TE]/.test(this.#client.getTransactionStatus() ?? '');
  }

  async query(text: string, values: readonly PostgresValue[], withinMs: number): Promise<readonly PostgresRow[]> {
    if (this.#busy) throw new Error('two statements at once on one connection');
    if (!this.#usable) throw new PostgresTrouble('unreachable', `${this.where}: the connection is lost`);
    if (withinMs <= 0) throw new PostgresTrouble('unreachable', `${this.where}: no time is left to ask`);
    this.#busy = true;
    this.#unconfirmed = false;
    const ready = new Promise<boolean>((resolve) => (this.#ended = resolve));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new PostgresTrouble('in-doubt', `${this.where}: no answer in ${Math.round(withinMs)} ms`));
        this.destroy();
      }, withinMs);
    });
    try {
      const asked = values.length === 0 ? this.#client.query(text) : this.#client.query(text, values);
      // Where the timer was first, the result of the statement is dropped.
      asked.catch(() => undefined);
      const answer = await Promise.race([asked, late]);
      if (this.#unconfirmed)
        throw new PostgresTrouble('in-doubt', `${this.where}: the wait for the standby was broken off`);
      // Of several statements the last one's.
      return isList(answer) ? (answer.at(-1)?.rows ?? []) : answer.rows;
    } catch (error) {
      // What the server said is worth as much as what it does next: the severity is in the language of the server.
      const undone = isServerMessage(error) && (await Promise.race([ready, late]).catch(() => false));
      throw this.#troubleOf(error, undone);
    } finally {
      clearTimeout(timer);
      this.#busy = false;
    }
  }

  onLost(listener: () => void): void {
    this.#lost = listener;
  }

  onNotification(listener: (channel: string, payload: string) => void): void {
    this.#client.on('notification', ({ channel, payload }: { channel: string; payload?: string }) =>
      listener(channel, payload ?? ''),
    );
  }

  unref(): void {
    this.#client.connection.stream.unref?.();
  }

  async close(): Promise<void> {
    if (this.#closing || !this.#usable || this.#busy) return this.destroy();
    this.#closing = true;
    this.#usable = false;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, 1000)));
    await Promise.race([this.#client.end(), late]);
    clearTimeout(timer);
    this.destroy();
  }

  destroy(): void {
    this.#closing = true;
    this.#usable = false;
    this.#client.connection.stream.destroy();
  }

  #gone(): void {
    this.#usable = false;
    if (this.#closing) return;
    this.#closing = true;
    this.#client.connection.stream.destroy();
    this.#lost?.();
  }

  #troubleOf(error: unknown, undone: boolean): unknown {
    if (error instanceof PostgresTrouble) {
      if (error.kind === 'in-doubt') this.destroy();
      return error;
    }
    if (isServerMessage(error)) {
      const trouble = fromServer(this.where, error, undone);
      if (trouble.kind === 'in-doubt') this.destroy();
      return trouble;
    }
    // A value that cannot be sent is a fault of the caller; a connection that broke is the world's.
    if (this.#usable) return error;
    this.destroy();
    return new PostgresTrouble('in-doubt', `${this.where}: the connection broke (${reasonOf(error)})`, {
      cause: error,
    });
  }
}

function isList(answer: Result | readonly Result[]): answer is readonly Result[] {
  return Array.isArray(answer);
}

function isServerMessage(error: unknown): error is ServerMessage {
  return error instanceof Error && 'severity' in error && error.severity !== undefined;
}

/** What the world did to a connection that was being made. Nothing was asked yet, so nothing was written. */
function unreachable(where: string, error: unknown, withoutPassword: boolean): PostgresTrouble {
  if (isServerMessage(error)) {
    const { message, sqlState, hint, retryable } = fromServer(where, error, false);
    // Before the first statement an end says only that the server does not want this connection.
    const lasting = sqlState !== null && /^(?:28|3D|42|0A)/.test(sqlState);
    return new PostgresTrouble('unreachable', message, {
      sqlState,
      hint,
      retryable: retryable && !lasting,
      cause: error,
    });
  }
  const { code } = error as NodeJS.ErrnoException;
  const reason = meaningOf(code)?.meaning ?? reasonOf(error);
  if (withoutPassword && /password/i.test(reason))
    return new PostgresTrouble('unreachable', `${where}: it asks for a password, and none is known`, {
      hint: 'set PGPASSWORD, or a line in ~/.pgpass (mode 0600)',
      retryable: false,
      cause: error,
    });
  const hint = certificateHint(code);
  const lasting = hint !== null || /does not support SSL|plain text/.test(reason);
  return new PostgresTrouble('unreachable', `${where}: ${reason}`, {
    hint,
    retryable: !lasting,
    cause: error,
  });
}

function reasonOf(error: unknown): string {
  // Of several addresses of one host that were tried, the first speaks for all.
  const first = error instanceof AggregateError ? error.errors[0] : error;
  const { code } = first as NodeJS.ErrnoException;
  return meaningOf(code)?.meaning ?? oneLine(first instanceof Error ? first.message : String(first));
}

function tlsOptions({ tls }: PostgresAddress): false | ConnectionOptions {
  if (tls.mode === 'disable') return false;
  const options: ConnectionOptions = { rejectUnauthorized: true, minVersion: 'TLSv1.2' };
  if (tls.rootCert !== null) {
    const read = readAuthorities(tls.rootCert);
    if ('problem' in read)
      throw new Failure('UNREADABLE', `sslrootcert of the database's URL: ${read.problem}.`, {
        hint: `ls -l ${shellWord(tls.rootCert)}`,
      });
    options.ca = read.certificates;
  }
  if (tls.cert !== null && tls.key !== null) {
    options.cert = certificateIn(tls.cert);
    options.key = readSecretNow(tls.key, { what: 'sslkey of the database', most: 65_536, env: process.env });
  }
  if (tls.mode === 'verify-ca') options.checkServerIdentity = () => undefined;
  return options;
}

function certificateIn(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Failure('UNREADABLE', `sslcert of the database's URL, ${path}: ${meaningOf(code)?.meaning ?? code}.`, {
      hint: `ls -l ${shellWord(path)}`,
      cause,
    });
  }
}
