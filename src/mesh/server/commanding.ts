/** Commands, native and of the reference: one log, one path. */
import type { Json } from '../../protocol/json/values.js';
import {
  commandDigest,
  NEEDED_ROLE,
  readCommand,
  readReferenceCommand,
  type Action,
  type Command,
} from '../command.js';
import { MAX_CONFIRM_WAIT_MS } from '../limits.js';
import { Refused } from '../refusal.js';
import { mayAct } from '../access/roles.js';
import type { Answer } from '../ruling.js';
import { jsonBody, waitOf } from './http/body.js';
import { jsonReply, type Caller, type Reply, type Request } from './http/exchange.js';
import type { MeshServer } from './mesh-server.js';

/** How many verifiers have an event, and when the last of them said so. */
export interface Propagation {
  /** Open streams, and verifiers that poll. */
  readonly connected: number;
  /** Of those, the ones that report what they have applied. */
  readonly reporting: number;
  /** Of those, the ones that have applied it. */
  readonly confirmed: number;
  /** From the commit to the last confirmation, by the server's clock; null while there is none. */
  readonly ms: number | null;
}

export async function nativeCommand(server: MeshServer, request: Request, caller: Caller): Promise<Reply> {
  const command = readCommand(jsonBody(request));
  const { answer, propagation } = await carryOut(
    server,
    request,
    caller,
    command,
    waitOf(request, 0, MAX_CONFIRM_WAIT_MS),
  );
  return jsonReply(200, {
    agent_id: answer.subject,
    status: answer.status,
    seq: answer.seq,
    version: answer.version,
    cmd_id: answer.cmdId,
    durable: true,
    propagated_to: propagation.confirmed,
    connected: propagation.connected,
    reporting: propagation.reporting,
    propagation_ms: propagation.ms,
    regions: [],
    changed: answer.changed,
  });
}

/** How long the reference's client is kept waiting for confirmations: it asks for none, and shows their number. */
const REFERENCE_WAIT_MS = 500;

export function referenceCommand(action: Action) {
  return async (server: MeshServer, request: Request, caller: Caller): Promise<Reply> => {
    const value: Json = jsonBody(request);
    const command = readReferenceCommand(action, value, server.options.randomHex(16));
    const { answer, propagation } = await carryOut(server, request, caller, command, REFERENCE_WAIT_MS);
    return jsonReply(200, {
      id: answer.eventId,
      agent_id: answer.subject,
      action,
      reason: answer.reason,
      propagated_to: propagation.confirmed,
      propagation_ms: propagation.ms ?? 0,
      timestamp: answer.time,
    });
  };
}

async function carryOut(
  server: MeshServer,
  request: Request,
  caller: Caller,
  command: Command,
  waitMs: number,
): Promise<{ answer: Answer; propagation: Propagation }> {
  const needed = NEEDED_ROLE[command.action];
  if (!mayAct(caller.key.role, needed)) {
    throw new Refused(
      'FORBIDDEN',
      `To ${command.action} takes the role ${needed}; the key has the role ${caller.key.role}.`,
    );
  }
  const signed = server.gate.signature(request, caller);
  const outcome = await server.committer.submit({
    command: command.by === null ? { ...command, by: caller.key.label ?? `key:${caller.key.keyId}` } : command,
    digest: commandDigest(command),
    operator: { key_id: caller.key.keyId, signed: signed?.mark ?? null },
    nonce: signed?.nonce ?? null,
  });
  if (outcome.kind === 'refused') {
    const { code, message, details } = outcome.refusal;
    throw new Refused(code, message, details);
  }
  const committedAt = server.clock.up();
  await server.pump();
  const { answer } = outcome;
  const seq = answer.seq;
  await server.waits.for(() => {
    const { reporting, confirmed } = propagationOf(server, seq, committedAt);
    return confirmed === reporting || server.stopping;
  }, waitMs);
  return { answer, propagation: propagationOf(server, seq, committedAt) };
}

function propagationOf(server: MeshServer, seq: number, committedAt: number): Propagation {
  let reporting = 0;
  let confirmed = 0;
  let last: number | null = null;
  const count = (has: boolean, at: number | null) => {
    reporting++;
    if (!has) return;
    confirmed++;
    if (at !== null) last = Math.max(last ?? 0, at - committedAt);
  };
  for (const stream of server.hub.streams()) {
    if (stream.verifier !== null) count(stream.acked >= seq, stream.ackedAt);
  }
  for (const poller of server.pollers.values()) count(poller.seq >= seq, poller.at);
  const connected = server.hub.size + server.pollers.size;
  return { connected, reporting, confirmed, ms: last === null ? null : Math.round(last * 10) / 10 };
}
