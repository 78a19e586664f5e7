/** What one client has open with the server behind the guard: requests go there, and answers come back into the session's rules. */
import type { WebSink } from '../../../app/ports/web.js';
import { frame } from '../../../protocol/framing/sse.js';
import { isObject, type JsonObject } from '../../../protocol/json/values.js';
import type { RpcId, RpcMessage } from '../message.js';
import type { SessionRoute } from '../ports.js';
import type { McpSession } from '../session.js';
import type { Exchange } from './exchange.js';
import { headersOf } from './headers.js';
import { askResuming } from './resuming.js';
import { askUpstream, isRefusedForNow, type Upstream, type UpstreamAnswer } from './upstream.js';

const BOTH = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' };

/** What a server means by 404 where a session was named: it was started anew, or has ended it. */
const NO_SESSION = 'it knows this session no more: open another one with initialize';

/** One client: for its whole session in the older era, for one request in the later one, which has no sessions. */
export class ClientLink {
  readonly #upstream: Upstream;
  readonly #server: string;
  readonly session: McpSession;
  /** The reply to each open request. */
  readonly exchanges = new Map<Exchange, RpcId>();
  /** The server's own name for the session; null where it has none. */
  upstreamId: string | null = null;
  /** The version that client and server agreed on; null before that, and in the later era. */
  version: string | null = null;
  /** Where the client listens for what belongs to no request. */
  #feed: { readonly sink: WebSink; readonly ended: () => void } | null = null;
  /** The server's id for the event that is passed on now. */
  #eventId: string | null = null;

  /** @param open makes the session, given the route of what belongs to no request */
  constructor(upstream: Upstream, server: string, open: (route: SessionRoute) => McpSession) {
    this.#upstream = upstream;
    this.#server = server;
    this.session = open(this.route());
  }

  /** The route of what belongs to no request. `sent` is handed what resolves when the server took a message. */
  route(sent: (taken: Promise<void>) => void = () => undefined): SessionRoute {
    return {
      toClient: (line) => this.#feed?.sink.write(frame('message', this.#eventId, line)),
      toServer: (line, message) => sent(this.#tell(line, message)),
    };
  }

  /** The route of one request. */
  routeOf(exchange: Exchange, id: RpcId, modern: boolean): SessionRoute {
    let asked: { close(): void } | null = null;
    let cut = false;
    this.exchanges.set(exchange, id);
    exchange.onEnd(() => {
      this.exchanges.delete(exchange);
      // In the older era a client that is gone has not cancelled its call, whose outcome is still to be written down, and the answer to one
      // that was cut may name a task that is to end.
      if (modern || (exchange.answered && !cut)) asked?.close();
    });
    return {
      toClient: (line, message) => exchange.send(line, message),
      toServer: (line, message) => {
        if (message.kind === 'notification' && message.method === 'notifications/cancelled') {
          if (modern) return asked?.close();
          cut = true;
        }
        if (message.kind !== 'request') return void this.#tell(line, message);
        const answers = this.#ask(line, message, this.routeFor(exchange), (status, headers) => {
          // Whichever request hears of it: the client opens another session at this status alone.
          if (message.id === id || this.#isSessionGone(status)) exchange.upstreamStatus = status;
          if (message.id !== id) return;
          const { 'mcp-session-id': own } = headers;
          if (message.method === 'initialize' && typeof own === 'string') this.upstreamId = own;
        });
        if (message.id === id) asked = answers;
      },
    };
  }

  /** Where goes what the server sends in the stream of a request, beside its answer. */
  routeFor(exchange: Exchange): SessionRoute {
    return {
      toClient: (line, message) => exchange.send(line, message),
      toServer: (line, message) => void this.#tell(line, message),
    };
  }

  /**
   * The client listens for what belongs to no request, after the event `lastEventId` of the server where it names one. An earlier stream of
   * its ends.
   */
  listen(sink: WebSink, onGone: (told: () => void) => void, lastEventId: string | null): void {
    this.#feed?.ended();
    let opened: { close(): void } | null = null;
    const feed = {
      sink,
      ended: (): void => {
        if (this.#feed === feed) this.#feed = null;
        opened?.close();
        sink.end();
      },
    };
    this.#feed = feed;
    onGone(feed.ended);
    let status = 0;
    const after: Record<string, string> = lastEventId === null ? {} : { 'last-event-id': lastEventId };
    const call = { method: 'GET', headers: { accept: 'text/event-stream', ...this.#headers(), ...after } } as const;
    opened = askUpstream(this.#upstream, call, {
      onHead: (given) => void (status = given),
      onLine: (line, id) => {
        this.#eventId = id;
        this.session.fromServer(line);
        this.#eventId = null;
      },
      // A server without such a stream still has a list that a revocation empties. Of one that may give it later the client asks again.
      onEnd: () => {
        if (status < 300 || isRefusedForNow(status)) feed.ended();
      },
    });
  }

  /** Ends the stream of what belongs to no request. */
  hangUp(): void {
    this.#feed?.ended();
  }

  /** Ends the session here and at the server. */
  end(): void {
    this.hangUp();
    this.session.close('the connection to the server was ended');
    for (const exchange of this.exchanges.keys()) exchange.close();
    if (this.upstreamId === null) return;
    const call = { method: 'DELETE', headers: this.#headers() } as const;
    askUpstream(this.#upstream, call, { onLine: () => undefined, onEnd: () => undefined });
  }

  #ask(
    line: string,
    message: RpcMessage & { kind: 'request' },
    route: SessionRoute,
    onHead: UpstreamAnswer['onHead'] & {},
  ) {
    const { id } = message;
    let status = 0;
    // In the later era what broke off is lost.
    const waits = (): boolean => this.version !== null && this.session.waitsFor(id);
    return askResuming(
      this.#upstream,
      this.#post(line, message),
      { waits, headers: () => this.#headers() },
      {
        onHead(given, headers) {
          status = given;
          onHead(given, headers);
        },
        onLine: (answer) => {
          if (!this.#isSessionGone(status)) this.session.fromServer(answer, route, id);
        },
        onEnd: (problem) => {
          const why = this.#isSessionGone(status) ? NO_SESSION : problem;
          this.session.lost(id, `${this.#server}: ${why ?? 'it ended its answer without one'}`);
        },
      },
    );
  }

  #isSessionGone(status: number): boolean {
    return status === 404 && this.upstreamId !== null;
  }

  /** Resolves when the server took a message that has no answer, or did not. */
  #tell(line: string, message: RpcMessage): Promise<void> {
    return new Promise((resolve) => {
      askUpstream(this.#upstream, this.#post(line, message), {
        onLine: () => undefined,
        onEnd: () => resolve(),
      });
    });
  }

  #post(line: string, message: RpcMessage) {
    const headers = { ...BOTH, ...this.#headers(), ...headersOf(message, this.#toolOf(message)) };
    return { method: 'POST', headers, body: line } as const;
  }

  #headers(): Record<string, string> {
    return {
      ...(this.upstreamId === null ? {} : { 'mcp-session-id': this.upstreamId }),
      ...(this.version === null ? {} : { 'mcp-protocol-version': this.version }),
    };
  }

  #toolOf(message: RpcMessage): JsonObject | null {
    if (message.kind !== 'request' || message.method !== 'tools/call') return null;
    const { name } = message.params;
    return typeof name === 'string' ? this.session.tool(name) : null;
  }
}

/** The version in the answer to `initialize`. */
export function agreedVersion(message: RpcMessage): string | null {
  if (message.kind !== 'result' || !isObject(message.result)) return null;
  const { protocolVersion } = message.result;
  return typeof protocolVersion === 'string' && /^[\x21-\x7e]{1,64}$/.test(protocolVersion) ? protocolVersion : null;
}
