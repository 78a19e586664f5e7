/** Requests and answers between a verifier's state and a mesh: told once, told again after trouble, and nothing of it believed. */
import { describe, expect, test } from 'vitest';
import { approvalRelay, type ApprovalRelay } from '../../../src/app/approvals/relay.js';
import type { MeshCall, MeshReply } from '../../../src/app/ports/mesh.js';
import { verifyIntents, type VerifierDeps } from '../../../src/app/verification/intents.js';
import type { ActionApprovalDocument } from '../../../src/protocol/approvals/approval.js';
import type { ApprovalRequestDocument } from '../../../src/protocol/approvals/request.js';
import { readPassport } from '../../../src/protocol/passport.js';
import type { Decision } from '../../../src/verify/decision.js';
import { ALICE, aliceAnswers } from '../../kit/native/answers.js';
import { intent } from '../../kit/native/intent-parts.js';
import { NOW_S, publicKeyText, withSignature, type Signer } from '../../kit/native/parts.js';
import { passport } from '../../kit/native/passport-cases.js';
import { knowing, REQUESTER, VERIFY, verifierDeps } from '../../kit/native/verifier.js';
import { settle, TestClock, TestMesh } from '../../kit/mesh/server.js';
import { openAt, statePath } from '../../kit/state/temporary.js';

const PARAMS = { amount: 10_000, order_id: '8472' };
let n = 0;

/** A verifier, a mesh, and what stands between them. */
class Pair {
  readonly clock = new TestClock();
  readonly state = openAt(statePath(), () => this.clock.now);
  readonly notices: string[] = [];
  readonly calls: string[] = [];
  /** What the wire does with an answer of the mesh. */
  bend: (reply: MeshReply, call: MeshCall) => MeshReply = (reply) => reply;
  /** Of another API key than the first. */
  headers: Readonly<Record<string, string>> = {};
  readonly relay: ApprovalRelay;
  readonly deps: VerifierDeps;
  mesh!: TestMesh;

  constructor() {
    this.clock.now = NOW_S * 1000;
    const ask = async (call: MeshCall): Promise<MeshReply> => {
      this.calls.push(`${call.method} ${call.target.replace(/[0-9a-f]{32}/, 'ID')}`);
      const body = call.body === undefined ? undefined : Buffer.from(call.body).toString();
      const { status, body: text } = await this.mesh.ask(call.method, call.target, 'verifier', body, this.headers);
      return this.bend({ kind: 'answered', status, body: text }, call);
    };
    this.relay = approvalRelay({
      lines: async () => [{ url: 'http://mesh.test', ask }],
      state: this.state,
      clock: () => this.clock.now,
      verifier: () => REQUESTER.publicKey,
      notice: (sentence) => this.notices.push(sentence),
    });
    const rule = { above: 100, approvers: [{ id: ALICE, public_key: publicKeyText('alice') }] };
    const read = readPassport(
      Buffer.from(JSON.stringify(passport('relay', { constraints: { require_approval: rule } }))),
    );
    this.deps = verifierDeps({
      state: this.state,
      clock: () => this.clock.now,
      relay: this.relay,
      ...knowing(read),
    });
  }

  static async start(): Promise<Pair> {
    const pair = new Pair();
    pair.mesh = await TestMesh.start({}, pair.clock);
    return pair;
  }

  async ask(changes: object = {}): Promise<Decision> {
    const timestamp = Math.floor(this.clock.now / 1000);
    const document = intent(`relay ${n++}`, { params: PARAMS, timestamp, ...changes });
    const submission = { bytes: JSON.stringify(document), source: null };
    const [judgement] = await verifyIntents(this.deps, VERIFY, [submission]);
    await this.relay.settled();
    return judgement!.decision;
  }

  /** Asks, and gives the id of the request. */
  async raise(): Promise<string> {
    const { error_code, details } = await this.ask();
    expect(error_code).toBe('AIP-E209');
    return details!.request_id as string;
  }

  async request(id: string): Promise<ApprovalRequestDocument> {
    return (await this.mesh.ask('GET', `/v1/mesh/approvals/${id}`, 'admin')).json<ApprovalRequestDocument>();
  }

  async answer(id: string, changes: object = {}, key: Signer = 'alice'): Promise<ActionApprovalDocument> {
    return aliceAnswers(await this.request(id), this.clock.now, changes, key);
  }

  async give(document: ActionApprovalDocument): Promise<number> {
    const target = `/v1/mesh/approvals/${document.request_id}/answers`;
    return (await this.mesh.ask('POST', target, 'approver', document)).status;
  }

  async atMesh(id: string): Promise<string | undefined> {
    const list = await this.mesh.ask('GET', '/v1/mesh/approvals?status=all', 'admin');
    const { requests } = list.json<{ requests: { request_id: string; status: string }[] }>();
    return requests.find(({ request_id }) => request_id === id)?.status;
  }
}

describe('a request of a verifier in a mesh', () => {
  test('is handed in after the commit, once; answered there, spent here, and told as spent', async () => {
    const pair = await Pair.start();
    const id = await pair.raise();
    expect(await pair.atMesh(id)).toBe('pending');
    expect((await pair.ask()).details!.request_id).toBe(id);
    expect(pair.calls).toEqual(['POST /v1/mesh/approvals']);
    expect(await pair.give(await pair.answer(id))).toBe(201);
    expect((await pair.ask({ approval_request: id })).success).toBe(true);
    expect(await pair.atMesh(id)).toBe('spent');
    expect((await pair.ask({ approval_request: id })).error_code).toBe('AIP-E216');
    expect(pair.notices).toEqual([]);
  });

  test('is told again after the mesh was away, and a dry run tells nothing', async () => {
    const pair = await Pair.start();
    pair.bend = () => ({ kind: 'unreachable', reason: 'refused', sent: false });
    const timestamp = NOW_S;
    const dry = { bytes: JSON.stringify(intent(`relay ${n++}`, { params: PARAMS, timestamp })), source: null };
    await verifyIntents(pair.deps, { ...VERIFY, dryRun: true }, [dry]);
    expect(pair.calls).toEqual([]);
    const id = await pair.raise();
    expect(pair.notices).toEqual([expect.stringContaining('The mesh was not told')]);
    pair.bend = (reply) => reply;
    await pair.relay.sweep();
    expect(await pair.atMesh(id)).toBe('pending');
    expect(pair.state.look((ledger) => ledger.requestsForMesh(pair.clock.now))).toMatchObject([{ id, isNew: false }]);
  });

  test('is handed in again where the mesh that was promoted has lost it, and lets its action through', async () => {
    const pair = await Pair.start();
    const id = await pair.raise();
    pair.mesh = await TestMesh.start({}, pair.clock);
    await pair.relay.sweep();
    expect(await pair.atMesh(id)).toBe('pending');
    expect(await pair.give(await pair.answer(id))).toBe(201);
    expect((await pair.ask({ approval_request: id })).success).toBe(true);
    expect(await pair.atMesh(id)).toBe('spent');
    // What is over is not handed in anywhere any more.
    pair.mesh = await TestMesh.start({}, pair.clock);
    await pair.relay.sweep();
    expect(await pair.atMesh(id)).toBeUndefined();
  });

  test('is answered though its verifier has another API key since, and is ended under that one', async () => {
    const pair = await Pair.start();
    const id = await pair.raise();
    const { key } = (await pair.mesh.ask('POST', '/v1/mesh/keys', 'admin', { role: 'verifier' })).json<{
      key: string;
    }>();
    pair.headers = { authorization: `Bearer ${key}` };
    expect(await pair.give(await pair.answer(id))).toBe(201);
    await pair.relay.sweep();
    expect(pair.calls.slice(1)).toEqual(['GET /v1/mesh/approvals/ID/answers', 'POST /v1/mesh/approvals']);
    pair.clock.advance(1_000);
    expect((await pair.ask({ approval_request: id })).success).toBe(true);
    expect(await pair.atMesh(id)).toBe('spent');
    expect(pair.notices).toEqual([]);
  });

  test('whose mesh is full stays here, and is not told of as if it were there', async () => {
    const pair = await Pair.start();
    pair.bend = () => ({ kind: 'answered', status: 409, body: '{"code":"TOO_MANY_PENDING","message":"x"}' });
    const id = await pair.raise();
    expect(pair.notices).toEqual([expect.stringContaining('takes no more requests')]);
    expect(pair.state.look((ledger) => ledger.requestsForMesh(pair.clock.now))).toMatchObject([{ id, isNew: true }]);
  });

  test('that the mesh refuses is answered on this machine', async () => {
    const pair = await Pair.start();
    pair.bend = () => ({ kind: 'answered', status: 403, body: '{"code":"FORBIDDEN","message":"x"}' });
    await pair.raise();
    expect(pair.state.look((ledger) => ledger.requestsForMesh(pair.clock.now))).toEqual([]);
  });
});

describe('an answer that the mesh brings', () => {
  test('of a denial ends the request here and there', async () => {
    const pair = await Pair.start();
    const id = await pair.raise();
    expect(await pair.give(await pair.answer(id, { decision: 'deny' }))).toBe(201);
    expect((await pair.ask({ approval_request: id })).error_code).toBe('AIP-E209');
    pair.clock.advance(1_000);
    expect((await pair.ask()).details).toMatchObject({ reason: 'denied' });
    expect(await pair.atMesh(id)).toBe('denied');
  });

  test('is found at once after the clock was set back', async () => {
    const pair = await Pair.start();
    const id = await pair.raise();
    expect((await pair.ask({ approval_request: id })).error_code).toBe('AIP-E209');
    const answer = await pair.answer(id);
    pair.clock.advance(-20_000);
    expect(await pair.give(answer)).toBe(201);
    expect((await pair.ask({ approval_request: id })).success).toBe(true);
  });

  test('comes with a frame of the stream that names this verifier, and with no other', async () => {
    const pair = await Pair.start();
    const id = await pair.raise();
    await pair.give(await pair.answer(id));
    const stored = () => pair.state.look((ledger) => ledger.approvalRequest(id))!.answers.length;
    const frame = { request_id: id, verifier: REQUESTER.publicKey, approved: 1 };
    for (const data of [
      '',
      '[]',
      '{}',
      JSON.stringify({ ...frame, verifier: 'x' }),
      JSON.stringify({ ...frame, request_id: '../x' }),
    ])
      pair.relay.heard(data);
    await settle();
    expect(stored()).toBe(0);
    pair.relay.heard(JSON.stringify(frame));
    for (let i = 0; i < 20; i++) await settle();
    expect(stored()).toBe(1);
  });

  test.each<[string, (answer: ActionApprovalDocument, pair: Pair) => object]>([
    ['by a key of the mesh', (answer) => withSignature({ ...answer, signature: undefined }, 'signature', 'carol')],
    [
      'with a decision turned round',
      (answer) => ({ ...answer, decision: answer.decision === 'deny' ? 'approve' : 'deny' }),
    ],
    ['for an approver that the request does not name', () => ({ approver: 'did:web:eve.example' })],
    ['for another request', (answer) => ({ ...answer, request_id: 'f'.repeat(32) })],
    ['with a longer time', (answer) => ({ ...answer, approved_until: '2099-01-01T00:00:00Z' })],
    ['that is no answer', () => ({ yes: true })],
  ])('%s lets nothing through and ends nothing', async (_, forge) => {
    const pair = await Pair.start();
    const id = await pair.raise();
    const real = await pair.answer(id);
    pair.bend = (reply, { target }) => {
      if (!target.endsWith('/answers')) return reply;
      const answers = [forge(real, pair)];
      return {
        kind: 'answered',
        status: 200,
        body: JSON.stringify({ request_id: id, status: 'approved', version: 2, answers }),
      };
    };
    expect((await pair.ask({ approval_request: id })).error_code).toBe('AIP-E209');
    const kept = pair.state.look((ledger) => ledger.approvalRequest(id))!;
    expect([kept.status, kept.answers]).toEqual(['open', []]);
    // The approver's own word still counts afterwards.
    pair.bend = (reply) => reply;
    pair.clock.advance(1_000);
    expect(await pair.give(real)).toBe(201);
    expect((await pair.ask({ approval_request: id })).success).toBe(true);
  });

  test.each([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['answers of another request', JSON.stringify({ request_id: 'f'.repeat(32), answers: [] })],
    ['no answers', JSON.stringify({ request_id: 'x' })],
  ])('is none where the mesh sends %s', async (_, body) => {
    const pair = await Pair.start();
    const id = await pair.raise();
    pair.bend = () => ({ kind: 'answered', status: 200, body });
    expect((await pair.ask({ approval_request: id })).error_code).toBe('AIP-E209');
  });

  test('is not asked for of ids that this machine did not raise, nor of one id again and again', async () => {
    const pair = await Pair.start();
    const id = await pair.raise();
    pair.calls.length = 0;
    await pair.ask({ approval_request: 'e'.repeat(32) });
    expect(pair.calls).toEqual([]);
    for (let i = 0; i < 5; i++) await pair.ask({ approval_request: id });
    expect(pair.calls).toEqual(['GET /v1/mesh/approvals/ID/answers']);
  });
});
