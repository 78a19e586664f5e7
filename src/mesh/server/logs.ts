/** Verification logs that verifiers ship, so that they can be read in one place and their ends cannot be cut unnoticed. */
import { canonicalize } from '../../protocol/json/canonical.js';
import { ShapeError } from '../../protocol/json/shape.js';
import { formatTime, parseTime } from '../../protocol/time.js';
import { formatRow, rowAfter } from '../fleet.js';
import { LOG_PAGE_BYTES, MAX_POLL_WAIT_MS } from '../limits.js';
import { Refused } from '../refusal.js';
import type { ShippingTimes } from '../log/erasures.js';
import { StoreTrouble, type ShippedEntry, type ShippedLogQuery, type ShippedRow } from '../log/store.js';
import { waitOf } from './http/body.js';
import { jsonReply, textReply, type Caller, type Reply, type Request } from './http/exchange.js';
import type { MeshServer } from './mesh-server.js';
import { readShipment } from './shipment.js';
import { STREAM_HEADERS } from './feed/following.js';

/** A store that went away is asked again after this, ms. */
const AGAIN_MS = 500;

/**
 * Takes entries in, each once, and countersigns where the log ends now. Without entries it only answers that: a verifier keeps no
 * cursor of its own, so nothing is lost or repeated when either side forgets.
 */
export async function takeLogs(server: MeshServer, request: Request, caller: Caller): Promise<Reply> {
  const { logId, verifier, entries, sentAt } = readShipment(request);
  const { logs } = server.store;
  if (sentAt !== null) outgrow(server, verifier, caller);
  const end = await logs.end(logId);
  if (end !== null) await requireOwner(server, end.keyId, caller);
  // What is held is another's: of its end nothing follows for the log of who asks.
  if (end !== null && end.verifier !== verifier) throw taken(verifier);
  if (entries.length === 0) return jsonReply(200, { accepted: 0, checkpoint: end === null ? null : await sealed(end) });
  const at = server.clock.wall();
  if (!server.shipping.takes(caller.key.keyId, request.body.length, server.clock.up()))
    throw new Refused('BUSY', 'This key ships more than 1 MiB a second: the entries wait where they are.');
  const left = await server.erasures.leftOf(logId, entries, { receivedAt: at, sentAt });
  // What happens to the logs is no reason to end: they are in a file of their own, and the events are in another.
  const result = await logs
    .put({ logId, verifier, keyId: caller.key.keyId, at, entries: left })
    .catch(() => ({ kind: 'full' }) as const);
  if (result.kind === 'full') {
    server.shipping.full++;
    throw new Refused('BUSY', 'There is no room for logs here now: the entries wait where they are.');
  }
  if (result.kind === 'taken') throw taken(verifier);
  if (result.kind !== 'stored') {
    const message =
      result.kind === 'gap'
        ? 'The entries do not follow the ones that the mesh holds.'
        : 'The mesh holds other entries at these places of the log.';
    if (result.kind === 'fork') server.shipping.forked++;
    throw new Refused('LOG_FORK', message, { kind: result.kind, seq: result.seq });
  }
  await makeGood(server, logId, left, { receivedAt: at, sentAt });
  await server.feed.pump();
  const fresh = entries.filter(({ seq }) => seq > (end?.seq ?? 0));
  server.decisions.add(fresh);
  return jsonReply(200, { accepted: fresh.length, checkpoint: await sealed(result) });

  async function sealed({ seq, hash }: { readonly seq: number; readonly hash: string }) {
    const body = {
      type: 'log-checkpoint',
      log_id: logId,
      seq,
      hash,
      time: formatTime(server.clock.wall()),
      mesh_public_key: server.options.publicKey,
    };
    return { ...body, signature: await server.sign(canonicalize(body), { keyId: caller.key.keyId }) };
  }
}

/**
 * On the roster a machine of the first version has the name of its log; today's has a key, and says when it sends: who was known by that name
 * under this API key will not come back, takes no room, and is missed by nobody.
 */
function outgrow({ roster, hub, pollers }: MeshServer, name: string, { key: { keyId } }: Caller): void {
  const former = `${keyId}:${name}`;
  const listens = (): boolean => pollers.has(former) || hub.hasVerifier(former);
  if (roster.member(former)?.leftAt === null && !listens()) roster.leave(former, keyId);
}

/** An erasure that was ordered between the look for them and the writing, as at another server, has passed these entries by. */
async function makeGood(
  server: MeshServer,
  logId: string,
  entries: readonly ShippedEntry[],
  times: ShippingTimes,
): Promise<void> {
  for (;;) {
    try {
      const left = await server.erasures.leftOf(logId, entries, times);
      const later = new Map(entries.flatMap(({ text }, i) => (left[i]!.text === text ? [] : [[text, left[i]!.text]])));
      if (later.size > 0) await server.store.logs.rewrite({ logId }, (text) => later.get(text) ?? null);
      return;
    } catch (error) {
      // The erasure was answered, and a verifier never sends again what is held: nobody else makes it good.
      if (!(error instanceof StoreTrouble) || server.stopping) throw error;
      await server.waits.for(() => server.stopping, AGAIN_MS);
    }
  }
}

function taken(verifier: string): Refused {
  const message =
    'The mesh holds this log under another name, or another log under this one: an admin can have that one dropped (aip mesh log drop).';
  return new Refused('FORBIDDEN', message, { verifier });
}

/** With another verifier's API key a log must not be continued, or forked. @throws Refused FORBIDDEN */
export async function requireOwner(server: MeshServer, keyId: string, caller: Caller): Promise<void> {
  if (keyId === caller.key.keyId) return;
  const owner = await server.store.keys.find(keyId);
  if (owner === null || owner.revokedAt !== null) return;
  throw new Refused('FORBIDDEN', 'This log is shipped with another key; revoke that key to go on with this one.', {
    key_id: keyId,
  });
}

/** A bounded page of entries in the order of their arrival, waiting for one when asked to. */
export async function readLogs(server: MeshServer, request: Request, caller: Caller): Promise<Reply> {
  const { query, after } = queryOf(server, request);
  const until = server.clock.up() + waitOf(request, 0, MAX_POLL_WAIT_MS);
  const isRevoked = () => server.revokedKeys.has(caller.key.keyId);
  const over = () => server.stopping || isRevoked();
  const { logs } = server.store;
  for (let from = after; ;) {
    // Before the entries: those that arrive in between must not be passed over by `next`.
    const head = await logs.head();
    if (after > head) throw beyond();
    const rows = await logs.read({ ...query, after: from });
    if (rows.length > 0 || server.clock.up() >= until || over()) return page(server, rows, query, Math.max(head, from));
    from = Math.max(head, from);
    await server.waits.for(() => server.feed.head > from || over(), until - server.clock.up());
    if (isRevoked()) throw new Refused('UNAUTHENTICATED', 'The API key is revoked.');
  }
}

/** Entries as they arrive. A reader that falls far behind is told what it missed, and reads that page by page. */
export async function streamLogs(server: MeshServer, request: Request, caller: Caller): Promise<Reply> {
  await server.feed.pump();
  const place = request.headers['last-event-id'] || request.query.get('after');
  const after = place === null ? server.feed.head : placeOf(server, place);
  if (after > server.feed.head) throw beyond();
  if (!server.feed.hasRoom) throw new Refused('BUSY', 'This server holds as many log streams as it may.');
  return {
    status: 200,
    headers: STREAM_HEADERS,
    open: (sink) => {
      if (!server.stopping && !server.revokedKeys.has(caller.key.keyId)) {
        return server.feed.open(sink, caller.key.keyId, after);
      }
      sink.end(null);
      return { drained() {}, closed() {} };
    },
  };
}

function page(server: MeshServer, rows: readonly ShippedRow[], query: ShippedLogQuery, head: number): Reply {
  const limit = query.last ?? query.limit;
  let bytes = 0;
  let taken = 0;
  // The newest are what was asked for: when they are too many bytes, it is the oldest that stay behind.
  const order = query.last === undefined ? rows : rows.toReversed();
  for (const { text } of order) {
    bytes += Buffer.byteLength(text) + 1;
    if (bytes > LOG_PAGE_BYTES && taken > 0) break;
    taken++;
  }
  const shown = query.last === undefined ? rows.slice(0, taken) : rows.slice(rows.length - taken);
  const all = taken === rows.length && (query.last !== undefined || rows.length < limit);
  const last = shown.at(-1)?.row ?? 0;
  const next = all || query.last !== undefined ? Math.max(head, last) : last;
  const ids = `"next":"${formatRow(server.store.logId, next)}","more":${!all},"head":${Math.max(head, last)}`;
  return textReply(200, 'application/json', `{"entries":[${shown.map(({ text }) => text).join(',')}],${ids}}\n`);
}

function queryOf(server: MeshServer, request: Request): { query: ShippedLogQuery; after: number } {
  const { query } = request;
  const number = (name: string, what = 'a number'): number | undefined => {
    const text = query.get(name);
    if (text === null) return undefined;
    if (!/^\d{1,15}$/.test(text)) throw new ShapeError(`"${name}" is not ${what}`);
    return Number(text);
  };
  const sinceText = query.get('since');
  const since = sinceText === null ? undefined : (parseTime(sinceText) ?? number('since', 'an RFC 3339 time'));
  const status = query.get('status');
  if (status !== null && status !== 'success' && status !== 'failed') {
    throw new ShapeError('"status" is not success or failed');
  }
  const [agentId, code, place] = [query.get('agent'), query.get('code'), query.get('after')];
  const last = number('last');
  return {
    after: place === null ? 0 : placeOf(server, place),
    query: {
      limit: Math.max(1, Math.min(number('limit') ?? 100, MAX_PAGE)),
      ...(agentId === null ? {} : { agentId }),
      ...(status === null ? {} : { status }),
      ...(code === null ? {} : { code }),
      ...(since === undefined ? {} : { since }),
      ...(last === undefined ? {} : { last: Math.min(last, MAX_PAGE) }),
    },
  };
}

const MAX_PAGE = 500;

/** The store is an older one than the reader saw: silence would look like peace. */
function beyond(): Refused {
  return new Refused('WRONG_MESH', 'That place is beyond the end of the log.');
}

function placeOf(server: MeshServer, text: string): number {
  const row = rowAfter(text, server.store.logId);
  if (row === null) throw new ShapeError('"after" is not a place in the log');
  if (row === 'other') throw new Refused('WRONG_MESH', 'That place is in the log of another mesh.');
  return row;
}
