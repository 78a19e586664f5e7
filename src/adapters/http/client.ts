/** The one HTTP client: bounded in time and size, no redirects, through the proxy that the environment names. */
import {
  Agent as HttpAgent,
  request as httpRequest,
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from 'node:http';
import { readAuthorities } from './authorities.js';
import { proxyFor, ProxyProblem, type Proxy, type ProxyEnvironment } from './proxy.js';
import { tunnelAgent, TunnelError } from './tunnel.js';
import { meaningOf } from '../../app/system-failures.js';

/** One request, and the bounds of its answer. */
export interface HttpCall {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body?: Uint8Array | undefined;
  /** ms until the whole answer must be here. */
  readonly timeoutMs: number;
  /** Most bytes of the answer; 0 ends the request with the answer's head. */
  readonly maxBytes: number;
  /** Told of every part, for answers so long that silence is what should end them. */
  readonly onPart?: (() => void) | undefined;
  /** Gives the request up. */
  readonly signal?: AbortSignal | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

/** What went wrong, for callers that tell people more than `message` does. */
export type HttpTrouble = 'unreachable' | 'silent' | 'broken' | 'too-large' | 'given-up';

/** No whole answer came; whether the request was carried out is unknown when `sent`. */
export class Unreachable extends Error {
  readonly kind: HttpTrouble;
  readonly sent: boolean;
  /** The system's word for it, such as ECONNREFUSED; null when it has none. */
  readonly code: string | null;

  constructor(message: string, sent: boolean, kind: HttpTrouble = 'unreachable', cause?: unknown) {
    super(message, { cause });
    this.name = 'Unreachable';
    this.sent = sent;
    this.kind = kind;
    this.code = (cause as NodeJS.ErrnoException | undefined)?.code ?? null;
  }
}

export interface OpenStream {
  close(): void;
}

const FORBIDDEN = 403;
/** Most characters of an answer that forbids a stream. */
const MAX_REFUSAL = 4_096;

export interface StreamListener {
  onOpen(): void;
  onBytes(bytes: Uint8Array): void;
  /** Once; `status` when there was an answer that is no stream, and the `body` of one that forbids it. */
  onEnd(reason: string, status: number | null, body: string): void;
}

/** A request whose answer is taken in parts, however long it lasts. */
export type OpenCall = Pick<HttpCall, 'method' | 'path' | 'headers' | 'body'>;

/** What is told of an answer in parts. */
export interface AnswerListener {
  /** The head of the answer, once. */
  onHead(status: number, headers: IncomingHttpHeaders): void;
  onBytes(bytes: Uint8Array): void;
  /** Once, and the last: null where the answer was complete, else why there is none or no more of it. */
  onEnd(problem: string | null): void;
}

export interface HttpOptions {
  /** What is open does not keep the process alive. */
  readonly background?: boolean | undefined;
  /** File of the certificate authorities (PEM) that are believed, and no others; without it those of Node are. */
  readonly ca?: string | null | undefined;
  /** Where HTTPS_PROXY and its like are looked for; without it there is no proxy. */
  readonly env?: ProxyEnvironment | undefined;
  /** Connections that are kept for the next request. Default: 4; 0 keeps none. */
  readonly kept?: number | undefined;
}

/** How connections are made; `proxy` is set where plain HTTP is asked of a proxy instead of the server. */
interface Way {
  readonly agent: HttpAgent;
  /** For a request whose connection serves nothing else. */
  readonly alone: () => HttpAgent | undefined;
  readonly ca?: string[];
  readonly proxy: Proxy | null;
}

/** Requests to one server, the origin of `url`. Nothing is opened or read before the first one. */
export class HttpClient {
  readonly url: URL;
  readonly #options: HttpOptions;
  #opened: Way | null = null;

  constructor(url: string, options: HttpOptions = {}) {
    this.url = new URL(url);
    this.#options = options;
  }

  /** The whole answer. @throws Unreachable */
  ask(call: HttpCall): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const way = this.#way();
      if (typeof way === 'string') return reject(new Unreachable(way, false));
      let sent = false;
      let kind: HttpTrouble | null = null;
      const end = (why: HttpTrouble, text: string): void => {
        kind = why;
        request.destroy(new Error(text));
      };
      const request = this.#request(way, call, (incoming) => {
        const { statusCode: status = 0, headers } = incoming;
        if (call.maxBytes === 0) {
          incoming.on('error', () => undefined);
          over();
          resolve({ status, headers, body: new Uint8Array() });
          return void request.destroy();
        }
        const parts: Buffer[] = [];
        let size = 0;
        incoming.on('data', (part: Buffer) => {
          size += part.length;
          call.onPart?.();
          if (size > call.maxBytes) end('too-large', 'the answer is too large');
          else parts.push(part);
        });
        incoming.on('end', () => {
          over();
          if (!incoming.complete) reject(new Unreachable('the connection broke', true, 'broken'));
          else resolve({ status, headers, body: Buffer.concat(parts) });
        });
        incoming.on('error', (error) => fail(error, 'broken'));
      });
      const fail = (error: Error, otherwise: HttpTrouble): void => {
        over();
        reject(new Unreachable(reasonOf(error), sent, kind ?? otherwise, error));
      };
      const giveUp = (): void => end('given-up', 'the request was given up');
      const timer = setTimeout(() => end('silent', `no answer within ${call.timeoutMs} ms`), call.timeoutMs);
      if (this.#options.background === true) timer.unref();
      if (call.signal?.aborted === true) giveUp();
      call.signal?.addEventListener('abort', giveUp, { once: true });
      const over = (): void => {
        clearTimeout(timer);
        call.signal?.removeEventListener('abort', giveUp);
      };
      request.on('error', (error) => fail(error, 'unreachable'));
      request.on('finish', () => (sent = true));
      request.end(call.body);
    });
  }

  /** Opens a stream and keeps telling what comes, until either side ends it. */
  stream(call: Pick<HttpCall, 'path' | 'headers'>, listener: StreamListener): OpenStream {
    let refusal: string | null = null;
    const refused = (status: number): void => {
      opened.close();
      listener.onEnd(`the mesh answered ${status}`, status, refusal ?? '');
    };
    const opened = this.open(
      { method: 'GET', ...call },
      {
        onHead: (status) => {
          if (status === 200) listener.onOpen();
          // Why it is forbidden is worth a sentence.
          else if (status === FORBIDDEN) refusal = '';
          else refused(status);
        },
        onBytes: (bytes) => {
          if (refusal === null) return listener.onBytes(bytes);
          refusal += Buffer.from(bytes).toString('utf8');
          if (refusal.length > MAX_REFUSAL) refused(FORBIDDEN);
        },
        onEnd: (problem) => {
          if (refusal === null) listener.onEnd(problem ?? 'the mesh ended the stream', null, '');
          else refused(FORBIDDEN);
        },
      },
    );
    return opened;
  }

  /** Opens a request on a connection of its own, and tells its answer as it comes, until either side ends it. */
  open(call: OpenCall, listener: AnswerListener): OpenStream {
    let over = false;
    const end = (problem: string | null): void => {
      if (over) return;
      over = true;
      listener.onEnd(problem);
    };
    const way = this.#way();
    if (typeof way === 'string') {
      // Never before this returns: the listener does not have the request yet.
      setImmediate(() => end(way));
      return { close: () => void (over = true) };
    }
    const request = this.#request({ ...way, agent: way.alone() }, call, (incoming) => {
      if (!over) listener.onHead(incoming.statusCode ?? 0, incoming.headers);
      incoming.on('data', (bytes: Buffer) => {
        if (!over) listener.onBytes(bytes);
      });
      incoming.on('end', () => end(incoming.complete ? null : 'the connection broke'));
      incoming.on('error', (error) => end(reasonOf(error)));
      incoming.on('close', () => end('the connection broke'));
    });
    request.on('error', (error) => end(reasonOf(error)));
    request.setNoDelay(true);
    request.end(call.body);
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

  /** How to connect, found on first use; in words why there is no way. */
  #way(): Way | string {
    if (this.#opened !== null) return this.#opened;
    const { env = {}, ca = null, background = false, kept = 4 } = this.#options;
    const options = { keepAlive: kept > 0, maxSockets: kept > 0 ? kept : Infinity, timeout: 60_000 };
    let proxy: Proxy | null;
    try {
      proxy = proxyFor(this.url, env);
    } catch (error) {
      if (!(error instanceof ProxyProblem)) throw error;
      return error.message;
    }
    if (this.url.protocol !== 'https:') {
      const agent = proxy?.url.protocol === 'https:' ? new (https().Agent)(options) : new HttpAgent(options);
      return (this.#opened = { agent, alone: () => undefined, proxy });
    }
    const read = ca === null ? null : readAuthorities(ca);
    // To go on with Node's own authorities would believe somebody who was not chosen.
    if (read !== null && 'problem' in read) return `mesh.ca: ${read.problem}`;
    const believed = read === null ? {} : { ca: read.certificates };
    if (proxy === null) {
      const agent = new (https().Agent)({ ...options, ...believed });
      return (this.#opened = { agent, alone: () => undefined, ...believed, proxy: null });
    }
    const through = proxy;
    const tunnels = (keepAlive: boolean): HttpAgent =>
      tunnelAgent(through, background, { ...options, ...believed, keepAlive });
    return (this.#opened = { agent: tunnels(kept > 0), alone: () => tunnels(false), ...believed, proxy: null });
  }

  #request(
    { agent, ca, proxy }: Omit<Way, 'agent' | 'alone'> & { readonly agent: HttpAgent | undefined },
    { method, path, headers, body }: Pick<HttpCall, 'method' | 'path' | 'headers' | 'body'>,
    answered: (incoming: IncomingMessage) => void,
  ): ClientRequest {
    const to = proxy?.url ?? this.url;
    const make = to.protocol === 'https:' ? https().request : httpRequest;
    const asked = proxy === null ? {} : { host: this.url.host };
    const authorization = proxy?.authorization ?? null;
    const request = make(
      {
        hostname: to.hostname.replace(/^\[|\]$/g, ''),
        port: to.port,
        path: proxy === null ? path : this.url.origin + path,
        method,
        agent,
        ...(ca === undefined ? {} : { ca }),
        headers: {
          ...asked,
          ...(authorization === null ? {} : { 'proxy-authorization': authorization }),
          ...(body === undefined ? {} : { 'content-length': body.length }),
          ...headers,
        },
      },
      answered,
    );
    if (this.#options.background === true) request.on('socket', (socket) => socket.unref());
    return request;
  }
}

/** Loaded when it is needed: with all of TLS it would cost each `aip revoke` on loopback a few milliseconds. */
function https(): typeof import('node:https') {
  return process.getBuiltinModule('node:https');
}

function reasonOf(error: Error): string {
  if (error instanceof TunnelError) return error.message;
  const { code } = error as NodeJS.ErrnoException;
  return meaningOf(code)?.meaning ?? (code === undefined ? error.message : `${error.message} (${code})`);
}
