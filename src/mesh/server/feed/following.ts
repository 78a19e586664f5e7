/** The ways to follow the log: the native stream, the reference's stream, the long poll, and the snapshot. */
import { parseEvent } from '../../log/event.js';
import { formatEventId, parseEventId, type Head } from '../../log/head.js';
import { MAX_POLL_WAIT_MS, PAGE_BYTES, PAGE_EVENTS } from '../../limits.js';
import { mayAct } from '../../access/roles.js';
import { Refused } from '../../refusal.js';
import { headerDocument, readApplied, readCard, type Applied, type VerifierCard } from '../../roster/member.js';
import { polled } from '../../roster/poller.js';
import { comment, frame } from '../../../protocol/framing/sse.js';
import { deniesAt, type Standing } from '../../standing.js';
import { scopeOf } from '../../subject.js';
import type { Json } from '../../../protocol/json/values.js';
import { formatTime } from '../../../protocol/time.js';
import { challengeOf, readAck, jsonBody, resumePlace, proofOf, verifierOf, versionOf, waitOf } from '../http/body.js';
import { jsonReply, textReply, type Caller, type Reply, type Request, type StreamSink } from '../http/exchange.js';
import type { MeshServer } from '../mesh-server.js';
import type { StreamForm } from './stream.js';

const DEFAULT_MAX_STREAMS = 20_000;
/** What keeps caches, compressors and nginx from holding events back. */
export const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-store, no-transform',
  'x-accel-buffering': 'no',
};
const SNAPSHOT_PATH = '/v1/mesh/snapshot';

/** `GET /v1/mesh/stream`. */
export async function nativeStream(server: MeshServer, request: Request, caller: Caller): Promise<Reply> {
  const entered = await enteredBy(server, request, caller);
  const challenge = challengeOf(request);
  const place = resumePlace(request);
  await claimed(server, request, place);
  const position = place === null ? ({ kind: 'after', seq: server.head.seq } as const) : await server.position(place);
  if (position === null) throw new Refused('BAD_REQUEST', 'The place to continue from is not an event id.');
  const proof = await server.prover.soon(challenge, caller.key.keyId);
  // The first version cannot be greeted without a proof; it goes to the next endpoint.
  if (proof === null && versionOf(request) === 1) throw unproven(server);
  const id = server.options.randomHex(8);
  const hello = frame('hello', null, `{"stream":"${id}","checkpoint":${proof}}`);
  if (position.kind === 'after') {
    return stream(server, caller, {
      id,
      form: versionOf(request) === 1 ? 'first' : 'native',
      ...entered,
      after: position.seq,
      prelude: [Buffer.from(hello)],
    });
  }
  // What is live follows, so a reader that fetches the snapshot meanwhile misses nothing. What it has is unknown: it confirms nothing.
  const prelude = [Buffer.from(hello + frame('reset', null, JSON.stringify(resetOf(position))))];
  return stream(server, caller, {
    id,
    form: versionOf(request) === 1 ? 'first' : 'native',
    ...LOOKS,
    after: server.head.seq,
    prelude,
  });
}

/**
 * The reference's stream. Its client keeps no place in the log, so it is first told of every subject that is denied now:
 * whatever was revoked while it was away arrives too.
 */
export async function referenceStream(server: MeshServer, request: Request, caller: Caller): Promise<Reply> {
  const place = request.headers['last-event-id'] || null;
  const position = place === null ? null : await server.position(place);
  const id = server.options.randomHex(8);
  const opening = Buffer.from(comment('connected'));
  if (position?.kind === 'after') {
    return stream(server, caller, {
      id,
      form: 'reference',
      ...LOOKS,
      after: position.seq,
      prelude: [opening],
    });
  }
  const head = await server.store.head();
  await server.pump();
  const prelude = preludeOf(server, opening, head);
  return stream(server, caller, { id, form: 'reference', ...LOOKS, after: head.seq, prelude });
}

/** `GET /v1/mesh/events`. */
export async function longPoll(server: MeshServer, request: Request, caller: Caller): Promise<Reply> {
  // Before anything else: what is signed below was made at least this much later than the request arrived.
  // The clock of a server that follows another one says nothing of home's.
  const receivedUpMs = server.options.upstream === undefined ? Math.floor(server.clock.up()) : null;
  const passing = request.query.get('once') === '1';
  const { verifier, card } = await enteredBy(server, request, caller);
  const challenge = challengeOf(request);
  const place = resumePlace(request);
  if (place === null) throw new Refused('BAD_REQUEST', 'A poll names the event to continue after: ?after=<id>.');
  await claimed(server, request, place);
  const version = versionOf(request);
  const position = await server.position(place);
  if (position === null) throw new Refused('BAD_REQUEST', 'The place to continue from is not an event id.');
  if (position.kind === 'reset') {
    return pollReply([], await proofFor(server, challenge, version, caller), receivedUpMs, resetOf(position));
  }
  const { seq } = position;
  const revoked = () => server.revokedKeys.has(caller.key.keyId);
  if (verifier !== null) {
    const applied = await appliedIn(server, request.headers['aip-applied'], verifier, seq);
    // Who was shut out while it asked does not listen any more.
    if (revoked()) throw new Refused('UNAUTHENTICATED', 'The API key was revoked.');
    if (applied !== 'unsigned' && applied !== 'other history' && !server.roster.isDenied(verifier)) {
      // One that asks once decides from what it was told, and does not listen: it is absent until it asks again.
      if (!passing || server.options.upstream !== undefined) {
        const now = { keyId: caller.key.keyId, seq, at: server.clock.up(), passing };
        server.pollers.set(verifier, polled(server.pollers.get(verifier), now));
        tellHome(server, { verifier, card });
      }
      server.roster.confirmed(verifier, seq, applied);
    }
    server.waits.check();
  }
  const wait = waitOf(request, MAX_POLL_WAIT_MS, MAX_POLL_WAIT_MS);
  await server.waits.for(() => server.hub.head > seq || server.stopping || revoked(), wait);
  if (revoked()) throw new Refused('UNAUTHENTICATED', 'The API key was revoked.');
  const texts: string[] = [];
  let bytes = 0;
  for (const { text } of await server.store.read(seq, PAGE_EVENTS)) {
    if (version === 1 && parseEvent(text).v !== 1) {
      // The first version goes on behind it by the snapshot, once it has what comes before.
      if (texts.length > 0) break;
      await server.pump();
      return pollReply(
        [],
        await proofFor(server, challenge, version, caller),
        receivedUpMs,
        resetOf({ reason: 'newer-kind' }),
      );
    }
    bytes += Buffer.byteLength(text) + 1;
    if (bytes > PAGE_BYTES) break;
    texts.push(text);
  }
  // What was read may be a commit ahead of the head that the checkpoint names.
  await server.pump();
  return pollReply(texts, await proofFor(server, challenge, version, caller), receivedUpMs, null);
}

/** `GET /v1/mesh/snapshot`. */
export async function snapshot(server: MeshServer, request: Request): Promise<Reply> {
  const headers = { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' };
  return { status: 200, headers, pieces: await server.snapshot(versionOf(request)) };
}

/** A verifier says how far it has applied the log. */
export async function acknowledge(server: MeshServer, request: Request, caller: Caller): Promise<Reply> {
  const { stream: id, seq, applied } = readAck(jsonBody(request));
  const open = server.hub.stream(id);
  if (open === null || open.keyId !== caller.key.keyId) throw new Refused('NOT_FOUND', 'There is no such stream.');
  const { verifier } = open;
  // One that listens without being on the roster confirms nothing.
  if (verifier === null) return jsonReply(200, { acknowledged: open.acked });
  const word = await signedWord(server, applied, verifier, seq);
  if (word === 'unsigned')
    throw new Refused('SIGNATURE_REQUIRED', 'A verifier signs what it has applied with its own key.');
  if (word === 'other history')
    throw new Refused('LOG_FORK', `What was applied as event ${seq} is no event of this log.`, { seq });
  // One whose key was stopped goes on listening, and its word counts for nothing.
  if (server.roster.isDenied(verifier)) return jsonReply(200, { acknowledged: open.acked });
  server.hub.confirm(open, seq);
  if (open.acked === seq) server.roster.confirmed(verifier, seq, word);
  return jsonReply(200, { acknowledged: open.acked });
}

/** The member of the roster that asks to listen, without a card where it is of the first version; null for one that only looks. */
interface Entered {
  readonly verifier: string | null;
  readonly card: VerifierCard | null;
}

const LOOKS: Entered = { verifier: null, card: null };

/** An observer's key confirms nothing. */
async function enteredBy(server: MeshServer, request: Request, caller: Caller): Promise<Entered> {
  const entered = enter(server, request, caller);
  await server.roster.keepNew().catch(server.fail);
  return entered;
}

function enter(server: MeshServer, request: Request, caller: Caller): Entered {
  const name = verifierOf(request);
  const header = request.headers['aip-verifier'];
  if (!mayAct(caller.key.role, 'verifier')) return LOOKS;
  if (header !== undefined) {
    const card = readCard(headerDocument(header), server.options.verify);
    return { verifier: server.roster.enter(card, caller.key).verifier, card };
  }
  return name === null ? LOOKS : { verifier: server.roster.enterNamed(name, caller.key).verifier, card: null };
}

/** Home counts who listens to a region: only one whose end this server will see, or it would be counted for ever. */
function tellHome({ options }: MeshServer, { verifier, card }: Entered): void {
  if (verifier !== null && card !== null) options.upstream?.heard(verifier, { card });
}

function appliedIn(server: MeshServer, header: string | undefined, verifier: string, seq: number) {
  return signedWord(server, header === undefined ? undefined : headerDocument(header), verifier, seq);
}

/** The signed word that `verifier` is at `seq`; null from one of the first version, which has no key. */
async function signedWord(
  server: MeshServer,
  value: Json | undefined,
  verifier: string,
  seq: number,
): Promise<Applied | null | 'unsigned' | 'other history'> {
  const named = server.roster.member(verifier)?.program === null;
  if (value === undefined) return named ? null : 'unsigned';
  const applied = readApplied(value, server.options.verify);
  const fits = applied.public_key === verifier && applied.seq === seq && applied.log_id === server.store.logId;
  if (!fits) throw new Refused('SIGNATURE_INVALID', 'The confirmation is of another verifier, log or place.');
  // The hash covers everything before: one that was told another history has applied another one.
  if (applied.hash !== (await server.hashes.at(seq))) return 'other history';
  server.options.upstream?.heard(verifier, { applied });
  return applied;
}

interface StreamOrder extends Entered {
  readonly id: string;
  readonly form: StreamForm;
  readonly after: number;
  readonly prelude: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

function stream(server: MeshServer, caller: Caller, order: StreamOrder): Reply {
  if (server.hub.size >= (server.options.maxStreams ?? DEFAULT_MAX_STREAMS)) {
    throw new Refused('BUSY', 'This server holds as many streams as it may.');
  }
  const { id, card: _, ...opening } = order;
  return {
    status: 200,
    headers: STREAM_HEADERS,
    open: (sink) => {
      const { keyId } = caller.key;
      // Revoked, or stopped, while this request was on its way.
      if (server.stopping || server.revokedKeys.has(keyId)) return ended(sink);
      const member = order.verifier === null ? null : server.roster.member(order.verifier);
      const confirmed = member === null || member.program === null ? null : member.seq;
      tellHome(server, order);
      return server.hub.open({ ...opening, confirmed, keyId }, sink, id);
    },
  };
}

function resetOf({ reason }: { readonly reason: string }) {
  return { reason, snapshot: SNAPSHOT_PATH };
}

function ended(sink: StreamSink) {
  sink.end(null);
  return { drained() {}, closed() {} };
}

/** What a client says of a term beyond this server's, with its proof where it has one. */
async function claimed(server: MeshServer, request: Request, place: string | null): Promise<void> {
  const term = (place === null ? null : parseEventId(place))?.term ?? 0;
  await server.prover.heardOfTerm(term, proofOf(request));
}

async function proofFor(
  server: MeshServer,
  challenge: string | null,
  version: 1 | 2,
  caller: Caller,
): Promise<string | null> {
  const proof = await server.prover.soon(challenge, caller.key.keyId);
  if (proof === null && version === 1) throw unproven(server);
  return proof;
}

function unproven(server: MeshServer): Refused {
  if (server.prover.sealed !== null)
    return new Refused('MESH_SEALED', `This server is sealed: the mesh has gone on in term ${server.prover.sealed}.`, {
      term: server.prover.sealed,
    });
  return new Refused('STORE_UNAVAILABLE', 'The store proves nothing now: ask again, or another endpoint.');
}

function pollReply(
  texts: readonly string[],
  checkpoint: string | null,
  receivedUpMs: number | null,
  reset: object | null,
): Reply {
  const body = `{"events":[${texts.join(',')}],"checkpoint":${checkpoint},"received_up_ms":${receivedUpMs},"reset":${JSON.stringify(reset)}}\n`;
  return textReply(200, 'application/json', body);
}

/** Every subject that is denied, page by page as the reader takes them; what changes meanwhile follows as events after `head`. */
async function* preludeOf(server: MeshServer, opening: Uint8Array, head: Head): AsyncIterable<Uint8Array> {
  yield opening;
  for (let after: string | null = null; ;) {
    const page = await server.store.standings(after, PAGE_EVENTS);
    if (page.length === 0) return;
    after = page[page.length - 1]!.subject;
    const now = server.clock.wall();
    let text = '';
    for (const standing of page) {
      if (!deniesAt(standing, now)) continue;
      text += frame(null, null, referenceStanding(standing, formatEventId(head.logId, head.term, standing.seq)));
    }
    if (text !== '') yield Buffer.from(text);
  }
}

function referenceStanding(standing: Standing, id: string): string {
  return JSON.stringify({
    type: standing.status === 'revoked' ? 'revocation' : 'suspension',
    id,
    agent_id: standing.subject,
    reason: standing.reason,
    revoked_by: standing.changedBy,
    scope: scopeOf(standing.subject),
    suspended_until: standing.suspendedUntil === null ? null : formatTime(standing.suspendedUntil),
    timestamp: formatTime(standing.changedAt),
  });
}
