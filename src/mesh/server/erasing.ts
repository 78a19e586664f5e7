/** Takes values out of shipped entries, as `aip logs erase` takes them out of a verifier's own log: hashes, chain and proofs stay whole. */
import { canonicalize } from '../../protocol/json/canonical.js';
import { objectOf, ShapeError, textOf } from '../../protocol/json/shape.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { MAX_TEXT } from '../../protocol/limits.js';
import type { LogRecord } from '../../protocol/log/entry.js';
import { formatTime, parseTime } from '../../protocol/time.js';
import { canonicalSubject } from '../subject.js';
import { ERASURE_PAPER, leftBy, type ErasureOrder } from '../log/erasures.js';
import { isLogId } from '../log/head.js';
import { COMMAND_USE } from '../log/signing.js';
import { schemaMembers } from '../schemas.js';
import { jsonBody } from './http/body.js';
import { jsonReply, type Caller, type Reply, type Request } from './http/exchange.js';
import { spendOwnSignature } from './keys.js';
import type { MeshServer } from './mesh-server.js';

/** How long the mesh keeps its word on an erasure, in ms. */
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
  const statement: JsonObject = { ...body, signature: await server.sign(canonicalize(body), COMMAND_USE) };
  const id = server.options.randomHex(16);
  // Before the rewriting, or what is shipped while it goes on would stay.
  server.erasures.add(id, order, at);
  const decisions = new Set<string>();
  const { entries, overwritten } = await logs.rewrite(which, (text, log) => {
    const left = leftBy(order, JSON.parse(text) as LogRecord, log, decisions);
    return left === null ? null : JSON.stringify(left);
  });
  const paper = { id, version: 1, changedAt: at, keepUntil: at + KEPT_MS };
  await server.store.papers.put(ERASURE_PAPER, { ...paper, text: JSON.stringify(statement) });
  return jsonReply(200, { erased: decisions.size, entries, overwritten, statement });
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
    logId: (log_id as string | undefined) ?? null,
    seq: (seq as number | undefined) ?? null,
    param,
  };
}
