/** Connections through a proxy: a tunnel (CONNECT, RFC 9110, section 9.3.6) that TLS to the far end runs in, so that the proxy reads nothing. */
import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Agent, AgentOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import type { Proxy } from './proxy.js';
import { meaningOf } from '../../app/system-failures.js';

/** The longest that a proxy may take to open a tunnel, ms. */
const TUNNEL_MS = 10_000;

/** What node hands to `createConnection`. */
type Wanted = ConnectionOptions & { readonly host: string; readonly port: number | string };
type Connected = (error: Error | null, socket?: Duplex) => void;

/** An agent whose connections run through `proxy`. `background`: a tunnel that is being opened does not keep the process alive. */
export function tunnelAgent(proxy: Proxy, background: boolean, options: AgentOptions): Agent {
  const { Agent: HttpsAgent } = process.getBuiltinModule('node:https');
  class TunnelAgent extends HttpsAgent {
    override createConnection(wanted: Wanted, connected: Connected): undefined {
      openTunnel(proxy, wanted, background, connected);
      return undefined;
    }
  }
  return new TunnelAgent(options);
}

function openTunnel(proxy: Proxy, wanted: Wanted, background: boolean, connected: Connected): void {
  const tls = process.getBuiltinModule('node:tls');
  const target = `${wanted.host.includes(':') ? `[${wanted.host}]` : wanted.host}:${wanted.port}`;
  const request = connectRequest(proxy, target);
  const timer = setTimeout(() => request.destroy(new Error(`it did not answer within ${TUNNEL_MS} ms`)), TUNNEL_MS);
  const settle = (error: Error | null, socket?: Duplex): void => {
    clearTimeout(timer);
    connected(error, socket);
  };
  if (background) {
    timer.unref();
    request.on('socket', (socket) => socket.unref());
  }
  request.once('connect', (answer: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (answer.statusCode !== 200 || head.length > 0) {
      socket.destroy();
      const why = answer.statusCode === 200 ? 'it spoke before it was spoken to' : refusal(answer.statusCode ?? 0);
      return settle(new TunnelError(proxy, why));
    }
    // Certificates and names are checked as without a proxy: `wanted` still holds the host that is meant.
    settle(null, tls.connect({ ...wanted, socket }));
  });
  // Some answer a CONNECT that they refuse as any other request.
  request.once('response', (answer) => {
    request.destroy();
    settle(new TunnelError(proxy, refusal(answer.statusCode ?? 0)));
  });
  request.once('error', (error) => settle(new TunnelError(proxy, reasonWhy(error), error)));
  request.end();
}

function connectRequest(proxy: Proxy, target: string): ClientRequest {
  const make = proxy.url.protocol === 'https:' ? process.getBuiltinModule('node:https').request : httpRequest;
  const { authorization } = proxy;
  return make({
    method: 'CONNECT',
    hostname: proxy.url.hostname.replace(/^\[|\]$/g, ''),
    port: proxy.url.port === '' ? (proxy.url.protocol === 'https:' ? 443 : 80) : proxy.url.port,
    path: target,
    agent: false,
    headers: { host: target, ...(authorization === null ? {} : { 'proxy-authorization': authorization }) },
  });
}

/** The proxy was reached, or not, and no tunnel came of it. Its own words are not repeated. */
export class TunnelError extends Error {
  constructor(proxy: Proxy, why: string, cause?: unknown) {
    super(`the proxy ${proxy.shown} (${proxy.variable}) opens no tunnel: ${why}`, { cause });
    this.name = 'TunnelError';
  }
}

function refusal(status: number): string {
  return status === 407 ? 'it answered 407: it wants another name and password' : `it answered ${status}`;
}

function reasonWhy(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return meaningOf(code)?.meaning ?? code ?? error.message;
}
