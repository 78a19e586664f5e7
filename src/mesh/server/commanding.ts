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
import { StoreTrouble } from '../log/store.js';
import { refusal, Refused } from '../refusal.js';
import { mayAct } from '../access/roles.js';
import type { Answer, Proposal } from '../ruling.js';
import { troubled, type Objections } from './committer.js';
import { rememberKeyText, withKeyText } from './key-texts.js';
import { jsonBody, waitOf, requestedReplication } from './http/body.js';
import { jsonReply, type Caller, type Reply, type Request } from './http/exchange.js';
import type { MeshServer } from './mesh-server.js';
import type { RegionRow, RequestedReplication } from './regions/registry.js';
import type { Absent, EventReach } from '../roster/reach.js';
import { isCanary } from '../subject.js';
import { formatTime } from '../../protocol/time.js';

/** How an event fares with everyone who should have it. */
export interface Propagation extends EventReach {
  /** Open streams, verifiers that poll, and those who listen at another server on the store. */
  readonly connected: number;
  /** From the commit to the last confirmation, by the server's clock; null while there is none. */
  readonly ms: number | null;
  readonly regions: readonly RegionRow[];
}

/** Most absent verifiers named in one answer. */
const MAX_ABSENT = 100;

/** `POST /v1/mesh/commands`. */
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
    key_id: answer.keyId ?? null,
    durable: true,
    ...propagationForm(propagation),
    changed: answer.changed,
  });
}

/** How long the reference's client is kept waiting for confirmations: it asks for none, and shows their number. */
const REFERENCE_WAIT_MS = 500;

/** The endpoints of the reference client that order something. */
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
      propagated_to: propagation.applied,
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
  // Who may stop an agent may drill: the canary is no agent.
  const needed = isCanary(command.subject) ? 'operator' : NEEDED_ROLE[command.action];
  if (!mayAct(caller.key.role, needed)) {
    throw new Refused(
      'FORBIDDEN',
      `To ${command.action} takes the role ${needed}; the key has the role ${caller.key.role}.`,
    );
  }
  const signed = await server.gate.signature(request, caller);
  const meant = await withKeyText(server.store, command);
  const done = await submitAndWait(
    server,
    {
      command: meant.by === null ? { ...meant, by: caller.key.label ?? `key:${caller.key.keyId}` } : meant,
      digest: commandDigest(command),
      operator: { key_id: caller.key.keyId, signed: signed?.mark ?? null },
      nonce: signed?.nonce ?? null,
    },
    waitMs,
    requestedReplication(request, server.options.region ?? null),
  );
  await rememberKeyText(server.store, done.answer).catch((error: unknown) => {
    // The command is written, and finds its answer when it is given again: then what it was resolved by is kept as well.
    throw error instanceof StoreTrouble ? troubled(new StoreTrouble('in-doubt', error.message, error)) : error;
  });
  return done;
}

/** Has a proposal committed, and waits up to `waitMs` for those who listen to confirm it. Throws Refused. */
export async function submitAndWait(
  server: MeshServer,
  proposal: Proposal,
  waitMs: number,
  requested: RequestedReplication | null,
  objections: Omit<Objections, 'refused'> = {},
): Promise<{ answer: Answer; propagation: Propagation }> {
  const { key_id: keyId } = proposal.operator;
  const outcome = await server.committer.submit(proposal, {
    ...objections,
    refused: () => (server.revokedKeys.has(keyId) ? refusal('UNAUTHENTICATED', 'The API key was revoked.') : null),
  });
  if (outcome.kind === 'refused') {
    const { code, message, details } = outcome.refusal;
    throw new Refused(code, message, details);
  }
  const committedAt = server.clock.up();
  await server.pump();
  const { answer } = outcome;
  const seq = answer.seq;
  // It is written: what the store does not tell now is missing in the count, and nothing else.
  await server.roster.readOthersNow().catch(server.fail);
  const [regions] = await Promise.all([
    server.regions.settle(seq, committedAt, requested, () => server.stopping),
    server.waits.for(() => server.stopping || server.roster.count(seq).late.length === 0, waitMs),
  ]);
  return { answer, propagation: { ...propagationOf(server, seq, committedAt), regions } };
}

function propagationOf(server: MeshServer, seq: number, committedAt: number): Omit<Propagation, 'regions'> {
  const count = server.roster.count(seq);
  const connected = server.hub.size + server.pollers.size + count.elsewhere;
  const took = count.lastAt === null ? null : Math.max(0, count.lastAt - committedAt);
  return { ...count, connected, ms: took === null ? null : Math.round(took * 10) / 10 };
}

/** How an event fares, as answers show it. */
export function propagationForm(propagation: Propagation) {
  return {
    propagated_to: propagation.applied,
    connected: propagation.connected,
    reporting: propagation.reporting,
    roster: propagation.members,
    applied: propagation.applied,
    unsettled: propagation.unsettled,
    complete: propagation.complete,
    late: propagation.late.slice(0, MAX_ABSENT).map(({ verifier, label }) => ({ verifier, label })),
    absent: propagation.absent.slice(0, MAX_ABSENT).map(absentForm),
    absent_more: Math.max(0, propagation.absent.length - MAX_ABSENT),
    propagation_ms: propagation.ms,
    regions: propagation.regions,
  };
}

/** An absent verifier as answers show it. */
export function absentForm({ verifier, label, keyId, seq, lastSeenAt, onStale, maxAgeMs, refusesSince }: Absent) {
  return {
    verifier,
    label,
    key_id: keyId,
    seq,
    last_seen: formatTime(lastSeenAt),
    on_stale: onStale,
    max_age_ms: maxAgeMs,
    refuses_since: refusesSince === null ? null : formatTime(refusesSince),
  };
}
