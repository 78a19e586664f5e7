/** Requests and replies of the local service as values: the service is a function, and an adapter has the sockets. */

/** One request, its body read. */
export interface WebRequest {
  readonly method: string;
  /** Without the query, still percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case; one value each. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Where it came in. A socket's folder is this user's alone; everybody on the machine reaches a port. */
  readonly entrance: 'socket' | 'tcp';
  /** Has `told` called, once, when the caller is gone before the reply was complete. */
  readonly onGone?: (told: () => void) => void;
}

/** Where the parts of a reply go. */
export interface WebSink {
  readonly write: (text: string) => void;
  readonly end: () => void;
}

/** A request before its body is read. */
export type WebRequestHead = Omit<WebRequest, 'body' | 'onGone'>;

/** What is answered. */
export interface WebReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Writes the body in parts, in place of `body`: a stream of events. It gets the sink once, and ends it. */
  readonly stream?: (sink: WebSink) => void;
}

/** Answers a request. A rejection is a bug: the adapter answers 500, which no caller takes for a yes. */
export type WebHandler = (request: WebRequest) => Promise<WebReply>;

/** Where a service listens. */
export interface ListeningPlaces {
  /** Path of a socket in a folder that is this user's alone; null for none. */
  readonly socket: string | null;
  /** A loopback address; port 0 picks a free one. Null for none. */
  readonly tcp: { readonly host: string; readonly port: number } | null;
  /** A reply that refuses a request on its headers, before anything of its body is kept; null for one that may come in. */
  readonly door?: (head: WebRequestHead) => WebReply | null;
  /** The most that a body may hold, in bytes; a larger one is answered 413 and not read. */
  readonly maxBody: number;
  /** What is said in place of the adapter's own replies: to a body that is too large, and after a bug. */
  readonly undecided?: (head: WebRequestHead, reply: WebReply) => WebReply;
  /** A bug showed itself in one request; the server goes on. */
  readonly onBug: (error: unknown) => void;
}

/** A service that listens. */
export interface WebListening {
  /** Null where it listens on no address. */
  readonly url: string | null;
  /** Stops accepting, finishes what was accepted, and resolves within 5 s. */
  close(): Promise<void>;
}
