/** What home gives to the servers that follow it, and hears from them. Everything here takes a key of role region. */
import { canonicalize } from '../../../protocol/json/canonical.js';
import { parseJsonText } from '../../../protocol/json/parse.js';
import { objectOf, ShapeError } from '../../../protocol/json/shape.js';
import type { Json, JsonObject } from '../../../protocol/json/values.js';
import { formatTime, parseTime } from '../../../protocol/time.js';
import { mayAct } from '../../access/roles.js';
import { commandDigest } from '../../command.js';
import { parseEvent, readEvent, type MeshEvent } from '../../log/event.js';
import { hashOf } from '../../log/event.js';
import { signatureHolds } from '../../log/signing.js';
import { MAX_POLL_WAIT_MS, MAX_SHIPMENT_BYTES, PAGE_BYTES, PAGE_EVENTS } from '../../limits.js';
import { Refused } from '../../refusal.js';
import { commandOf } from '../../regions/adoption.js';
import { tablesDigest, type Tables } from '../../regions/documents.js';
import { rosterDigest, toldMembers } from '../../regions/told-roster.js';
import { readApplied, readCard } from '../../roster/member.js';
import { polled } from '../../roster/poller.js';
import { challengeOf, jsonBody, resumePlace, proofOf, waitOf } from '../http/body.js';
import { jsonReply, textReply, type Caller, type Reply, type Request } from '../http/exchange.js';
import type { MeshServer } from '../mesh-server.js';
import { parseEventId } from '../../log/head.js';
import { regionName } from './registry.js';
import { schemaMembers } from '../../schemas.js';

/** `GET /v1/mesh/region/log`: the events after a place with what was answered, as far back as is asked. Asking says what is stored. */
export async function regionLog(server: MeshServer, request: Request, caller: Caller): Promise<Reply> {
  const place = resumePlace(request);
  if (place === null) throw new Refused('BAD_REQUEST', 'A region names the event to continue after: ?after=<id>.');
  await server.prover.heardOfTerm(parseEventId(place)?.term ?? 0, proofOf(request));
  const position = await server.position(place, 'whole');
  if (position === null) throw new Refused('BAD_REQUEST', 'The place to continue from is not an event id.');
  const told = noticesTold(request);
  if (position.kind === 'reset') return page(server, caller, [], { reason: position.reason }, told);
  const { seq } = position;
  server.regions.heard(regionName(caller.key), seq);
  const revoked = (): boolean => server.revokedKeys.has(caller.key.keyId);
  await server.waits.for(
    () => server.hub.head > seq || server.notices.count > told || server.stopping || revoked(),
    waitOf(request, MAX_POLL_WAIT_MS, MAX_POLL_WAIT_MS),
  );
  if (revoked()) throw new Refused('UNAUTHENTICATED', 'The API key was revoked.');
  const texts: string[] = [];
  let bytes = 0;
  for (const { text } of await server.store.read(seq, PAGE_EVENTS)) {
    bytes += Buffer.byteLength(text) + 1;
    if (bytes > PAGE_BYTES) break;
    texts.push(text);
  }
  await server.pump();
  return page(server, caller, texts, null, told);
}

/** How many notices of requests for approval the region has heard of; one that asks for none is of an older version, and gets none. */
function noticesTold({ query }: Request): number {
  const told = query.get('notices') ?? '';
  return /^\d{1,15}$/.test(told) ? Number(told) : Infinity;
}

async function page(
  server: MeshServer,
  caller: Caller,
  texts: readonly string[],
  reset: object | null,
  told: number,
): Promise<Reply> {
  const { store } = server;
  const events = texts.map(parseEvent);
  const [answers, proof, tables] = await Promise.all([
    store.answers(events.map(({ cmd_id }) => cmd_id)),
    server.prover.soon(null, caller.key.keyId),
    tablesOf(server),
  ]);
  const documents: Record<string, string | null> = {};
  for (const { passport_hash: hash } of events)
    if (hash != null) documents[hash] = await store.passports.document(hash);
  const approvals = server.notices.since(told);
  const digests = { tables: tablesDigest(tables), roster: rosterDigest(server.roster.all()) };
  const rest = JSON.stringify({ answers, documents, reset, ...digests, approvals }).slice(1);
  return textReply(200, 'application/json', `{"events":[${texts.join(',')}],"checkpoint":${proof},${rest}\n`);
}

/** `GET /v1/mesh/region/proof`: home's signed head of now, with the challenge of a client that listens to the region. */
export async function regionProof(server: MeshServer, request: Request, caller: Caller): Promise<Reply> {
  const proof = await server.prover.soon(challengeOf(request), caller.key.keyId);
  return textReply(200, 'application/json', `{"checkpoint":${proof}}\n`);
}

/** `GET /v1/mesh/region/tables`: hashes of the API keys and the registered principals. */
export async function regionTables(server: MeshServer): Promise<Reply> {
  return jsonReply(200, await tablesOf(server));
}

/** `GET /v1/mesh/region/roster`: who should listen, for the day on which home is lost. */
export async function regionRoster(server: MeshServer): Promise<Reply> {
  return jsonReply(200, { members: toldMembers(server.roster.all()) });
}

async function tablesOf({ store }: MeshServer): Promise<Tables> {
  const [keys, principals] = await Promise.all([store.keys.list(), store.principals.list(null)]);
  return { keys, principals };
}

/** `GET /v1/mesh/regions`: every region, and how far it is. */
export async function regionsTable(server: MeshServer): Promise<Reply> {
  const { mode, withinMs } = server.regions.replication;
  return jsonReply(200, {
    home: {
      region: server.options.region ?? null,
      head: server.head.seq,
      term: server.store.term,
      time: formatTime(server.clock.wall()),
      sealed_by_term: server.prover.sealed,
    },
    replication_mode: mode,
    max_propagation_time_ms: withinMs,
    regions: server.regions.rows(server.head.seq),
  });
}

/**
 * `POST /v1/mesh/region/report`: who listens to the region, and how far each is. A region does not vouch: what counts is the verifier's
 * own signature, over its card and over what it has applied.
 */
export async function regionReport(server: MeshServer, request: Request, caller: Caller): Promise<Reply> {
  const { verifiers, present, gone } = objectOf(
    jsonBody(request, MAX_SHIPMENT_BYTES),
    'the report',
    ...schemaMembers('RegionReport'),
  );
  if (!Array.isArray(verifiers) || !Array.isArray(present) || !Array.isArray(gone))
    throw new ShapeError('the report is not whole');
  const via = regionName(caller.key);
  const unknown: string[] = [];
  for (const name of present as readonly Json[]) {
    if (typeof name !== 'string') throw new ShapeError('a verifier has no name');
    const poller = server.pollers.get(name);
    if (poller?.via === via) server.pollers.set(name, { ...poller, at: server.clock.up() });
    else unknown.push(name);
  }
  for (const name of gone as readonly Json[]) {
    if (typeof name !== 'string' || server.pollers.get(name)?.via !== via) continue;
    server.pollers.delete(name);
    server.roster.gone(name);
  }
  const refused: { verifier: string; code: string }[] = [];
  for (const one of verifiers as readonly Json[]) {
    const { card: document, applied: word } = objectOf(one, 'a verifier', ['card', 'applied']);
    const card = readCard(document!, server.options.verify);
    const verifier = card.public_key;
    try {
      await enter(server, card, word!, via);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      refused.push({ verifier, code: error.refusal.code });
    }
  }
  server.waits.check();
  return jsonReply(200, { refused, unknown });
}

async function enter(server: MeshServer, card: ReturnType<typeof readCard>, word: Json, via: string): Promise<void> {
  const key = await server.store.keys.find(card.key_id);
  if (key === null || key.revokedAt !== null || !mayAct(key.role, 'verifier'))
    throw new Refused('UNAUTHENTICATED', 'The API key of the verifier is unknown or revoked.');
  const verifier = card.public_key;
  const member = server.roster.enter(card, key);
  await server.roster.keepNew().catch(server.fail);
  const applied = word === null ? null : readApplied(word, server.options.verify);
  if (applied !== null && (applied.public_key !== verifier || applied.log_id !== server.store.logId))
    throw new Refused('SIGNATURE_INVALID', 'The confirmation is of another verifier or log.');
  // The hash covers everything before: one that was told another history has applied another one.
  const same = applied !== null && applied.hash === (await server.hashes.at(applied.seq));
  if (server.revokedKeys.has(key.keyId)) throw new Refused('UNAUTHENTICATED', 'The API key was revoked.');
  const seq = applied !== null && same ? applied.seq : member.seq;
  const now = { keyId: key.keyId, seq, at: server.clock.up(), via };
  server.pollers.set(verifier, polled(server.pollers.get(verifier), now));
  if (applied !== null && same && seq > member.seq) server.roster.confirmed(verifier, seq, applied);
}

/** What became of an event of a history that ended. */
export interface TailRow {
  readonly agent_id: string;
  readonly type: string;
  readonly cmd_id: string;
  /** Its place in the history that ended. */
  readonly was_seq: number;
  /** Its place in this one; null where it is only listed. */
  readonly seq: number | null;
}

/**
 * `POST /v1/mesh/region/tail`: what a server holds beyond the fork, with this mesh's own signature over it. Denies are given again, under
 * the same `cmd_id`; what would let an agent act is only listed.
 */
export async function regionTail(server: MeshServer, request: Request, _caller: Caller): Promise<Reply> {
  const { events } = objectOf(jsonBody(request, MAX_SHIPMENT_BYTES), 'the tail', ...schemaMembers('RegionTail'));
  if (!Array.isArray(events)) throw new ShapeError('the tail has no events');
  const rows: TailRow[] = [];
  for (const one of events as readonly Json[]) {
    const { event: value, digest } = objectOf(one, 'an event of the tail', ['event', 'digest']);
    if (typeof digest !== 'string') throw new ShapeError('"digest" is not a digest');
    const event = readEvent(value!);
    await requireBeyond(server, event);
    const { agent_id, type, cmd_id, seq: was_seq } = event;
    rows.push({ agent_id, type, cmd_id, was_seq, seq: await again(server, event, digest) });
  }
  return jsonReply(200, { events: rows });
}

async function requireBeyond(server: MeshServer, event: MeshEvent): Promise<void> {
  const { options, store } = server;
  const own = (text: string, signature: string): boolean => options.verify(options.publicKey, text, signature);
  const genuine = hashOf(event) === event.hash && signatureHolds(event as unknown as JsonObject, own);
  if (!genuine || event.log_id !== store.logId)
    throw new Refused('SIGNATURE_INVALID', `Event ${event.seq} is not of this mesh.`);
  const [record] = await store.read(event.seq - 1, 1);
  if (event.term >= store.term || record?.hash === event.hash)
    throw new Refused('BAD_REQUEST', `Event ${event.seq} is not beyond the fork.`);
}

/** The place that a deny has now; null of an event that does not deny, or no longer would. */
async function again(server: MeshServer, event: MeshEvent, digest: string): Promise<number | null> {
  if (event.type === 'reinstatement' || event.type === 'passport') return null;
  const command = commandOf(event);
  const until = event.suspended_until === null ? null : parseTime(event.suspended_until)! - server.clock.wall();
  if (until !== null && until <= 0) return null;
  const proposal = {
    command: { ...command, durationMs: until === null ? null : until },
    digest: digest === '' ? commandDigest(command) : digest,
    operator: event.operator,
    nonce: null,
  };
  // It was given when its API key was in force.
  const outcome = await server.committer.submit(proposal, { refused: () => null });
  await server.pump();
  // Under the same id something else was ordered here since, which an operator must look at.
  return outcome.kind === 'done' ? outcome.answer.seq : null;
}

/** The document of an event of the tail. */
export function tailRow(text: string, digest: string | null): string {
  return `{"event":${canonicalize(parseJsonText(text))},"digest":${JSON.stringify(digest ?? '')}}`;
}
