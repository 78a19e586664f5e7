/** Requests to a mesh over node's own HTTP client: bounded in time and size, over connections that are kept. */
import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import type { MeshLine } from '../../app/ports/mesh.js';
import { readAuthorities } from './authorities.js';

export interface Call {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With the query. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** ms until the whole answer must be here. */
  readonly timeoutMs: number;
  /** Most bytes of the answer. */
  readonly maxBytes: number;
  /** Told of every part, for answers so long that silence is what should end them. */
  readonly onPart?: () => void;
  /** Gives the request up. */
  readonly signal?: AbortSignal;
}

export interface Answered {
  readonly status: number;
  readonly body: string;
}

/** The mesh could not be asked or did not answer; whether it did what it was asked is unknown when `sent`. */
export class Unreachable extends Error {
  readonly sent: boolean;
  constructor(message: string, sent: boolean, cause?: unknown) {
    super(message, { cause });
    this.name = 'Unreachable';
    this.sent = sent;
  }
}

export interface OpenStream {
  close(): void;
}

export interface StreamListener {
  onOpen(): void;
  onBytes(bytes: Uint8Array): void;
  /** Once; `status` when there was an answer that is no stream. */
  onEnd(reason: string, status: number | null): void;
}

export interface MeshHttpOptions {
  /** What is open does not keep the process alive. */
  readonly background?: boolean | undefined;
  /** File of the certificate authorities (PEM) that are believed, and no others; without it those of Node are. */
  readonly ca?: string | null | undefined;
}

/** How a connection is made; `ca` is absent where Node's own authorities are believed. */
interface Way {
  readonly agent: HttpAgent;
  readonly ca?: string[];
}

export class MeshHttp {
  readonly url: URL;
  readonly #key: string;
  readonly #background: boolean;
  readonly #ca: string | null;
  #opened: Way | null = null;

  /** `key` is the API key; it is sent to `url` only. Nothing is opened or read before the first request. */
  constructor(url: string, key: string, { background = false, ca = null }: MeshHttpOptions = {}) {
    this.#background = background;
    this.url = new URL(url);
    this.#key = key;
    this.#ca = ca;
  }

  ask(call: Call): Promise<Answered> {
    return new Promise((resolve, reject) => {
      const way = this.#way();
      if (typeof way === 'string') return reject(new Unreachable(way, false));
      let sent = false;
      const request = this.#request(way, call.method, call.target, call.headers, call.body, (incoming) => {
        const parts: Buffer[] = [];
        let size = 0;
        incoming.on('data', (part: Buffer) => {
          size += part.length;
          call.onPart?.();
          if (size > call.maxBytes) request.destroy(new Error('the answer is too large'));
          else parts.push(part);
        });
        incoming.on('end', () => {
          over();
          if (!incoming.complete) reject(new Unreachable('the connection broke', true));
          else resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(parts).toString('utf8') });
        });
        incoming.on('error', (error) => fail(error));
      });
      const fail = (error: Error) => {
        over();
        reject(new Unreachable(reasonOf(error), sent, error));
      };
      const giveUp = () => request.destroy(new Error('the request was given up'));
      const timer = setTimeout(
        () => request.destroy(new Error(`no answer within ${call.timeoutMs} ms`)),
        call.timeoutMs,
      );
      if (this.#background) timer.unref();
      call.signal?.addEventListener('abort', giveUp, { once: true });
      const over = () => {
        clearTimeout(timer);
        call.signal?.removeEventListener('abort', giveUp);
      };
      request.on('error', fail);
      request.on('finish', () => (sent = true));
      request.end(call.body);
    });
  }

  /** Opens a stream and keeps telling what comes, until either side ends it. */
  stream(target: string, headers: Readonly<Record<string, string>>, listener: StreamListener): OpenStream {
    let over = false;
    const way = this.#way();
    if (typeof way === 'string') {
      // Never before this returns: the listener does not have the stream yet.
      setImmediate(() => over || listener.onEnd(way, null));
      return { close: () => (over = true) };
    }
    const end = (reason: string, status: number | null) => {
      if (over) return;
      over = true;
      request.destroy();
      listener.onEnd(reason, status);
    };
    const request = this.#request(
      way,
      'GET',
      target,
      { accept: 'text/event-stream', ...headers },
      undefined,
      (incoming) => {
        if (incoming.statusCode !== 200) {
          incoming.resume();
          return end(`the mesh answered ${incoming.statusCode}`, incoming.statusCode ?? null);
        }
        incoming.on('data', (bytes: Buffer) => {
          if (!over) listener.onBytes(bytes);
        });
        incoming.on('end', () => end('the mesh ended the stream', null));
        incoming.on('error', (error) => end(reasonOf(error), null));
        incoming.on('close', () => end('the connection broke', null));
        if (!over) listener.onOpen();
      },
    );
    request.on('error', (error) => end(reasonOf(error), null));
    request.setNoDelay(true);
    request.end();
    return {
      close: () => {
        over = true;
        request.destroy();
      },
    };
  }

  /** Lets go of kept connections. */
  close(): void {
    this.#opened?.agent.destroy();
  }

  /** How to connect, made on first use; in words why there is none. */
  #way(): Way | string {
    if (this.#opened !== null) return this.#opened;
    const options = { keepAlive: true, maxSockets: 4, timeout: 60_000 };
    if (this.url.protocol !== 'https:') return (this.#opened = { agent: new HttpAgent(options) });
    if (this.#ca === null) return (this.#opened = { agent: new (https().Agent)(options) });
    const read = readAuthorities(this.#ca);
    // To go on with Node's own authorities would believe somebody who was not chosen.
    if ('problem' in read) return `mesh.ca: ${read.problem}`;
    const ca = read.certificates;
    return (this.#opened = { agent: new (https().Agent)({ ...options, ca }), ca });
  }

  #request(
    { agent, ca }: Way,
    method: string,
    target: string,
    headers: Readonly<Record<string, string>> | undefined,
    body: Uint8Array | undefined,
    answered: (incoming: IncomingMessage) => void,
  ): ClientRequest {
    const make = this.url.protocol === 'https:' ? https().request : httpRequest;
    const base = this.url.pathname.replace(/\/$/, '');
    const streaming = headers?.accept === 'text/event-stream';
    const request = make(
      {
        hostname: this.url.hostname.replace(/^\[|\]$/g, ''),
        port: this.url.port,
        path: base + target,
        method,
        // A stream keeps its connection to itself.
        agent: streaming ? undefined : agent,
        ...(ca === undefined ? {} : { ca }),
        headers: {
          authorization: `Bearer ${this.#key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': body.length }),
          ...headers,
        },
      },
      answered,
    );
    if (this.#background) request.on('socket', (socket) => socket.unref());
    return request;
  }
}

/** Loaded when it is needed: with all of TLS it would cost each `aip revoke` on loopback a few milliseconds. */
function https(): typeof import('node:https') {
  return process.getBuiltinModule('node:https');
}

function reasonOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED') return 'nothing listens there';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'its name is unknown';
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'the connection broke';
  return code === undefined ? error.message : `${error.message} (${code})`;
}

/** Most bytes of an answer to one question. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/** The line to `url` that the use cases ask over. */
export function meshLine(url: string, http: MeshHttp): MeshLine {
  return {
    url,
    ask: async (call) => {
      try {
        return { kind: 'answered', ...(await http.ask({ ...call, maxBytes: MAX_ANSWER_BYTES })) };
      } catch (error) {
        if (!(error instanceof Unreachable)) throw error;
        return { kind: 'unreachable', reason: error.message, sent: error.sent };
      }
    },
  };
}
