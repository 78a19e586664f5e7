/** Requests for approval at the mesh: who may hand in, read and answer what, with which quotas; and what a mesh cannot do. */
import { describe, expect, test } from 'vitest';
import { hashApiKey, newApiKey } from '../../../src/mesh/access/api-key.js';
import { KEPT_MS, MOST_KEPT, readKept, writeKept } from '../../../src/mesh/approvals/kept.js';
import { handle } from '../../../src/mesh/server/http/handle.js';
import type { WholeReply } from '../../../src/mesh/server/http/exchange.js';
import {
  answerTo,
  CAROL,
  iso,
  keyOf,
  NOW,
  OTHER,
  PASSPORT,
  PERSON,
  request,
  VERIFIER,
} from '../../kit/mesh/approvals.js';
import { AGENT, LOG_ID, PRINCIPAL, settle, TestMesh } from '../../kit/mesh/server.js';
import { MemoryMeshStore } from '../../kit/mesh/memory/store.js';

const PATH = '/v1/mesh/approvals';
const handIn = (mesh: TestMesh, document: object, role: 'verifier' | 'approver' | 'observer' = 'verifier') =>
  mesh.ask('POST', PATH, role, document);
const answers = (
  mesh: TestMesh,
  id: string,
  document: object,
  role: 'operator' | 'approver' | 'verifier' = 'approver',
) => mesh.ask('POST', `${PATH}/${id}/answers`, role, document);

/** A mesh with one request, and a further API key for `approver` made by an admin. */
async function asked(fields: Record<string, unknown> = {}) {
  const mesh = await TestMesh.start();
  const document = request(1, fields);
  expect((await handIn(mesh, document)).status).toBe(201);
  return { mesh, document, id: document.request_id };
}

async function asKey(mesh: TestMesh, order: { label?: string; publicKey?: string }, target: string) {
  const key = newApiKey('approver', new Uint8Array(38).fill(77));
  await mesh.store.keys.add({
    keyId: key.keyId,
    role: 'approver',
    hash: hashApiKey(key),
    label: order.label ?? null,
    publicKey: order.publicKey ?? null,
    createdAt: NOW,
    revokedAt: null,
  });
  const url = new URL(target, 'http://mesh.test');
  const reply = (await handle(mesh.server, {
    method: 'GET',
    path: url.pathname,
    query: url.searchParams,
    headers: { authorization: `Bearer ${key.text}` },
    body: new Uint8Array(),
    remote: '127.0.0.1',
  })) as WholeReply;
  return { status: reply.status, json: JSON.parse(reply.body) as { requests?: unknown[]; params?: unknown } };
}

describe('a request at the mesh', () => {
  test('is one however often it is handed in, is told to streams of the second form without its params, and read whole', async () => {
    const mesh = await TestMesh.start();
    const [first, second] = [await mesh.stream('/v1/mesh/stream?v=2'), await mesh.stream('/v1/mesh/stream')];
    const document = request(1);
    expect((await handIn(mesh, document)).json()).toMatchObject({ status: 'pending', needed: 1, changed: true });
    expect((await handIn(mesh, document)).json()).toMatchObject({ changed: false });
    await settle();
    expect(first.of('approval').map(({ data }) => JSON.parse(data) as object)).toMatchObject([
      { request_id: document.request_id, agent_id: AGENT, status: 'pending', needed: 1, approved: 0 },
    ]);
    expect(first.text).not.toContain('10000');
    expect(second.of('approval')).toEqual([]);
    const list = (await mesh.ask('GET', PATH, 'approver')).json<{ requests: object[] }>();
    expect(list.requests).toMatchObject([{ request_id: document.request_id, action: 'issue_refund' }]);
    expect(JSON.stringify(list)).not.toContain('10000');
    expect((await mesh.ask('GET', `${PATH}/${document.request_id}`, 'approver')).json()).toEqual(document);
  });

  test.each<[string, object, string]>([
    ['is signed by another key than its verifier names', request(1, {}, OTHER), 'APPROVAL_INVALID'],
    ['shows another action than it hashes', { ...request(1), params: { amount: 1 } }, 'BAD_REQUEST'],
    ['has ended', request(1, { expires_at: iso(-1) }), 'APPROVAL_ENDED'],
    ['waits for longer than its ttl', request(1, { expires_at: iso(7_200_000) }), 'APPROVAL_INVALID'],
    ['has a member that nobody knows', request(1, { note: 'x' }), 'BAD_REQUEST'],
    ['is no request', { type: 'approval' }, 'BAD_REQUEST'],
  ])('that %s is refused and leaves nothing', async (_, document, code) => {
    const mesh = await TestMesh.start();
    expect((await handIn(mesh, document)).json()).toMatchObject({ code });
    expect((await mesh.ask('GET', `${PATH}?status=all`, 'admin')).json()).toMatchObject({ requests: [] });
  });

  test('of two under one id that come together one is taken, and is the one that is read', async () => {
    const mesh = await TestMesh.start();
    const documents = [request(1), request(1, { reason: 'Another reason.' })];
    const replies = await Promise.all(documents.map((document) => handIn(mesh, document)));
    expect(replies.map(({ status }) => status)).toEqual([201, 403]);
    expect(replies[1]!.json()).toMatchObject({ code: 'APPROVAL_INVALID' });
    const read = await mesh.ask('GET', `${PATH}/${documents[0]!.request_id}`, 'admin');
    expect(read.json()).toEqual(documents[0]);
  });

  test('takes the role of a verifier to hand in, and of an approver to read', async () => {
    const mesh = await TestMesh.start();
    for (const role of ['observer', 'approver'] as const)
      expect((await handIn(mesh, request(1), role)).json()).toMatchObject({ code: 'FORBIDDEN' });
    await handIn(mesh, request(1));
    const at = `${PATH}/${request(1).request_id}`;
    for (const role of ['observer', 'verifier'] as const)
      expect((await mesh.ask('GET', at, role)).json()).toMatchObject({ code: 'FORBIDDEN' });
    expect((await mesh.ask('GET', PATH, 'observer')).json()).toMatchObject({ requests: [] });
    // Its own verifier sees that it is there, and the answers, and not the params of a log that it may share.
    expect((await mesh.ask('GET', PATH, 'verifier')).json<{ requests: object[] }>().requests).toHaveLength(1);
    expect((await mesh.ask('GET', at, 'operator')).status).toBe(200);
  });

  test('is read by the approvers that it names, by registered key or by id, and by no others', async () => {
    const { mesh, id } = await asked();
    const at = `${PATH}/${id}`;
    for (const order of [{ publicKey: keyOf(PERSON) }, { label: CAROL }])
      expect((await asKey((await asked()).mesh, order, at)).status).toBe(200);
    for (const order of [{ publicKey: keyOf(OTHER) }, { label: 'did:web:dave.example' }]) {
      const fresh = (await asked()).mesh;
      expect((await asKey(fresh, order, at)).json).toMatchObject({ code: 'FORBIDDEN' });
    }
    expect((await asKey((await asked()).mesh, { publicKey: keyOf(OTHER) }, PATH)).json.requests).toEqual([]);
    expect((await mesh.ask('GET', at, 'admin')).status).toBe(200);
  });

  test('of a principal is read by the approver whose key is registered for that principal', async () => {
    const { mesh, id } = await asked({ approvers: [{ id: PRINCIPAL, public_key: null }] });
    await mesh.ask('POST', '/v1/mesh/principals', 'admin', { did: PRINCIPAL, public_key: keyOf(OTHER) });
    expect((await asKey(mesh, { publicKey: keyOf(OTHER) }, `${PATH}/${id}`)).status).toBe(200);
  });

  test('20 of an agent wait; what is over makes room', async () => {
    const mesh = await TestMesh.start();
    for (let n = 0; n < 20; n++) expect((await handIn(mesh, request(n))).status).toBe(201);
    expect((await handIn(mesh, request(20))).json()).toMatchObject({ code: 'TOO_MANY_PENDING' });
    expect((await handIn(mesh, request(21, { agent_id: `${AGENT}-2` }))).status).toBe(201);
    await answers(mesh, request(3).request_id, answerTo(request(3), { decision: 'deny' }));
    expect((await handIn(mesh, request(20))).status).toBe(201);
    expect((await handIn(mesh, request(22))).json()).toMatchObject({ code: 'TOO_MANY_PENDING' });
  });

  test('that was denied makes room after those that were spent: its verifier, away since, would hand it in again', async () => {
    const { mesh: before, document: denied, id } = await asked();
    await answers(before, id, answerTo(denied, { decision: 'deny' }));
    const { store } = before;
    const kept = readKept((await store.papers.get('approval', id))!.text);
    for (let n = 0; n < MOST_KEPT; n++) {
      const spent = { ...kept, request_id: `${n}`, status: 'spent' as const, expires_at: kept.expires_at + 1 + n };
      const paper = { id: `${n}`, version: 1, changedAt: NOW, keepUntil: NOW + KEPT_MS };
      await store.papers.put('approval', { ...paper, text: writeKept(spent) });
    }
    const mesh = await TestMesh.start({ store });
    expect((await handIn(mesh, request(2))).status).toBe(201);
    expect((await handIn(mesh, denied)).json()).toMatchObject({ status: 'denied', changed: false });
  });

  test.each([
    ['of 1,000 that wait for all agents', 999, 'pending', 201, 1_000],
    ['beyond 1,000 that wait for all agents', 1_000, 'pending', 409, 1_000],
    ['beside 3,000 that are kept, where it takes the place of one that is over', 3_000, 'spent', 201, 3_000],
  ] as const)('%s', async (_, count, status, answered, kept) => {
    const { mesh } = await asked();
    const first = (await mesh.server.approvals.all())[0]!.request;
    const store = new MemoryMeshStore(LOG_ID);
    for (let n = 0; n < count; n++) {
      const id = n.toString(16).padStart(32, '0');
      const text = writeKept({ ...first, request_id: id, agent_id: `${AGENT}-${n}`, status });
      await store.papers.put('approval', { id, version: 1, changedAt: NOW, keepUntil: first.expires_at, text });
    }
    const full = await TestMesh.start({ store });
    expect((await handIn(full, request(1))).status).toBe(answered);
    expect(await full.server.approvals.all()).toHaveLength(kept);
  });

  test('is forgotten a day after it is over', async () => {
    const { mesh, document } = await asked();
    const { approvals } = mesh.server;
    mesh.clock.now = Date.parse(document.expires_at) + 24 * 3_600_000;
    await approvals.tick();
    expect(await approvals.all()).toHaveLength(1);
    mesh.clock.advance(60_000);
    await approvals.tick();
    expect(await approvals.all()).toHaveLength(0);
  });

  test('is one of 20 of an agent also where all come at once', async () => {
    const mesh = await TestMesh.start();
    const replies = await Promise.all(Array.from({ length: 60 }, (_, n) => handIn(mesh, request(n))));
    expect(replies.filter(({ status }) => status === 201)).toHaveLength(20);
  });

  test('takes no place once the API key that it came under is revoked, and can be answered', async () => {
    const mesh = await TestMesh.start();
    for (let n = 0; n < 20; n++) await handIn(mesh, request(n));
    expect((await mesh.ask('POST', PATH, 'operator', request(20))).json()).toMatchObject({ code: 'TOO_MANY_PENDING' });
    expect((await mesh.ask('DELETE', `/v1/mesh/keys/${mesh.keys.verifier.keyId}`, 'admin')).status).toBe(200);
    expect((await mesh.ask('POST', PATH, 'operator', request(20))).status).toBe(201);
    expect((await answers(mesh, request(3).request_id, answerTo(request(3)))).json()).toMatchObject({
      status: 'approved',
    });
  });

  test('is listed in pages that fit into one reply, and waited for', async () => {
    const mesh = await TestMesh.start();
    for (let n = 0; n < 160; n++) await handIn(mesh, request(n, { agent_id: `${AGENT}-${n % 10}` }));
    const seen: string[] = [];
    let from: string | null = '';
    let mark = '';
    while (from !== null) {
      const answer = await mesh.ask('GET', `${PATH}?${from === '' ? '' : `from=${from}`}`, 'admin');
      expect(answer.body.length).toBeLessThan(64 * 1024);
      const page = answer.json<{ requests: { request_id: string }[]; next: string | null; mark: string }>();
      seen.push(...page.requests.map(({ request_id }) => request_id));
      ({ next: from, mark } = page);
    }
    expect(new Set(seen).size).toBe(160);
    let told = false;
    const waiting = mesh.ask('GET', `${PATH}?after=${mark}&wait=20s`, 'admin').then(() => (told = true));
    await settle();
    expect(told).toBe(false);
    await handIn(mesh, request(500, { agent_id: `${AGENT}-x` }));
    await waiting;
    expect(told).toBe(true);
  });
});

describe('an answer at the mesh', () => {
  test('is kept for the verifier, which alone says that the request was spent', async () => {
    const { mesh, document, id } = await asked();
    const signed = answerTo(document);
    expect((await answers(mesh, id, signed)).json()).toMatchObject({
      status: 'approved',
      checked: true,
      changed: true,
    });
    expect((await answers(mesh, id, signed)).json()).toMatchObject({ changed: false });
    expect((await mesh.ask('GET', `${PATH}/${id}/answers`, 'verifier')).json()).toEqual({
      request_id: id,
      status: 'approved',
      version: 2,
      answers: [signed],
    });
    const end = { status: 'spent', intent_hash: `sha256:${'1'.repeat(64)}` };
    expect((await mesh.ask('POST', `${PATH}/${id}/end`, 'operator', end)).json()).toMatchObject({ code: 'FORBIDDEN' });
    expect((await mesh.ask('POST', `${PATH}/${id}/end`, 'verifier', end)).json()).toMatchObject({ status: 'spent' });
    const denied = { status: 'denied', intent_hash: null };
    expect((await mesh.ask('POST', `${PATH}/${id}/end`, 'verifier', denied)).json()).toMatchObject({ status: 'spent' });
    expect((await answers(mesh, id, answerTo(document, { reason: 'late' }))).json()).toMatchObject({
      code: 'APPROVAL_ENDED',
    });
  });

  test('that denies ends the request at once', async () => {
    const { mesh, document, id } = await asked();
    expect((await answers(mesh, id, answerTo(document, { decision: 'deny' }))).json()).toMatchObject({
      status: 'denied',
    });
    expect((await mesh.ask('GET', PATH, 'admin')).json()).toMatchObject({ requests: [] });
  });

  test.each<[string, Record<string, unknown>, number, string]>([
    ['another key', {}, OTHER, 'no key of its approver signed it'],
    ["the verifier's own key", {}, VERIFIER, 'no key of its approver signed it'],
    [
      'an approver that is not named',
      { approver: 'did:web:eve.example', key_id: 'did:web:eve.example#key-1' },
      OTHER,
      'does not name',
    ],
    ['another action', { action_hash: PASSPORT }, PERSON, 'another action'],
    ['another passport', { passport_hash: `sha256:${'cd'.repeat(32)}` }, PERSON, 'another passport'],
    ['another verifier', { verifier: keyOf(OTHER) }, PERSON, 'another verifier'],
    ['a time that is over', { approved_until: iso(-1) }, PERSON, 'it ended at'],
    ['a time to come', { approved_at: iso(60_000), approved_until: iso(960_000) }, PERSON, 'set the clock'],
    ['longer than the passport allows', { approved_until: iso(3_700_000) }, PERSON, 'longer'],
  ])('by or for %s is refused', async (_, fields, seed, sentence) => {
    const { mesh, document, id } = await asked();
    const reply = (await answers(mesh, id, answerTo(document, fields, seed))).json<{ message: string }>();
    expect(reply).toMatchObject({ code: 'APPROVAL_INVALID' });
    expect(reply.message).toContain(sentence);
    expect((await mesh.ask('GET', `${PATH}/${id}/answers`, 'verifier')).json()).toMatchObject({ answers: [] });
  });

  test.each([CAROL, `${CAROL}#key-1`, 'key'])('of an approver whose %s is revoked is refused', async (subject) => {
    const { mesh, document, id } = await asked();
    const agent_id = subject === 'key' ? keyOf(PERSON) : subject;
    expect((await mesh.command('revoke', { agent_id })).status).toBe(200);
    const reply = (await answers(mesh, id, answerTo(document))).json<{ message: string }>();
    expect(reply).toMatchObject({ code: 'APPROVAL_INVALID' });
    expect(reply.message).toContain('revoked');
  });

  test('of an approver whose id is spelled in another way is refused with it, and counts as the same person', async () => {
    const id = 'did:web:CAROL.example.';
    const approvers = [
      { id: CAROL, public_key: keyOf(PERSON) },
      { id, public_key: keyOf(OTHER) },
    ];
    const { mesh, document, id: request } = await asked({ approvers, count: 2 });
    const by = { approver: id, key_id: `${id}#key-1` };
    await answers(mesh, request, answerTo(document));
    expect((await answers(mesh, request, answerTo(document, by, OTHER))).json()).toMatchObject({ status: 'pending' });
    expect((await mesh.command('revoke', { agent_id: CAROL })).status).toBe(200);
    const later = answerTo(document, { ...by, reason: 'again' }, OTHER);
    expect((await answers(mesh, request, later)).json()).toMatchObject({ code: 'APPROVAL_INVALID' });
  });

  test('takes the role of an approver, and one that the request names', async () => {
    const { mesh, document, id } = await asked();
    expect((await answers(mesh, id, answerTo(document), 'verifier')).json()).toMatchObject({ code: 'FORBIDDEN' });
    expect((await answers(mesh, 'f'.repeat(32), answerTo(document))).json()).toMatchObject({ code: 'BAD_REQUEST' });
    expect((await answers(mesh, id, answerTo(document), 'operator')).json()).toMatchObject({ status: 'approved' });
  });

  test('of a principal that the mesh does not know is carried and ends nothing', async () => {
    const { mesh, document, id } = await asked({ approvers: [{ id: PRINCIPAL, public_key: null }] });
    const by = { approver: PRINCIPAL, key_id: `${PRINCIPAL}#key-1` };
    const deny = answerTo(document, { ...by, decision: 'deny' });
    expect((await answers(mesh, id, deny)).json()).toMatchObject({ status: 'pending', checked: false });
    await mesh.ask('POST', '/v1/mesh/principals', 'admin', { did: PRINCIPAL, public_key: keyOf(OTHER) });
    expect((await answers(mesh, id, answerTo(document, by))).json()).toMatchObject({ code: 'APPROVAL_INVALID' });
  });

  test('finds its request after the server was started again', async () => {
    const { mesh, document, id } = await asked();
    const again = await TestMesh.start({ store: mesh.store });
    expect((await answers(again, id, answerTo(document))).json()).toMatchObject({ status: 'approved' });
    expect((await again.ask('GET', PATH, 'approver')).json()).toMatchObject({ requests: [{ request_id: id }] });
  });
});
