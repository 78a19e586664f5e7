/** The mesh on a socket: node's own HTTP server around `handle`. */
import {
  createServer as createHttp,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { Failure } from '../../../app/failure.js';
import { meaningOf } from '../../../app/system-failures.js';
import { GOODBYE_SPREAD_MS, SLOW_READER_MS } from '../../../mesh/limits.js';
import type { StreamConnection, PiecesReply, Reply, Request, StreamSink } from '../../../mesh/server/http/exchange.js';
import {
  bodyLimit,
  failedReply,
  handle,
  refusedAtTheDoor,
  takesKey,
  tooBusy,
  tooLargeReply,
} from '../../../mesh/server/http/handle.js';
import { isOwnLoopback } from '../../../protocol/web-url.js';
import { refuseBroken } from '../../http/broken-requests.js';
import { takesItsTurn } from '../../http/pipelining.js';
import { leaveUnread } from '../../http/unread-bodies.js';
import { Intake } from './bodies.js';
import type { MeshServer } from '../../../mesh/server/mesh-server.js';

export interface ListenOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** PEM texts. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  /** Most connections at once, streams included. */
  readonly maxConnections?: number;
  /** Most connections of one address that have shown no key. */
  readonly maxStrangers?: number;
  /** A bug showed itself in one request; the server goes on. */
  readonly onBug: (error: unknown) => void;
}

export interface Listening {
  /** What clients are told, e.g. `http://127.0.0.1:4180`. */
  readonly url: string;
  readonly port: number;
  /**
   * Resolves when nothing is served any more: with null after `close`, with what to say when the store failed. After a failure
   * nothing was acknowledged and every connection is cut; the process must say so and end with a code other than 0.
   */
  readonly ended: Promise<Failure | null>;
  /** Stops accepting, finishes what was accepted, and resolves within 5 s. */
  close(): Promise<void>;
}

const TICK_MS = 100;
const FINISH_MS = 4_000;
/** Refusals that are on their way when the store fails get this long. */
const LAST_WORDS_MS = 100;
/** A body of this many bytes has arrived with its headers, or soon after: it is thrown away, and the connection ends in order. */
const SMALL_BODY = 16 * 1024;
/** What was said to a caller whose body is not read gets this long on its way. */
const LAST_READ_MS = 500;
const CRLF = Buffer.from('\r\n');
const LAST_CHUNK = Buffer.from('0\r\n\r\n');

/** Serves `mesh` until it is closed. Fails with NETWORK when the address cannot be listened on, with USAGE when `tls` is no key pair. */
export async function listen(mesh: MeshServer, options: ListenOptions): Promise<Listening> {
  const { host, tls, onBug } = options;
  const limits = { maxHeaderSize: 8_192, headersTimeout: 10_000, requestTimeout: 15_000, keepAliveTimeout: 30_000 };
  const server: Server = tls === null ? createHttp(limits) : withTls(limits, tls);
  server.maxConnections = options.maxConnections ?? 24_000;
  let running = 0;
  const intake = new Intake(options.maxStrangers);
  server.on('connection', (socket: Socket) => intake.opened(socket));
  server.on('secureConnection', (socket: Socket) => intake.opened(socket));
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (!takesItsTurn(request, response)) return;
    running++;
    respond(mesh, intake, request, response)
      .catch((error: unknown) => {
        if (error instanceof Failure) mesh.fail(error);
        else onBug(error);
        if (response.headersSent) response.destroy();
        else {
          write(response, failedReply(mesh));
        }
      })
      .finally(() => running--);
  });
  server.on('clientError', refuseBroken);
  await bind(server, host, options.port);
  const ticking = setInterval(() => mesh.tick(), TICK_MS);
  let end: (how: Failure | null) => void;
  const ended = new Promise<Failure | null>((resolve) => (end = resolve));
  void mesh.failed.then(async (error) => {
    clearInterval(ticking);
    server.close();
    await sleep(LAST_WORDS_MS);
    server.closeAllConnections();
    end(storeFailure(error));
  });
  const { port } = server.address() as AddressInfo;
  const name = host.includes(':') ? `[${host}]` : host;
  return {
    url: `${tls === null ? 'http' : 'https'}://${name}:${port}`,
    port,
    ended,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      mesh.stop(GOODBYE_SPREAD_MS);
      const deadline = Date.now() + FINISH_MS;
      while (running > 0 && Date.now() < deadline) await sleep(20);
      server.closeIdleConnections();
      await Promise.race([closed, sleep(200)]);
      server.closeAllConnections();
      clearInterval(ticking);
      await closed;
      end(null);
    },
  };
}

/**
 * Why `host` may not be listened on in plain text, or null when it may: keys and events would cross the network readable.
 */
export function plainTextProblem(host: string, tls: boolean, insecureHttp: boolean): Failure | null {
  if (tls || insecureHttp || isOwnLoopback(host)) return null;
  return new Failure('USAGE', `Without TLS the mesh listens on this machine only, not on ${host}.`, {
    hint: 'give --tls-cert and --tls-key; or, behind a proxy that ends TLS, --insecure-http',
  });
}

/** Why the server had to end. What the store's own words advise is about another file, and would give the log up. */
function storeFailure(error: unknown): Failure {
  const cause = error instanceof Failure ? error.cause : error;
  const code = (cause as { code?: unknown } | undefined)?.code;
  const full = code === 'SQLITE_FULL' || code === 'ENOSPC' || code === 'EDQUOT';
  const what = full ? 'No space is left for the mesh store' : 'The mesh store failed';
  const why = typeof code === 'string' ? ` (${code})` : '';
  return new Failure(
    'STATE',
    `${what}${why}; this server ends. What was acknowledged is kept; of the rest, ask again.`,
    {
      hint: full ? 'df -h' : 'dmesg | tail',
      cause: error,
    },
  );
}

function withTls(limits: ServerOptions, tls: { readonly cert: string; readonly key: string }): Server {
  try {
    // An empty one is taken, and then no handshake ever succeeds.
    for (const pem of [tls.cert, tls.key]) if (pem.trim() === '') throw new Error('one of them is empty');
    return createHttps({ ...limits, ...tls });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH' ? 'they do not belong together' : message;
    throw new Failure('USAGE', `The certificate and its key cannot be used: ${why}.`, {
      hint: '--tls-cert takes the certificate chain, --tls-key its private key, both PEM',
      cause: error,
    });
  }
}

function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const what = meaningOf(error.code)?.meaning ?? error.code ?? error.message;
      reject(
        new Failure('NETWORK', `Cannot listen on ${host} port ${port}: ${what}.`, {
          hint: 'choose another address: aip mesh serve --listen 127.0.0.1:0',
          cause: error,
        }),
      );
    });
    // A crowd that reconnects at once must fit into the backlog.
    server.listen({ host, port, backlog: 4_096 }, resolve);
  });
}

async function respond(
  mesh: MeshServer,
  intake: Intake,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const target = incoming.url ?? '/';
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  const method = incoming.method ?? 'GET';
  const limit = bodyLimit(method, path);
  const head: Request = {
    method,
    path,
    query: new URLSearchParams(mark === -1 ? '' : target.slice(mark + 1)),
    headers: plainHeaders(incoming),
    body: new Uint8Array(),
    remote: incoming.socket.remoteAddress ?? '',
  };
  // On the headers alone: a stranger's body is not read.
  const refused = await refusedAtTheDoor(mesh, head);
  if (refused !== null) {
    response.shouldKeepAlive = false;
    write(response, refused);
    const { socket } = incoming;
    if (Number(head.headers['content-length'] ?? limit) > SMALL_BODY) {
      // The caller hears why before the connection is reset.
      leaveUnread(incoming);
      response.once('finish', () => setTimeout(() => socket.destroy(), LAST_READ_MS).unref());
    }
    return;
  }
  const body = await intake.read(incoming, limit);
  // The client has gone: a stranger who hangs up is no bug.
  if (body === 'broken off') return;
  if (typeof body === 'string') {
    // The rest of the body is not read, so the connection cannot carry another request.
    response.shouldKeepAlive = false;
    write(response, body === 'busy' ? tooBusy() : await tooLargeReply(mesh, head));
    return;
  }
  const reply = await handle(mesh, { ...head, body });
  // A header alone is no key: what anyone may see is answered to any sender.
  if (reply.status < 400 && takesKey(method, path)) intake.known(incoming.socket);
  if (mesh.stopping) response.shouldKeepAlive = false;
  write(response, reply);
}

function write(response: ServerResponse, reply: Reply): void {
  if ('pieces' in reply) return void writePieces(response, reply);
  if (!('open' in reply)) {
    const bytes = reply.fixed === true ? fixedBytes(reply.body) : Buffer.from(reply.body);
    response.writeHead(reply.status, { ...reply.headers, 'content-length': bytes.length });
    response.end(bytes);
    return;
  }
  const socket = response.socket;
  if (socket === null || socket.destroyed) return;
  const chunked = response.req.httpVersion !== '1.0';
  response.useChunkedEncodingByDefault = chunked;
  response.writeHead(200, reply.headers);
  response.flushHeaders();
  socket.setNoDelay(true);
  socket.setTimeout(0);
  const sink = new SocketSink(socket, chunked);
  let connection: StreamConnection | null = null;
  socket.on('drain', () => connection?.drained());
  socket.once('close', () => connection?.closed());
  connection = reply.open(sink);
}

const fixed = new Map<string, Buffer>();

/** The bytes of a page that is the same for everyone: held once, however many have not read it yet. */
function fixedBytes(page: string): Buffer {
  let bytes = fixed.get(page);
  if (bytes === undefined) fixed.set(page, (bytes = Buffer.from(page)));
  return bytes;
}

/** Writes as fast as the reader takes it; one that takes nothing for too long is cut. */
async function writePieces(response: ServerResponse, { status, headers, pieces }: PiecesReply): Promise<void> {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  response.writeHead(status, { ...headers, 'content-length': length });
  response.setTimeout(SLOW_READER_MS, () => response.destroy());
  for (const piece of pieces) {
    if (response.destroyed) return;
    if (response.write(piece)) continue;
    await new Promise<void>((resolve) => {
      const go = () => {
        response.off('drain', go).off('close', go);
        resolve();
      };
      response.on('drain', go).on('close', go);
    });
  }
  response.setTimeout(0);
  response.end();
}

function plainHeaders(incoming: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) if (typeof value === 'string') headers[name] = value;
  return headers;
}

/**
 * Writes past `ServerResponse`, which would frame each chunk for each client: here the frame is put around shared bytes once,
 * and every stream writes the same buffer.
 */
class SocketSink implements StreamSink {
  readonly #socket: Socket;
  readonly #chunked: boolean;

  constructor(socket: Socket, chunked: boolean) {
    this.#socket = socket;
    this.#chunked = chunked;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#socket.destroyed) return true;
    return this.#socket.write(this.#chunked ? chunkOf(bytes) : bytes);
  }

  end(last: Uint8Array | null): void {
    if (this.#socket.destroyed) return;
    if (last !== null) this.write(last);
    if (this.#chunked) this.#socket.end(LAST_CHUNK);
    else this.#socket.end();
  }

  cut(): void {
    this.#socket.destroy();
  }
}

let lastBytes: Uint8Array | null = null;
let lastChunk: Uint8Array = CRLF;

/** The bytes as one HTTP/1.1 chunk; the last one is kept, because a pass writes the same bytes to every stream. */
function chunkOf(bytes: Uint8Array): Uint8Array {
  if (bytes !== lastBytes) {
    lastChunk = Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, CRLF]);
    lastBytes = bytes;
  }
  return lastChunk;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
