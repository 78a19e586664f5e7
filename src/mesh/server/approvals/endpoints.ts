/** Requests for approval through the mesh: handed in by verifiers, read and answered by persons, ended by the verifier. */
import { isRequestId, readActionApproval } from '../../../protocol/approvals/approval.js';
import { readApprovalRequest } from '../../../protocol/approvals/request.js';
import { objectOf, ShapeError } from '../../../protocol/json/shape.js';
import { mayAct } from '../../access/roles.js';
import { statusOf, summaryOf, type KeptRequest } from '../../approvals/kept.js';
import { MAX_POLL_WAIT_MS, PAGE_BYTES } from '../../limits.js';
import { Refused } from '../../refusal.js';
import { jsonBody, waitOf } from '../http/body.js';
import { jsonReply, textReply, type Caller, type Reply, type Request } from '../http/exchange.js';
import type { MeshServer } from '../mesh-server.js';
import type { VersionedRequest } from './desk.js';
import { schemaMembers } from '../../schemas.js';

const HASH = /^sha256:[0-9a-f]{64}$/;

/** `POST /v1/mesh/approvals`. */
export async function handInRequest(server: MeshServer, request: Request, caller: Caller): Promise<Reply> {
  const { standing, changed } = await server.approvals.add(readApprovalRequest(request.body), caller.key.keyId);
  return jsonReply(changed ? 201 : 200, { ...summary(server, standing), changed });
}

/** `GET /v1/mesh/approvals`: what the caller may read, the oldest first; of a verifier, what it raised itself. */
export async function listRequests(server: MeshServer, request: Request, caller: Caller): Promise<Reply> {
  const { query } = request;
  const mark = `${server.boot}.${server.approvals.revision}`;
  const isRevoked = () => server.revokedKeys.has(caller.key.keyId);
  if (query.get('after') === mark) {
    await server.waits.for(
      () => `${server.boot}.${server.approvals.revision}` !== mark || isRevoked(),
      waitOf(request, 0, MAX_POLL_WAIT_MS),
    );
    if (isRevoked()) throw new Refused('UNAUTHENTICATED', 'The API key is revoked.');
  }
  const which = query.get('status') ?? 'open';
  if (which !== 'open' && which !== 'all') throw new ShapeError('"status" is not open or all');
  const verifier = query.get('verifier');
  const from = query.get('from');
  const reads = await readerOf(server, caller);
  const now = server.clock.wall();
  const next = `${server.boot}.${server.approvals.revision}`;
  const found = (await server.approvals.all()).filter(({ request: each }) => {
    const status = statusOf(each, now);
    if (which === 'open' && status !== 'pending' && status !== 'approved') return false;
    if (verifier !== null) return each.verifier === verifier && (each.key_id === caller.key.keyId || reads(each));
    return reads(each) || each.key_id === caller.key.keyId;
  });
  const start = from === null ? 0 : found.findIndex((each) => each.request.request_id === from) + 1;
  const page: object[] = [];
  let bytes = 0;
  for (const each of found.slice(start)) {
    const form = summaryOf(each.request, each.version, now);
    bytes += JSON.stringify(form).length + 1;
    if (bytes > PAGE_BYTES && page.length > 0) break;
    page.push(form);
  }
  const last = found[start + page.length - 1]?.request.request_id ?? null;
  const more = start + page.length < found.length;
  return jsonReply(200, { requests: page, next: more ? last : null, mark: next });
}

/** `GET /v1/mesh/approvals/{request_id}`: the request as its verifier signed it, with its params. */
export async function readRequest(
  server: MeshServer,
  _request: Request,
  caller: Caller,
  [id]: readonly string[],
): Promise<Reply> {
  const { request } = await found(server, id);
  await requireReader(server, caller, request);
  return textReply(200, 'application/json', await server.approvals.document(request.request_id));
}

/** `GET /v1/mesh/approvals/{request_id}/answers`: for the verifier that raised it, and those who may read it. */
export async function readAnswers(
  server: MeshServer,
  request: Request,
  caller: Caller,
  [id]: readonly string[],
): Promise<Reply> {
  const first = await found(server, id);
  if (first.request.key_id !== caller.key.keyId) await requireReader(server, caller, first.request);
  const after = Number(request.query.get('after') ?? Number.NaN);
  let { revision } = server.approvals;
  if (first.version === after) {
    const until = server.clock.up() + waitOf(request, 0, MAX_POLL_WAIT_MS);
    while (server.clock.up() < until && !server.stopping && !server.broken) {
      await server.waits.for(
        () => server.approvals.revision !== revision || server.revokedKeys.has(caller.key.keyId),
        until - server.clock.up(),
      );
      ({ revision } = server.approvals);
      if (server.revokedKeys.has(caller.key.keyId)) throw new Refused('UNAUTHENTICATED', 'The API key is revoked.');
      if ((await found(server, id)).version !== after) break;
    }
  }
  const { request: kept, version } = await found(server, id);
  return jsonReply(200, {
    request_id: kept.request_id,
    status: statusOf(kept, server.clock.wall()),
    version,
    answers: kept.answers.map(({ document }) => document),
  });
}

/** `POST /v1/mesh/approvals/{request_id}/answers`. */
export async function handInAnswer(
  server: MeshServer,
  request: Request,
  caller: Caller,
  [id]: readonly string[],
): Promise<Reply> {
  const answer = readActionApproval(request.body);
  if (answer.document.request_id !== id) throw new ShapeError('the answer is to another request');
  await requireReader(server, caller, (await found(server, id)).request);
  const { standing, changed } = await server.approvals.answer(answer);
  const { answers, ...told } = summary(server, standing);
  const checked = standing.request.answers.some(
    ({ document, public_key }) => document.signature === answer.document.signature && public_key !== null,
  );
  return jsonReply(changed ? 201 : 200, { ...told, answers, checked, changed });
}

/** `POST /v1/mesh/approvals/{request_id}/end`. */
export async function endRequest(
  server: MeshServer,
  request: Request,
  caller: Caller,
  [id]: readonly string[],
): Promise<Reply> {
  const { status, intent_hash } = objectOf(jsonBody(request), 'the request', ...schemaMembers('ApprovalEnd'));
  if (status !== 'spent' && status !== 'denied') throw new ShapeError('"status" is not spent or denied');
  if (intent_hash != null && (typeof intent_hash !== 'string' || !HASH.test(intent_hash)))
    throw new ShapeError('"intent_hash" is not sha256: and 64 hex digits');
  const { request: kept } = await found(server, id);
  const how = { status, intent_hash: intent_hash ?? null } as const;
  const { standing, changed } = await server.approvals.end(kept.request_id, caller.key.keyId, how);
  return jsonReply(200, { ...summary(server, standing), changed });
}

function summary(server: MeshServer, { request, version }: VersionedRequest) {
  return summaryOf(request, version, server.clock.wall());
}

async function found(server: MeshServer, id: string | undefined): Promise<VersionedRequest> {
  if (id === undefined || !isRequestId(id)) throw new ShapeError('the id of a request is 32 lower-case hex digits');
  return server.approvals.find(id);
}

/** @throws Refused FORBIDDEN where the caller may not read the request. */
async function requireReader(server: MeshServer, caller: Caller, request: KeptRequest): Promise<void> {
  const reads = await readerOf(server, caller);
  if (!reads(request)) throw new Refused('FORBIDDEN', 'This request names no approver of this key.');
}

/**
 * Whether a caller may read a request: operators and admins all of them; an approver those that name it, by the public key that was
 * registered with its API key, or by its label where that is an id. An admin who names neither has made a key for every request.
 */
async function readerOf(server: MeshServer, { key }: Caller): Promise<(request: KeptRequest) => boolean> {
  if (mayAct(key.role, 'operator')) return () => true;
  if (!mayAct(key.role, 'approver')) return () => false;
  const { publicKey } = key;
  const label = key.label?.startsWith('did:') === true ? key.label : null;
  if (publicKey === null && label === null) return () => true;
  const principals = publicKey === null ? [] : await server.store.principals.list(null);
  const own = new Set(principals.filter((each) => each.publicKey === publicKey).map(({ did }) => did));
  return ({ approvers }) =>
    approvers.some(({ id, public_key }) => {
      if (id === label) return true;
      return public_key === null ? own.has(id) : public_key === publicKey;
    });
}
