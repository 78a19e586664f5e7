/**
 * Takes values out of shipped entries, as `aip logs erase` takes them out of a verifier's own log: hashes, chain and proofs stay whole. And lets a
 * log go that somebody made up, which keeps its id or its name from the verifier that has it.
 */
import { canonicalize } from '../../protocol/json/canonical.js';
import { objectOf, ShapeError, textOf } from '../../protocol/json/shape.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { MAX_TEXT } from '../../protocol/limits.js';
import type { LogRecord } from '../../protocol/log/entry.js';
import { formatTime, parseTime } from '../../protocol/time.js';
import { MAX_REASON } from '../limits.js';
import { Refused } from '../refusal.js';
import { canonicalSubject } from '../subject.js';
import { ERASURE_PAPER, leftBy, type ErasureOrder } from '../log/erasures.js';
import { isLogId } from '../log/head.js';
import { COMMAND_USE } from '../log/signing.js';
import { StoreTrouble } from '../log/store.js';
import { schemaMembers } from '../schemas.js';
import { jsonBody } from './http/body.js';
import { jsonReply, type Caller, type Reply, type Request } from './http/exchange.js';
import { spendOwnSignature } from './keys.js';
import type { MeshServer } from './mesh-server.js';
import { isVerifierName } from './shipment.js';

/** The kind of the papers that hold the mesh's word on each log that was dropped. */
const DROP_PAPER = 'log-drop';
/** How long the mesh keeps its word on an erasure, or on a log that was dropped, in ms. */
const KEPT_MS = 10 * 366 * 24 * 3_600_000;

/** `POST /v1/logs/erase`, of an admin who signs it: it does not come back. */
export async function eraseShipped(server: MeshServer, request: Request, caller: Caller): Promise<Reply> {
  const order = readOrder(jsonBody(request) as JsonObject);
  const { mark } = await spendOwnSignature(server, request, caller);
  const { agentId, logId } = order;
  const which = { ...(agentId === null ? {} : { agentId }), ...(logId === null ? {} : { logId }) };
  const { logs } = server.store;
  // Counted first, so that the word on it is signed before anything is gone: without the key nothing is erased.
  const held = new Set<string>();
  await logs.rewrite(which, (text, log) => {
    leftBy(order, JSON.parse(text) as LogRecord, log, held);
    return null;
  });
  const at = server.clock.wall();
  const body = {
    ...{ type: 'log-erasure', agent_id: agentId, log_id: logId, seq: order.seq, param: order.param },
    before: order.before === null ? null : formatTime(order.before),
    ...{ decisions: held.size, time: formatTime(at), operator: mark.public_key },
    mesh_public_key: server.options.publicKey,
  };
  const statement = await signedFor(server, caller, body);
  const id = server.options.randomHex(16);
  // Before the rewriting, or what is shipped while it goes on would stay: here, and at other servers on the store.
  const paper = { id, version: 1, changedAt: at, keepUntil: at + KEPT_MS };
  await server.store.papers.put(ERASURE_PAPER, { ...paper, text: JSON.stringify(statement) });
  server.erasures.add(id, order, at);
  const decisions = new Set<string>();
  const change = (text: string, log: string): string | null => {
    const left = leftBy(order, JSON.parse(text) as LogRecord, log, decisions);
    return left === null ? null : JSON.stringify(left);
  };
  const { entries, overwritten } = await logs
    .rewrite(which, change)
    .catch(begun('The order is kept, and not all that the mesh holds may be without the values yet'));
  return jsonReply(200, { erased: decisions.size, entries, overwritten, statement });
}

/** The mesh's word on an order. @throws Refused UNAUTHENTICATED where the API key was revoked while the mesh's key was asked */
async function signedFor(server: MeshServer, caller: Caller, body: JsonObject): Promise<JsonObject> {
  const signature = await server.sign(canonicalize(body), COMMAND_USE);
  if (server.revokedKeys.has(caller.key.keyId)) throw new Refused('UNAUTHENTICATED', 'The API key was revoked.');
  return { ...body, signature };
}

/** What is said where the store goes away when a part may be done. */
function begun(what: string): (error: unknown) => never {
  return (error) => {
    throw error instanceof StoreTrouble ? new Refused('IN_DOUBT', `${what}: give it again.`) : error;
  };
}

function readOrder(value: JsonObject): ErasureOrder {
  const object = objectOf(value, 'the erasure', ...schemaMembers('Erasure'));
  const { agent_id, log_id, seq, before } = object;
  const param = object['param'] === undefined ? null : textOf(object, 'param', MAX_TEXT);
  const agentId = typeof agent_id === 'string' ? canonicalSubject(agent_id) : null;
  if (agent_id !== undefined && agentId === null) throw new ShapeError('"agent_id" is not an agent');
  if (log_id !== undefined && (typeof log_id !== 'string' || !isLogId(log_id)))
    throw new ShapeError('"log_id" is not a log id');
  if (seq !== undefined && (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 1))
    throw new ShapeError('"seq" is not the number of an entry');
  const until = typeof before === 'string' ? parseTime(before) : null;
  if (before !== undefined && until === null) throw new ShapeError('"before" is not an RFC 3339 time');
  const named = agentId !== null && param !== null && log_id === undefined && seq === undefined;
  const one = agentId === null && log_id !== undefined && seq !== undefined && before === undefined;
  if (!named && !one) throw new ShapeError('it names an agent and a param, or a log and an entry');
  return {
    agentId,
    before: until,
    logId: log_id ?? null,
    seq: seq ?? null,
    param,
  };
}

/**
 * `POST /v1/logs/drop`, of an admin who signs it: it does not come back. What the mesh has seen of the log's tree stays: who cut a log has
 * no use of an order.
 */
export async function dropShipped(server: MeshServer, request: Request, caller: Caller): Promise<Reply> {
  const { logId: given, verifier: name, reason } = readDrop(jsonBody(request) as JsonObject);
  const { mark } = await spendOwnSignature(server, request, caller);
  const { logs, papers } = server.store;
  const end = given === null ? await logs.endOf(name!) : await logs.end(given);
  if (end === null) throw new Refused('NOT_FOUND', 'The mesh holds no such log.');
  const { logId, verifier, keyId, seq, hash } = end;
  const at = server.clock.wall();
  const body = {
    ...{ type: 'log-drop', log_id: logId, verifier, key_id: keyId, seq, hash, reason },
    ...{ time: formatTime(at), operator: mark.public_key, mesh_public_key: server.options.publicKey },
  };
  const statement = await signedFor(server, caller, body);
  // Before anything is gone, which must be for nobody to hide.
  const id = server.options.randomHex(16);
  await papers.put(DROP_PAPER, {
    ...{ id, version: 1, changedAt: at, keepUntil: at + KEPT_MS },
    text: JSON.stringify(statement),
  });
  const entries = await logs.drop(logId).catch(begun('The order is kept, and not all entries may be gone yet'));
  return jsonReply(200, { log_id: logId, verifier, key_id: keyId, entries, statement });
}

function readDrop(value: JsonObject) {
  const object = objectOf(value, 'the order', ...schemaMembers('LogDrop'));
  const { log_id: logId = null, verifier = null } = object;
  if (logId !== null && (typeof logId !== 'string' || !isLogId(logId)))
    throw new ShapeError('"log_id" is not a log id');
  if (verifier !== null && (typeof verifier !== 'string' || !isVerifierName(verifier)))
    throw new ShapeError('"verifier" is no name');
  if ((logId === null) === (verifier === null)) throw new ShapeError('it names a log or a verifier');
  return { logId, verifier, reason: textOf(object, 'reason', MAX_REASON) };
}
