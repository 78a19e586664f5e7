/** Verification logs that verifiers ship, so that they can be read in one place and their ends cannot be cut unnoticed. */
import { canonicalize } from '../../protocol/canonical.js';
import { objectOf, ShapeError } from '../../protocol/shape.js';
import { formatTime, parseTime } from '../../protocol/time.js';
import { isObject, type Json } from '../../protocol/values.js';
import { isHash, isLogId } from '../head.js';
import { PAGE_BYTES } from '../limits.js';
import { Refused } from '../refusal.js';
import type { LogQuery, Shipment, ShippedEntry } from '../store.js';
import { jsonBody } from './body.js';
import { jsonReply, type Caller, type Reply, type Request } from './exchange.js';
import type { MeshServer } from './mesh-server.js';

export async function shipLogs(server: MeshServer, request: Request, caller: Caller): Promise<Reply> {
  const shipment = readShipment(jsonBody(request), caller.key.keyId);
  const result = await server.store.logs.put(shipment);
  if (result.kind === 'gap') {
    throw new Refused('LOG_FORK', 'The entries do not follow the ones that the mesh holds.', { seq: result.seq });
  }
  if (result.kind === 'fork') {
    throw new Refused('LOG_FORK', 'The mesh holds other entries at these places of the log.', { seq: result.seq });
  }
  const { seq, hash } = result;
  const body = {
    type: 'log-checkpoint',
    log_id: shipment.logId,
    seq,
    hash,
    time: formatTime(server.clock.wall()),
    mesh_public_key: server.options.publicKey,
  };
  const checkpoint = { ...body, signature: server.options.sign(canonicalize(body)) };
  return jsonReply(200, { accepted: shipment.entries.length, checkpoint });
}

export async function readLogs(server: MeshServer, request: Request): Promise<Reply> {
  const rows = await server.store.logs.read(queryOf(request));
  let bytes = 0;
  let next: number | null = null;
  const entries: string[] = [];
  for (const { row, text } of rows) {
    bytes += Buffer.byteLength(text) + 1;
    if (bytes > PAGE_BYTES && entries.length > 0) break;
    entries.push(text);
    next = row;
  }
  const body = `{"entries":[${entries.join(',')}],"next":${next}}\n`;
  return { status: 200, headers: { 'content-type': 'application/json', 'cache-control': 'no-store' }, body };
}

function readShipment(value: Json, keyId: string): Shipment {
  const { log_id, verifier, entries } = objectOf(value, 'the shipment', ['log_id', 'verifier', 'entries']);
  if (typeof log_id !== 'string' || !isLogId(log_id)) throw new ShapeError('"log_id" is not a log id');
  if (typeof verifier !== 'string' || !/^[A-Za-z0-9._-]{1,64}$/.test(verifier))
    throw new ShapeError('"verifier" is no name');
  if (!Array.isArray(entries) || entries.length === 0) throw new ShapeError('"entries" is not a list with entries');
  const read = (entries as readonly Json[]).map(readEntry);
  for (let i = 1; i < read.length; i++) {
    const before = read[i - 1]!;
    const entry = read[i]!;
    if (entry.seq !== before.seq + 1 || entry.prevHash !== before.hash)
      throw new ShapeError('the entries are not one chain');
  }
  return { logId: log_id, verifier, keyId, entries: read };
}

function readEntry(value: Json): ShippedEntry {
  if (!isObject(value)) throw new ShapeError('an entry is not an object');
  const { seq, prev_hash, hash, agent_id, status, timestamp } = value;
  const at = typeof timestamp === 'string' ? parseTime(timestamp) : null;
  const sound =
    typeof seq === 'number' &&
    Number.isSafeInteger(seq) &&
    seq >= 1 &&
    typeof prev_hash === 'string' &&
    isHash(prev_hash) &&
    typeof hash === 'string' &&
    isHash(hash) &&
    typeof agent_id === 'string' &&
    (status === 'success' || status === 'failed') &&
    at !== null;
  if (!sound) throw new ShapeError('an entry is not one of a verification log');
  return { seq, prevHash: prev_hash, hash, agentId: agent_id, status, at, text: canonicalize(value) };
}

function queryOf(request: Request): LogQuery {
  const { query } = request;
  const number = (name: string): number | undefined => {
    const text = query.get(name);
    if (text === null) return undefined;
    if (!/^\d{1,15}$/.test(text)) throw new ShapeError(`"${name}" is not a number`);
    return Number(text);
  };
  const limit = Math.min(number('limit') ?? 100, 500);
  const agentId = query.get('agent');
  const status = query.get('status');
  const since = number('since');
  const after = number('after');
  return {
    limit,
    ...(agentId === null ? {} : { agentId }),
    ...(status === null ? {} : { status }),
    ...(since === undefined ? {} : { since }),
    ...(after === undefined ? {} : { after }),
  };
}
