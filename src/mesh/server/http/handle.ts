/** One request in, one reply out: routing, admission, and every refusal in one form. */
import { JsonError } from '../../../protocol/json/parse.js';
import { ShapeError } from '../../../protocol/json/shape.js';
import { REFUSALS, Refused, type MeshRefusal } from '../../refusal.js';
import { dashboardPage } from './dashboard.js';
import { ENDPOINTS, type Endpoint } from './endpoints.js';
import { jsonReply, textReply, type Reply, type Request } from './exchange.js';
import { StoreTrouble } from '../../log/store.js';
import { forgetLeaver } from '../feed/leaving.js';
import type { FollowedHome } from '../regions/relay.js';
import { troubled } from '../committer.js';
import { sealedAnswer } from '../prover.js';
import type { MeshServer } from '../mesh-server.js';
import { meshOpenApi } from './openapi.js';
import { knownQuery, withoutNul } from './parameters.js';

/** Paths that answer without a key: they say nothing about anyone. */
const PUBLIC = ['/', '/healthz', '/openapi.json'];

const ROUTES = ENDPOINTS.map((endpoint) => ({ endpoint, pattern: patternOf(endpoint.path) }));

/** The server as a function of a request. */
export async function handle(server: MeshServer, request: Request): Promise<Reply> {
  let label = 'other';
  let reply: Reply;
  try {
    const found = route(request);
    // Never an invented path: each would stay in memory and in the metrics.
    label = found?.endpoint.path ?? (PUBLIC.includes(request.path) ? request.path : label);
    reply = found === null ? await open(server, request) : await admitted(server, request, found);
    // What was waiting when the store failed is not answered as if nothing had happened.
    if (server.broken) throw brokenStore();
  } catch (error) {
    reply = refusalReply(refusalOf(error));
  }
  server.count(label, reply.status);
  return reply;
}

/** Most bytes that the body of such a request may have: known before any of it is read. */
export function bodyLimit(method: string, path: string): number {
  return routeOf(method, path)?.endpoint.maxBody ?? 0;
}

/** True where only a caller with a key is answered. */
export function takesKey(method: string, path: string): boolean {
  return routeOf(method, path) !== undefined;
}

function routeOf(method: string, path: string): (typeof ROUTES)[number] | undefined {
  return ROUTES.find(({ endpoint, pattern }) => endpoint.method === method && pattern.test(path));
}

/**
 * What a request is refused with on its headers alone, before any of its body is read; null when it may go on. A body of someone without
 * a key costs nothing then.
 */
export async function refusedAtTheDoor(server: MeshServer, head: Request): Promise<Reply | null> {
  const found = routeOf(head.method, head.path);
  // What has no body is judged once, when it is answered.
  if (found === undefined || found.endpoint.maxBody === 0) return null;
  try {
    // A key that home has just made may be unknown here.
    const known = server.options.upstream === undefined || found.endpoint.answeredBy === 'here';
    if (known) await server.gate.admit(head, found.endpoint.role);
    return null;
  } catch (error) {
    const reply = refusalReply(refusalOf(error));
    server.count(found.endpoint.path, reply.status);
    return reply;
  }
}

/** The reply to a request whose body does not fit beside those that are being read. */
export function tooBusy(): Reply {
  return refusalReply({ code: 'BUSY', message: 'This server reads as much as it may; ask again in a moment.' });
}

/** The reply to a request whose body is larger than it may be; `head`: the request without it. */
export async function tooLargeReply(server: MeshServer, head: Request): Promise<Reply> {
  // What stands at no path, or takes another method, has no size.
  const otherwise = takesKey(head.method, head.path) ? null : await handle(server, head);
  if (otherwise !== null && otherwise.status >= 400) return otherwise;
  const limit = bodyLimit(head.method, head.path);
  return refusalReply({ code: 'TOO_LARGE', message: `The body of this request may have ${limit} bytes at most.` });
}

/** The reply to a request that met a bug, or a store that failed under it. */
export function failedReply({ broken }: MeshServer): Reply {
  if (broken) return refusalReply(brokenStore().refusal);
  return refusalReply({ code: 'BUG', message: 'This request met a bug; whether it was carried out is unknown.' });
}

function admitted(
  server: MeshServer,
  request: Request,
  { endpoint, params }: { endpoint: Endpoint; params: readonly string[] },
): Promise<Reply> {
  if (server.broken) throw brokenStore();
  if (server.stopping) throw new Refused('SHUTTING_DOWN', 'This server is ending; ask again in a moment.');
  const sealed = sealedAnswer(server.prover.sealed);
  if (sealed !== null && endpoint.changes) throw sealed;
  for (const [name, value] of request.query) withoutNul(value, JSON.stringify(name));
  const { upstream } = server.options;
  // Home judges the sender as if it had been asked itself: this server vouches for nothing.
  if (upstream !== undefined && endpoint.answeredBy === 'home') return relayed(server, upstream, request, endpoint);
  return server.gate.admit(request, endpoint.role).then((caller) => {
    if (endpoint.method !== 'GET') knownQuery(request.query, endpoint);
    return endpoint.handle(server, request, caller, params);
  });
}

async function relayed(
  server: MeshServer,
  upstream: FollowedHome,
  request: Request,
  { path, answer }: Endpoint,
): Promise<Reply> {
  if (answer.type === 'text/event-stream')
    throw new Refused('NOT_FOUND', `This server follows ${upstream.home}, which streams it.`);
  const reply = await upstream.forward(request);
  if (path === '/v1/mesh/leave' && reply.status === 200) forgetLeaver(server, request);
  return reply;
}

async function open(server: MeshServer, request: Request): Promise<Reply> {
  if (!PUBLIC.includes(request.path))
    throw new Refused('NOT_FOUND', 'There is nothing at this path; see /openapi.json.');
  // HEAD is how load balancers and uptime monitors ask; the adapter of the socket leaves the body out (RFC 9110, 9.3.2).
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    throw new Refused('METHOD_NOT_ALLOWED', 'This path answers GET.', { allow: 'GET, HEAD' });
  }
  if (request.path === '/') return dashboardPage();
  if (request.path === '/openapi.json') return { ...textReply(200, 'application/json', meshOpenApi()), fixed: true };
  if (server.stopping) return jsonReply(503, { status: 'stopping' });
  if (server.broken) return jsonReply(503, { status: 'failed' });
  if (server.prover.sealed !== null) return jsonReply(503, { status: 'sealed', term: server.prover.sealed });
  try {
    await server.store.health();
  } catch {
    return jsonReply(503, { status: 'failed' });
  }
  return jsonReply(200, { status: 'ok', head: server.head.seq });
}

function brokenStore(): Refused {
  return new Refused(
    'STORE_FAILED',
    'The store failed and this server is ending; whether the command was kept is unknown.',
  );
}
function route(request: Request): { endpoint: Endpoint; params: readonly string[] } | null {
  const allowed: string[] = [];
  for (const { endpoint, pattern } of ROUTES) {
    const match = pattern.exec(request.path);
    if (match === null) continue;
    if (endpoint.method === request.method) return { endpoint, params: match.slice(1) };
    allowed.push(endpoint.method);
  }
  if (allowed.length === 0) return null;
  throw new Refused('METHOD_NOT_ALLOWED', `This path answers ${allowed.join(', ')}.`, { allow: allowed.join(', ') });
}

function refusalOf(error: unknown): MeshRefusal {
  if (error instanceof Refused) return error.refusal;
  if (error instanceof StoreTrouble) return troubled(error).refusal;
  if (error instanceof JsonError) return { code: 'BAD_REQUEST', message: `The body is not JSON: ${error.message}.` };
  if (error instanceof ShapeError) return { code: 'BAD_REQUEST', message: `The request is wrong: ${error.reason}.` };
  throw error;
}

function refusalReply({ code, message, details }: MeshRefusal): Reply {
  const { status, retryable } = REFUSALS[code];
  const headers: Record<string, string> = {};
  if (code === 'UNAUTHENTICATED') headers['www-authenticate'] = 'Bearer realm="aip-mesh"';
  if (code === 'METHOD_NOT_ALLOWED') headers.allow = String(details?.allow ?? '');
  if (code === 'RATE_LIMITED') headers['retry-after'] = '3';
  return jsonReply(status, { code, message, details: details ?? null, retryable }, headers);
}

function patternOf(path: string): RegExp {
  const source = path.replace(/[.*]/g, '\\$&').replace(/\{[a-z_]+\}/g, '([^/]{1,1024})');
  return new RegExp(`^${source}$`);
}
