/** Questions: the standing of a subject, the state of the mesh. */
import { parseJsonText } from '../../protocol/json/parse.js';
import { objectOf, ShapeError } from '../../protocol/json/shape.js';
import { formatTime } from '../../protocol/time.js';
import { statusAt, type Standing } from '../standing.js';
import { canonicalSubject, EVERYONE, principalOf, scopeOf } from '../subject.js';
import { jsonBody } from './http/body.js';
import { jsonReply, type Caller, type Reply, type Request } from './http/exchange.js';
import type { MeshServer } from './mesh-server.js';

export async function subjectStatus(
  server: MeshServer,
  _request: Request,
  _caller: Caller,
  [encoded]: readonly string[],
): Promise<Reply> {
  const subject = subjectIn(encoded ?? '');
  const now = server.clock.wall();
  const named = scopeOf(subject) === 'agent' ? [principalOf(subject), EVERYONE] : [EVERYONE];
  const above = named.filter((each) => each !== subject);
  const [own, ...others] = await Promise.all([subject, ...above].map((each) => server.store.standing(each)));
  return jsonReply(200, {
    ...standingForm(subject, own ?? null, now),
    // What an agent may do is also decided by who stands above it.
    above: others.map((standing, i) => standingForm(above[i]!, standing, now)),
    head: server.head.seq,
  });
}

/** The reference's form of the same question; the strongest answer of agent, principal and mesh. */
export async function referenceStatus(server: MeshServer, request: Request): Promise<Reply> {
  const { agent_id } = objectOf(jsonBody(request), 'the request', ['agent_id']);
  const subject = typeof agent_id === 'string' ? canonicalSubject(agent_id) : null;
  if (subject === null) throw new ShapeError('"agent_id" is not an agent');
  const now = server.clock.wall();
  const subjects = [subject, principalOf(subject), EVERYONE];
  const standings = await Promise.all(subjects.map((each) => server.store.standing(each)));
  const denied = standings.filter((standing) => statusAt(standing, now) !== 'active');
  const standing = denied.find((each) => each?.status === 'revoked') ?? denied[0] ?? null;
  return jsonReply(200, {
    agent_id: agent_id!,
    status: statusAt(standing, now),
    reason: standing?.reason ?? null,
    revoked_at: standing === null ? null : formatTime(standing.changedAt),
    suspended_until: standing?.suspendedUntil == null ? null : formatTime(standing.suspendedUntil),
  });
}

/** This mesh needs no registration: an agent that nobody spoke of is active. */
export async function referenceRegister(server: MeshServer, request: Request): Promise<Reply> {
  const { agent_id } = objectOf(jsonBody(request), 'the request', ['agent_id'], ['name', 'domain', 'metadata']);
  if (typeof agent_id !== 'string' || scopeOf(agent_id) !== 'agent') throw new ShapeError('"agent_id" is not an agent');
  const standing = await server.store.standing(canonicalSubject(agent_id)!);
  return jsonReply(200, { agent_id, registered: true, status: statusAt(standing, server.clock.wall()) });
}

export async function referenceUsage(server: MeshServer): Promise<Reply> {
  return jsonReply(200, { events: server.head.seq, connected: server.hub.size + server.pollers.size });
}

export async function meshStatus(server: MeshServer): Promise<Reply> {
  const { store, clock } = server;
  const proof = await server.prover.soon();
  const now = clock.up();
  const verifiers = [
    ...[...server.hub.streams()].map((stream) => ({
      verifier: stream.verifier,
      key_id: stream.keyId,
      mode: stream.form === 'native' ? 'stream' : 'reference',
      seq: stream.verifier === null ? stream.cursor : stream.acked,
      confirmed: stream.verifier !== null,
      last_seen_ms: Math.round(now - (stream.ackedAt ?? stream.openedAt)),
    })),
    ...[...server.pollers].map(([verifier, poller]) => ({
      verifier,
      key_id: poller.keyId,
      mode: 'poll',
      seq: poller.seq,
      confirmed: true,
      last_seen_ms: Math.round(now - poller.at),
    })),
  ];
  const shown = verifiers.slice(0, MAX_SHOWN);
  const heard = await store.acks.list(MAX_SHOWN);
  return jsonReply(200, {
    log_id: store.logId,
    term: store.term,
    head: server.head.seq,
    hash: server.head.hash,
    time: formatTime(clock.wall()),
    up_ms: Math.floor(now),
    mesh_public_key: server.options.publicKey,
    require_signed_commands: server.options.requireSignedCommands ?? false,
    connected: verifiers.length,
    verifiers: shown,
    more: verifiers.length - shown.length,
    last_confirmed: heard.map(({ verifier, seq, at }) => ({ verifier, seq, at: formatTime(at) })),
    sealed_by_term: server.prover.sealed,
    checkpoint: proof === null ? null : parseJsonText(proof),
  });
}

/**
 * Most verifiers listed in one answer, so that it stays below the size that clients read. Those that confirmed once are never
 * forgotten, and every program that follows the mesh through the library has a name of its own.
 */
const MAX_SHOWN = 200;

function standingForm(subject: string, standing: Standing | null, now: number) {
  const status = statusAt(standing, now);
  return {
    agent_id: subject,
    status,
    reason: standing?.reason ?? null,
    revoked_by: standing?.changedBy ?? null,
    changed_at: standing === null ? null : formatTime(standing.changedAt),
    suspended_until: standing?.suspendedUntil == null ? null : formatTime(standing.suspendedUntil),
    version: standing?.version ?? 0,
  };
}

const unescape = (escape: string) => decodeURIComponent(escape);

function subjectIn(text: string): string {
  // A did with a port is spelled with %3A itself: a path that names it raw begins with a colon that is none of its escapes.
  let named = text;
  try {
    // What a URL parser escapes by itself is no part of the spelling.
    named = text.startsWith('did:')
      ? text.replace(/%(?:22|3C|3E|5E|60|7B|7C|7D)/gi, unescape)
      : decodeURIComponent(text);
  } catch {
    throw new ShapeError('the path is not percent-encoded UTF-8');
  }
  const subject = canonicalSubject(named);
  if (subject === null) throw new ShapeError('the path does not name an agent, a principal, a key or "*"');
  return subject;
}
