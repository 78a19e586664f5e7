/** A service on this machine alone: a Unix socket in a folder of its own, a loopback port, or both. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { connect, type AddressInfo } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { Failure, shellWord } from '../../app/failure.js';
import { meaningOf } from '../../app/system-failures.js';
import type { ListeningPlaces, WebHandler, WebListening, WebReply, WebRequestHead } from '../../app/ports/web.js';
import { comment } from '../../protocol/framing/sse.js';
import { refuseBroken } from './broken-requests.js';
import { ConnectionRoom } from './connection-room.js';
import { takesItsTurn } from './pipelining.js';
import { leaveUnread } from './unread-bodies.js';

const LIMITS = { maxHeaderSize: 8_192, headersTimeout: 10_000, requestTimeout: 15_000, keepAliveTimeout: 30_000 };
const MAX_CONNECTIONS = 1_024;
const FINISH_MS = 4_000;
/** A smaller body has come with its headers: it is thrown away, and the connection goes on. In bytes. */
const SMALL_BODY = 16 * 1024;
/** What was said to a caller whose body is not read gets this long on its way. */
const LAST_READ_MS = 500;
/** How often a stream without events says that it is there: the caller, or a proxy, would take silence for an end. */
const SIGN_OF_LIFE_MS = 20_000;
/** The most of a stream that is kept for a caller who does not read it, in bytes. */
const MOST_UNREAD = 64 * 1024 * 1024;

/**
 * Serves until it is closed.
 * @throws Failure NETWORK when a place cannot be listened on, KEYSTORE_DENIED when others can reach the socket's folder
 */
export async function listenHere(handler: WebHandler, places: ListeningPlaces): Promise<WebListening> {
  const running = new Set<Promise<void>>();
  const servers: Server[] = [];
  let closing = false;
  const serve = async (entrance: 'socket' | 'tcp', listen: (server: Server) => void): Promise<Server> => {
    const server = createServer(LIMITS);
    const room = new ConnectionRoom(MAX_CONNECTIONS);
    server.on('connection', (socket) => room.enter(socket));
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      if (!takesItsTurn(request, response)) return;
      const work = answer(handler, places, entrance, request, response, () => closing).finally(
        () => void running.delete(work),
      );
      running.add(work);
    });
    server.on('clientError', refuseBroken);
    await bound(server, listen);
    servers.push(server);
    return server;
  };
  const { socket, tcp } = places;
  const close = async (): Promise<void> => {
    closing = true;
    const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    for (const server of servers) server.closeIdleConnections();
    await Promise.race([Promise.allSettled(running), sleep(FINISH_MS)]);
    for (const server of servers) server.closeIdleConnections();
    await Promise.race([Promise.all(closed), sleep(200)]);
    for (const server of servers) server.closeAllConnections();
    await Promise.all(closed);
  };
  let url: string | null = null;
  try {
    if (socket !== null) {
      await makeRoom(socket);
      await serve('socket', (server) => server.listen(socket));
      chmodSync(socket, 0o600);
    }
    if (tcp !== null) {
      const server = await serve('tcp', (each) => each.listen(tcp.port, tcp.host));
      const host = tcp.host.includes(':') ? `[${tcp.host}]` : tcp.host;
      url = `http://${host}:${(server.address() as AddressInfo).port}`;
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { url, close };
}

async function answer(
  handler: WebHandler,
  { door, maxBody, onBug, undecided = (_, reply) => reply }: ListeningPlaces,
  entrance: 'socket' | 'tcp',
  incoming: IncomingMessage,
  response: ServerResponse,
  closing: () => boolean,
): Promise<void> {
  const target = incoming.url ?? '/';
  const mark = target.indexOf('?');
  const head: WebRequestHead = {
    method: incoming.method ?? 'GET',
    path: mark === -1 ? target : target.slice(0, mark),
    query: new URLSearchParams(mark === -1 ? '' : target.slice(mark + 1)),
    headers: headersOf(incoming),
    entrance,
  };
  try {
    const refused = door?.(head) ?? null;
    if (refused !== null) {
      if (hasLargeBody(incoming)) {
        response.shouldKeepAlive = false;
        leaveUnread(incoming);
        // The caller hears why before the connection is reset.
        response.once('finish', () => setTimeout(() => incoming.socket.destroy(), LAST_READ_MS).unref());
      }
      return write(response, refused);
    }
    const body = await bodyOf(incoming, maxBody);
    if (body === 'broken off') return;
    if (body === null) {
      // The rest of it is not read, so the connection cannot carry another request.
      response.shouldKeepAlive = false;
      const message = `A body holds at most ${maxBody} bytes.`;
      return write(response, undecided(head, bare(413, { code: 'TOO_LARGE', message })));
    }
    const reply = await handler({
      ...head,
      body,
      onGone: (told) =>
        void response.once('close', () => {
          if (!response.writableFinished) told();
        }),
    });
    if (closing()) response.shouldKeepAlive = false;
    if (reply.stream === undefined) write(response, reply);
    else await streamed(response, reply, reply.stream);
  } catch (error) {
    onBug(error);
    if (response.headersSent) response.destroy();
    else {
      const message = 'This request met a bug; nothing was decided.';
      write(response, undecided(head, bare(500, { code: 'BUG', message })));
    }
  }
}

function bare(status: number, said: { readonly code: string; readonly message: string }): WebReply {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
  return { status, headers, body: `${JSON.stringify(said)}\n` };
}

function write(response: ServerResponse, { status, headers, body }: WebReply): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, { ...headers, 'content-length': bytes.length });
  response.end(bytes);
}

/** Resolves when the stream has ended, or its caller is gone. */
function streamed(
  response: ServerResponse,
  { status, headers }: WebReply,
  start: NonNullable<WebReply['stream']>,
): Promise<void> {
  response.writeHead(status, headers);
  response.flushHeaders();
  const alive = setInterval(() => response.write(comment('alive')), SIGN_OF_LIFE_MS);
  alive.unref();
  return new Promise((resolve) => {
    response.once('close', () => {
      clearInterval(alive);
      resolve();
    });
    start({
      write(text) {
        if (response.writableEnded || response.destroyed) return;
        response.write(text);
        if (response.writableLength > MOST_UNREAD) response.destroy();
      },
      end: () => void response.end(),
    });
  });
}

function hasLargeBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > SMALL_BODY;
}

/** The body, or null when it is larger than `limit`. */
async function bodyOf(incoming: IncomingMessage, limit: number): Promise<Uint8Array | null | 'broken off'> {
  if (Number(incoming.headers['content-length'] ?? 0) > limit) return null;
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of incoming) {
      size += (part as Buffer).length;
      if (size > limit) return null;
      parts.push(part as Buffer);
    }
  } catch (error) {
    if (incoming.complete) throw error;
    return 'broken off';
  }
  return Buffer.concat(parts);
}

function headersOf(incoming: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) if (typeof value === 'string') headers[name] = value;
  return headers;
}

function bound(server: Server, listen: (server: Server) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = meaningOf(error.code)?.meaning ?? error.code ?? error.message;
      reject(
        new Failure('NETWORK', `The service cannot listen there: ${why}.`, {
          hint: 'choose another --socket (at most about 100 bytes long) or --listen 127.0.0.1:0',
          cause: error,
        }),
      );
    });
    server.once('listening', resolve);
    listen(server);
  });
}

/** The socket's folder, this user's alone: Node cannot tell who connects. A socket without a server behind it is removed. */
async function makeRoom(socket: string): Promise<void> {
  const folder = dirname(socket);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { mode, uid } = lstatSync(folder);
  const mine = process.getuid === undefined || uid === process.getuid();
  if (!mine || (process.platform !== 'win32' && (mode & 0o077) !== 0))
    throw new Failure('KEYSTORE_DENIED', `Others can reach the folder of the socket, ${folder}.`, {
      // The folder may be one that everybody needs, such as /tmp.
      hint: `name a folder of its own, which is made: --socket ${shellWord(join(folder, 'aip', basename(socket)))}`,
    });
  const there = lstatSync(socket, { throwIfNoEntry: false });
  if (there === undefined) return;
  if (!there.isSocket())
    throw new Failure('EXISTS', `${socket} is no socket.`, { hint: 'name another path with --socket' });
  if (await isServed(socket))
    throw new Failure('NETWORK', `Another process serves ${socket}.`, { hint: 'stop it, or name another --socket' });
  rmSync(socket, { force: true });
}

function isServed(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(socket);
    const end = (served: boolean) => (): void => {
      probe.destroy();
      resolve(served);
    };
    probe.once('connect', end(true)).once('error', end(false));
  });
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms).unref());
}
