/** Takes values out of shipped entries, as `aip logs erase` takes them out of a verifier's own log: hashes, chain and proofs stay whole. */
import { canonicalize } from '../../protocol/json/canonical.js';
import { objectOf, ShapeError, textOf } from '../../protocol/json/shape.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { MAX_TEXT } from '../../protocol/limits.js';
import type { LogRecord } from '../../protocol/log/entry.js';
import { outcomeWithout, slotsTo } from '../../protocol/log/erased.js';
import { erase } from '../../protocol/log/leaf.js';
import { formatTime, parseTime } from '../../protocol/time.js';
import { canonicalSubject } from '../subject.js';
import { isLogId } from '../log/head.js';
import { schemaMembers } from '../schemas.js';
import { jsonBody } from './http/body.js';
import { jsonReply, type Caller, type Reply, type Request } from './http/exchange.js';
import { spendOwnSignature } from './keys.js';
import type { MeshServer } from './mesh-server.js';

/** What is to go: a param of an agent's entries, or of one entry of a log, or all params of it. */
interface Wish {
  readonly agentId: string | null;
  /** Exclusive, ms since the epoch; null for all. */
  readonly before: number | null;
  readonly logId: string | null;
  readonly seq: number | null;
  readonly param: string | null;
}

/** How long the mesh keeps its word on an erasure, in ms. */
const KEPT_MS = 10 * 366 * 24 * 3_600_000;

/** `POST /v1/logs/erase`, of an admin who signs it: it does not come back. */
export async function eraseShipped(server: MeshServer, request: Request, caller: Caller): Promise<Reply> {
  const wish = readWish(jsonBody(request) as JsonObject);
  const { mark } = await spendOwnSignature(server, request, caller);
  const { agentId, logId } = wish;
  const decisions = new Set<string>();
  const { entries, overwritten } = await server.store.logs.rewrite(
    { ...(agentId === null ? {} : { agentId }), ...(logId === null ? {} : { logId }) },
    (text, log) => {
      const left = without(JSON.parse(text) as LogRecord, wish, log, decisions);
      return left === null ? null : JSON.stringify(left);
    },
  );
  const at = server.clock.wall();
  const body = {
    ...{ type: 'log-erasure', agent_id: agentId, log_id: logId, seq: wish.seq, param: wish.param },
    before: wish.before === null ? null : formatTime(wish.before),
    ...{ decisions: decisions.size, time: formatTime(at), operator: mark.public_key },
    mesh_public_key: server.options.publicKey,
  };
  const statement = { ...body, signature: server.options.sign(canonicalize(body)) };
  const paper = { id: server.options.randomHex(16), version: 1, changedAt: at, keepUntil: at + KEPT_MS };
  await server.store.papers.put('log-erasure', { ...paper, text: JSON.stringify(statement) });
  return jsonReply(200, { erased: decisions.size, entries, overwritten, statement });
}

/** What is left of an entry; null where nothing is taken from it. An outcome comes after its decision. */
function without(record: LogRecord, wish: Wish, logId: string, decisions: Set<string>): LogRecord | null {
  if (record.type === 'outcome')
    return decisions.has(`${logId} ${record.of}`) && record.erased === null ? outcomeWithout(record) : null;
  if (wish.seq !== null && record.seq !== wish.seq) return null;
  if (wish.before !== null && !((parseTime(record.timestamp) ?? 0) < wish.before)) return null;
  // What the first version of the log wrote is hashed as it is.
  const slots = record.salts == null ? [] : slotsTo(record, wish.param);
  if (slots.length === 0) return null;
  decisions.add(`${logId} ${record.seq}`);
  return erase(record, slots);
}

function readWish(value: JsonObject): Wish {
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
