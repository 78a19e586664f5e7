/**
 * MCP over HTTP in front of a server: requests in, replies out. Both eras by the shape of each message: sessions for those that open with
 * `initialize`, and none for messages that name their version themselves.
 */
import type { WebReply, WebRequest } from '../../../app/ports/web.js';
import type { CallRefusal } from '../../refusal.js';
import { admit, type GateRules } from '../../serve/gate.js';
import { jsonWebReply, RequestRefused, refusalReply } from '../../serve/replies.js';
import { versionIn, type RpcRequest } from '../calls.js';
import type { SessionMemory } from '../memory.js';
import { errorFor, readClientMessage, RPC, RpcError, type RpcMessage } from '../message.js';
import type { SessionRoute } from '../ports.js';
import type { McpSession } from '../session.js';
import { agreedVersion, ClientLink } from './link.js';
import { Exchange } from './exchange.js';
import { headersAgree, LATER_ERA, paramsAgree } from './headers.js';
import { isEventId, type Upstream } from './upstream.js';

/** What the gateway stands on. */
export interface GatewayDeps {
  readonly gate: GateRules;
  readonly upstream: Upstream;
  /** The path of the server's own address: clients may use it here as well. */
  readonly path: string;
  readonly server: string;
  /** Makes a session; in the later era all share one memory. */
  readonly open: (route: SessionRoute, memory: SessionMemory) => McpSession;
  readonly memory: () => SessionMemory;
  /** 128 random bits as text: a session's name. */
  readonly newId: () => string;
}

/** More sessions than one agent's clients keep. The one that was used longest ago ends then. */
const MOST_SESSIONS = 256;

/** One MCP server for its clients. */
export class Gateway {
  readonly #deps: GatewayDeps;
  /** Of the older era, by the name that the client was given; used last comes last. */
  readonly #sessions = new Map<string, ClientLink>();
  /** Of the later era: one a request. */
  readonly #passing = new Set<ClientLink>();
  readonly #shared: SessionMemory;
  #cut: CallRefusal | null = null;

  constructor(deps: GatewayDeps) {
    this.#deps = deps;
    this.#shared = deps.memory();
  }

  /** Answers one request. */
  async respond(request: WebRequest): Promise<WebReply> {
    try {
      admit(this.#deps.gate, request);
      const { method, path } = request;
      if (path === '/healthz' && method === 'GET') return jsonWebReply(200, { status: 'ok' });
      if (path !== '/' && path !== this.#deps.path && !path.endsWith('/mcp'))
        throw new RequestRefused(404, 'NOT_FOUND', 'The server is at /mcp.');
      if (method === 'POST') return await this.#post(request);
      if (method === 'GET') return this.#listen(request);
      if (method === 'DELETE') return this.#end(request);
      throw new RequestRefused(405, 'METHOD_NOT_ALLOWED', 'MCP is spoken with POST, GET and DELETE.');
    } catch (error) {
      if (error instanceof RequestRefused) return refusalReply(error);
      throw error;
    }
  }

  /** What is known of the agent now: everything ends while it is denied. */
  stands(refusal: CallRefusal | null): void {
    const before = this.#cut;
    this.#cut = refusal;
    for (const { session } of [...this.#passing]) if (refusal !== null) session.cut(refusal);
    // What was begun in the later era belongs to no session.
    if (refusal !== null && before === null) this.#connection(this.#shared).session.cut(refusal);
    for (const connection of [...this.#sessions.values()]) {
      if (refusal === null) connection.session.resume();
      else connection.session.cut(refusal);
      // Streams end with the agent's leave; who listens again hears when it is back.
      if (refusal !== null && before === null) connection.hangUp();
    }
  }

  /** Ends every session, here and at the server. */
  close(): void {
    for (const connection of [...this.#passing, ...this.#sessions.values()]) connection.end();
    this.#sessions.clear();
  }

  async #post(request: WebRequest): Promise<WebReply> {
    const { headers, body } = request;
    try {
      const message = readClientMessage(body);
      headersAgree(headers, message);
      if (message.kind === 'request') return await this.#request(message, request);
      // To say 202 of a call that is dropped would be to say that it is carried out.
      if (message.kind === 'notification' && !message.method.startsWith('notifications/'))
        throw new RpcError(RPC.invalidRequest, `${message.method} without an id is no request`);
      // In the later era a client has nothing to say beside its requests: it cancels by closing the connection.
      if (headers['mcp-session-id'] === undefined && laterEra(message, headers)) return accepted();
      const connection = this.#sessionOf(request);
      const taken: Promise<void>[] = [];
      await connection.session.accept(
        message,
        connection.route((each) => taken.push(each)),
      );
      await Promise.all(taken);
      if (message.kind === 'notification' && message.method === 'notifications/cancelled')
        for (const [exchange, each] of connection.exchanges) if (each === message.params.requestId) exchange.close();
      return accepted();
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      return jsonWebReply(400, { jsonrpc: '2.0', ...errorBody(error) });
    }
  }

  async #request(message: RpcRequest, request: WebRequest): Promise<WebReply> {
    const { id, method } = message;
    const modern = versionIn(message.params) !== null;
    const exchange = new Exchange(id, modern, /text\/event-stream|\*\/\*/.test(request.headers.accept ?? '*/*'));
    if (modern) {
      const connection = this.#connection(this.#shared);
      this.#passing.add(connection);
      exchange.onEnd(() => void this.#passing.delete(connection));
      if (this.#cut !== null) connection.session.cut(this.#cut);
      const route = connection.routeOf(exchange, id, true);
      let gone = false;
      request.onGone?.(() => {
        gone = true;
        connection.session.abandon(id);
        exchange.close();
      });
      try {
        await this.#paramsAgree(message, request, connection.session, route);
      } catch (error) {
        exchange.close();
        throw error;
      }
      // To go is to cancel, also while the tool was looked up.
      if (!gone) void connection.session.accept(message, route);
      return exchange.reply;
    }
    if (method !== 'initialize') {
      const connection = this.#sessionOf(request);
      request.onGone?.(() => exchange.close());
      void connection.session.accept(message, connection.routeOf(exchange, id, false));
      return exchange.reply;
    }
    if (request.headers['mcp-session-id'] !== undefined)
      throw new RpcError(RPC.invalidRequest, 'initialize opens a session of its own', id);
    this.#makeRoom();
    const connection = this.#connection(this.#deps.memory());
    request.onGone?.(() => exchange.close());
    const route = connection.routeOf(exchange, id, false);
    // What comes before the answer begins the reply, whose head names the session.
    const name = this.#deps.newId();
    exchange.head({ 'mcp-session-id': name });
    void connection.session.accept(message, {
      ...route,
      toClient: (line, answer) => {
        if (answer.kind === 'result') {
          connection.version = agreedVersion(answer);
          this.#sessions.set(name, connection);
          if (this.#cut !== null) connection.session.cut(this.#cut);
        } else exchange.head({});
        route.toClient(line, answer);
      },
    });
    return exchange.reply;
  }

  /** Headers that repeat arguments can be held against them when the tool is known. */
  async #paramsAgree(
    message: RpcRequest,
    { headers }: WebRequest,
    session: McpSession,
    route: SessionRoute,
  ): Promise<void> {
    if (message.method !== 'tools/call' || !Object.keys(headers).some((name) => name.startsWith('mcp-param-'))) return;
    paramsAgree(headers, message, await session.listed(message, route));
  }

  #listen(request: WebRequest): WebReply {
    const { headers } = request;
    if (headers['mcp-session-id'] === undefined)
      throw new RequestRefused(405, 'METHOD_NOT_ALLOWED', 'Without a session there is nothing to listen to: use POST.');
    const connection = this.#sessionOf(request);
    if (!/text\/event-stream|\*\/\*/.test(headers.accept ?? ''))
      throw new RequestRefused(406, 'NOT_ACCEPTABLE', 'This answers with text/event-stream.');
    const { 'last-event-id': after = null } = headers;
    if (after !== null && !isEventId(after))
      throw new RequestRefused(400, 'BAD_REQUEST', 'Last-Event-ID is not the id of an event.');
    return {
      status: 200,
      headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' },
      body: '',
      stream: (sink) => connection.listen(sink, (told) => request.onGone?.(told), after),
    };
  }

  #end(request: WebRequest): WebReply {
    const connection = this.#sessionOf(request);
    this.#sessions.delete(request.headers['mcp-session-id']!);
    connection.end();
    return jsonWebReply(200, {});
  }

  #connection(memory: SessionMemory): ClientLink {
    const { upstream, server, open } = this.#deps;
    return new ClientLink(upstream, server, (route) => open(route, memory));
  }

  /** @throws RequestRefused 503 where every session is busy */
  #makeRoom(): void {
    if (this.#sessions.size < MOST_SESSIONS) return;
    const [name, idle] = [...this.#sessions].find(([, each]) => each.exchanges.size === 0) ?? [];
    if (name === undefined) throw new RequestRefused(503, 'TOO_MANY', 'Too many sessions are busy.');
    this.#sessions.delete(name);
    idle!.end();
  }

  /** @throws RequestRefused 400 without a name, 404 for one that is not open here */
  #sessionOf({ headers }: WebRequest): ClientLink {
    const { 'mcp-session-id': name, 'mcp-protocol-version': version } = headers;
    if (name === undefined)
      throw new RequestRefused(400, 'NO_SESSION', 'Open a session with initialize, and name it in Mcp-Session-Id.');
    const connection = this.#sessions.get(name);
    if (connection === undefined)
      throw new RequestRefused(404, 'NOT_FOUND', 'There is no such session; open a new one.');
    if (version !== undefined && connection.version !== null && version !== connection.version)
      throw new RpcError(RPC.headerMismatch, 'the header MCP-Protocol-Version is not what the session agreed on');
    this.#sessions.delete(name);
    this.#sessions.set(name, connection);
    return connection;
  }
}

function laterEra(message: RpcMessage, headers: WebRequest['headers']): boolean {
  return (
    message.kind === 'notification' && (versionIn(message.params) ?? headers['mcp-protocol-version'] ?? '') >= LATER_ERA
  );
}

function accepted(): WebReply {
  return { status: 202, headers: { 'cache-control': 'no-store' }, body: '' };
}

function errorBody(error: RpcError): object {
  const answer = errorFor(error);
  return answer.kind === 'error' ? { id: answer.id, error: answer.error } : {};
}
