/** Requests and replies as values: the server is a function, and an adapter translates between it and sockets. */
import type { ApiKeyRecord } from '../../access/api-key.js';

/** A request as the transport hands it over. */
export interface Request {
  readonly method: string;
  /** Without the query, still percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** The peer's address, for rate limits. */
  readonly remote: string;
}

/** An answer as the transport is to send it. */
export type Reply = WholeReply | PiecesReply | StreamReply;

/** An answer with one body. */
export interface WholeReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** True of a page that is the same for everyone, as long as the server runs. */
  readonly fixed?: true;
}

/** A reply too large to be one text; all of it is there. */
export interface PiecesReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly pieces: readonly Uint8Array[];
}

/** An answer that goes on. */
export interface StreamReply {
  readonly status: 200;
  readonly headers: Readonly<Record<string, string>>;
  /** Called once, when the headers are on their way. */
  open(sink: StreamSink): StreamConnection;
}

/** Where a stream's bytes go. */
export interface StreamSink {
  /** False when the reader lags: write nothing more until `drained`. */
  write(bytes: Uint8Array): boolean;
  /** Ends the stream after what was written, and after `last` when given. */
  end(last: Uint8Array | null): void;
  /** Drops the connection with whatever was not sent yet. */
  cut(): void;
}

/** What the owner of the socket tells the stream. */
export interface StreamConnection {
  drained(): void;
  closed(): void;
}

/** Who asks, once authenticated. */
export interface Caller {
  readonly key: ApiKeyRecord;
}

/** The two clocks of a server. */
export interface ServerClock {
  /** ms since the epoch. */
  wall(): number;
  /** ms since some moment of this process; never goes back, never jumps. */
  up(): number;
}

/** An answer in JSON. */
export function jsonReply(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): WholeReply {
  return textReply(status, 'application/json', `${JSON.stringify(value)}\n`, headers);
}

/** An answer in text. */
export function textReply(
  status: number,
  type: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): WholeReply {
  return { status, headers: { 'content-type': type, 'cache-control': 'no-store', ...headers }, body };
}
