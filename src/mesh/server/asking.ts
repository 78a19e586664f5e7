/** Questions: the standing of a subject, the state of the mesh. */
import { parseJsonText } from '../../protocol/json/parse.js';
import { objectOf, ShapeError } from '../../protocol/json/shape.js';
import { formatTime } from '../../protocol/time.js';
import { statusAt, type Standing } from '../standing.js';
import { canonicalSubject, EVERYONE, isNamedKey, orderSubject, principalOf, scopeOf } from '../subject.js';
import { absentOf } from '../roster/reach.js';
import { absentForm } from './commanding.js';
import { isKnown, keyTextOf, stoppedKeysOf } from './key-texts.js';
import { jsonBody } from './http/body.js';
import { pathParam } from './http/parameters.js';
import { jsonReply, type Caller, type Reply, type Request } from './http/exchange.js';
import type { MeshServer } from './mesh-server.js';
import { listenersAtHome } from './regions/listeners.js';
import { schemaMembers } from '../schemas.js';

/** `GET /v1/mesh/status/{agent}`. */
export async function subjectStatus(
  server: MeshServer,
  _request: Request,
  caller: Caller,
  [encoded]: readonly string[],
): Promise<Reply> {
  const subject = subjectIn(encoded ?? '');
  const now = server.clock.wall();
  // A key is stopped by its text, whatever it is called.
  const text = isNamedKey(subject) ? await keyTextOf(server.store, subject) : null;
  const named =
    scopeOf(subject) === 'agent' ? [principalOf(subject), EVERYONE] : text === null ? [EVERYONE] : [text, EVERYONE];
  const above = named.filter((each) => each !== subject);
  const [own, ...others] = await Promise.all([subject, ...above].map((each) => server.store.standing(each)));
  return jsonReply(200, {
    ...standingForm(subject, own ?? null, now),
    // What an agent may do is also decided by who stands above it.
    above: others.map((standing, i) => standingForm(above[i]!, standing, now)),
    stopped_keys: (scopeOf(subject) === 'agent' ? await stoppedKeysOf(server.store, subject, now) : []).map(
      ({ keyId, status }) => ({ key_id: keyId, status }),
    ),
    known: await isKnown(server.store, subject),
    age_ms: await server.prover.ageMs(caller.key.keyId),
    head: server.head.seq,
  });
}

/** The reference's form of the same question; the strongest answer of agent, principal and mesh. */
export async function referenceStatus(server: MeshServer, request: Request): Promise<Reply> {
  const { agent_id } = objectOf(jsonBody(request), 'the request', ['agent_id']);
  const subject = typeof agent_id === 'string' ? orderSubject(agent_id) : null;
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

/** This mesh needs no registration: an agent without any order is active. */
export async function referenceRegister(server: MeshServer, request: Request): Promise<Reply> {
  const { agent_id } = objectOf(jsonBody(request), 'the request', ['agent_id'], ['name', 'domain', 'metadata']);
  if (typeof agent_id !== 'string' || scopeOf(agent_id) !== 'agent') throw new ShapeError('"agent_id" is not an agent');
  const standing = await server.store.standing(canonicalSubject(agent_id)!);
  return jsonReply(200, { agent_id, registered: true, status: statusAt(standing, server.clock.wall()) });
}

/** `GET /mesh/usage` of the reference client. */
export async function referenceUsage(server: MeshServer): Promise<Reply> {
  return jsonReply(200, { events: server.head.seq, connected: server.hub.size + server.pollers.size });
}

/** `GET /v1/mesh/status`. */
export async function meshStatus(server: MeshServer, request: Request, caller: Caller): Promise<Reply> {
  const { store, clock } = server;
  const { upstream } = server.options;
  const [proof, homes] = await Promise.all([
    server.prover.soon(null, caller.key.keyId),
    upstream === undefined || server.prover.sealed !== null ? null : listenersAtHome(upstream, request),
  ]);
  await server.roster.readOthers();
  const now = clock.up();
  const { roster } = server;
  const verifiers = listening(server, now);
  // Of a fleet that does not fit, those furthest behind are what is asked for.
  const shown = fitting(verifiers, 24 * 1024);
  const all = roster.all();
  const absent = roster.absent();
  const heard = all.filter(({ seq }) => seq > 0).sort((a, b) => b.seenAt - a.seenAt);
  const lastDrill = await store.notes.get('last_drill');
  // Those who only look are not reported to home.
  const looking = verifiers.filter(({ verifier }) => verifier === null);
  return jsonReply(200, {
    log_id: store.logId,
    term: store.term,
    head: server.head.seq,
    hash: server.head.hash,
    time: formatTime(clock.wall()),
    up_ms: Math.floor(now - server.beganAt),
    mesh_public_key: server.options.publicKey,
    require_signed_commands: server.options.requireSignedCommands ?? false,
    connected: verifiers.length,
    verifiers: shown,
    more: verifiers.length - shown.length,
    roster: all.length,
    absent: fitting(
      absent.map((member) => absentForm(absentOf(member))),
      16 * 1024,
    ),
    absent_total: absent.length,
    older: fitting(
      all
        .filter(({ program }) => program === null)
        .map(({ verifier, label, keyId }) => ({ verifier, label, key_id: keyId })),
      4 * 1024,
    ),
    last_drill: lastDrill === null ? null : parseJsonText(lastDrill),
    last_confirmed: fitting(
      heard.map(({ program, label, verifier, seq, seenAt }) => ({
        verifier: program === null ? label : verifier,
        label,
        seq,
        at: formatTime(seenAt),
      })),
      8 * 1024,
    ),
    sealed_by_term: server.prover.sealed,
    follows: followed(server),
    checkpoint: proof === null ? null : parseJsonText(proof),
    ...(homes === null
      ? {}
      : {
          ...homes,
          connected: homes.connected + looking.length,
          verifiers: [...homes.verifiers, ...looking],
        }),
  });
}

/** Who listens, of those at other servers what they have written; the furthest behind first. `now`: of the clock that runs up, ms. */
function listening({ roster, hub, pollers }: MeshServer, now: number) {
  const said = (id: string | null) => {
    const member = id === null ? null : roster.member(id);
    return {
      // One of the first version has no key of its own: its name is all there is.
      verifier: member === null || member.program !== null ? id : member.label,
      label: member?.label ?? null,
      program: member?.program ?? null,
      on_stale: member?.onStale ?? null,
      max_age_ms: member?.maxAgeMs ?? null,
      key_denied: id !== null && roster.isDenied(id),
    };
  };
  const verifiers = [
    ...[...hub.streams()].map((stream) => ({
      ...said(stream.verifier),
      key_id: stream.keyId,
      mode: stream.form === 'reference' ? 'reference' : 'stream',
      seq: stream.verifier === null ? stream.cursor : stream.acked,
      confirmed: stream.verifier !== null,
      last_seen_ms: Math.round(now - (stream.ackedAt ?? stream.openedAt)),
    })),
    ...[...pollers].map(([verifier, poller]) => ({
      ...said(verifier),
      key_id: poller.keyId,
      mode: 'poll',
      seq: poller.seq,
      confirmed: true,
      last_seen_ms: Math.round(now - poller.at),
    })),
    // Who listens where is the same on each server of a mesh: of those at another one, what it has written is known.
    ...roster.elsewhere().map(({ member, heardMs }) => ({
      ...said(member.verifier),
      key_id: member.keyId,
      mode: 'poll',
      seq: member.seq,
      confirmed: true,
      last_seen_ms: Math.round(heardMs),
    })),
  ];
  return verifiers.sort((a, b) => a.seq - b.seq);
}

/** Which server this one follows; null of home. */
function followed({ options: { upstream } }: MeshServer) {
  if (upstream === undefined) return null;
  return { home: upstream.home, heard: upstream.heardAt === null ? null : formatTime(upstream.heardAt) };
}

/** The first of a list, as many as `bytes` of JSON hold: an answer stays below what clients read, however many verifiers there are. */
function fitting<T>(list: readonly T[], bytes: number): T[] {
  const shown: T[] = [];
  let size = 0;
  for (const one of list) {
    size += Buffer.byteLength(JSON.stringify(one)) + 1;
    if (size > bytes) break;
    shown.push(one);
  }
  return shown;
}

/** Members of the roster on one page. */
const PAGE_MEMBERS = 48;

/** The roster, page by page, with the last signed word of each. */
export async function rosterPage(server: MeshServer, { query }: Request): Promise<Reply> {
  const all = server.roster.all();
  const after = query.get('after');
  const from = after === null ? 0 : all.findIndex(({ verifier }) => verifier === after) + 1;
  const page = all.slice(from, from + PAGE_MEMBERS);
  return jsonReply(200, {
    verifiers: page.map(({ verifier, label, keyId, program, onStale, maxAgeMs, seq, seenAt, applied }) => ({
      verifier,
      label,
      key_id: keyId,
      program,
      on_stale: onStale,
      max_age_ms: maxAgeMs,
      seq,
      last_seen: formatTime(seenAt),
      applied: applied === null ? null : parseJsonText(applied),
    })),
    next: from + page.length < all.length ? page.at(-1)!.verifier : null,
  });
}

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

function subjectIn(text: string): string {
  // A DID with a port holds %3A itself: in a path that begins with an unescaped `did:`, it is part of the id and no escape.
  // What a URL parser escapes by itself is no part of the spelling.
  const named = text.startsWith('did:') ? text.replace(/%(?:22|3C|3E|5E|60|7B|7C|7D)/gi, pathParam) : pathParam(text);
  const subject = orderSubject(named);
  if (subject === null) throw new ShapeError('the path does not name an agent, a principal, a key or "*"');
  return subject;
}

/** Keeps what a drill found, for the page and for `aip mesh status`. */
export async function keepDrill(server: MeshServer, request: Request): Promise<Reply> {
  const { p50_ms, p99_ms, can_halt, ok, rounds, verifiers, absent } = objectOf(
    jsonBody(request),
    'the drill',
    ...schemaMembers('Drill'),
  );
  const ms = (value: unknown) => value === null || (typeof value === 'number' && value >= 0);
  const count = (value: unknown) => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
  const halts = can_halt === 'yes' || can_halt === 'no' || can_halt === 'unknown';
  if (!ms(p50_ms) || !ms(p99_ms) || !halts || typeof ok !== 'boolean' || ![rounds, verifiers, absent].every(count))
    throw new ShapeError('the drill is not whole');
  const kept = { at: formatTime(server.clock.wall()), p50_ms, p99_ms, can_halt, ok, rounds, verifiers, absent };
  await server.store.notes.put('last_drill', JSON.stringify(kept));
  return jsonReply(200, kept);
}
