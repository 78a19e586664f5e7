/** Approvals of section 5.3: an agent is refused, a person answers, and a fresh intent is let through once. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { verifyIntents, type Submission, type VerifierDeps } from '../../../src/app/verification/intents.js';
import { readActionApproval, type ActionApprovalDocument } from '../../../src/protocol/approvals/approval.js';
import { readApprovalRequest } from '../../../src/protocol/approvals/request.js';
import { actionHash } from '../../../src/protocol/approvals/action-hash.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { verifyKeyOf } from '../../../src/protocol/ed25519/verify.js';
import { parsePublicKey } from '../../../src/protocol/identity/keys.js';
import { readPassport } from '../../../src/protocol/passport.js';
import type { Decision } from '../../../src/verify/decision.js';
import { intent } from '../../kit/native/intent-parts.js';
import { passport } from '../../kit/native/passport-cases.js';
import { NOW_S, PRINCIPAL, publicKeyText, SUPPORT, withSignature, type Signer } from '../../kit/native/parts.js';
import { writeStanding } from '../../kit/native/standing.js';
import { pinsOf } from '../../kit/native/vectors.js';
import { knowing, REQUESTER, VERIFY, verifierDeps } from '../../kit/native/verifier.js';
import { openAt, statePath } from '../../kit/state/temporary.js';

interface Given {
  readonly by: Signer;
  readonly key?: Signer;
  readonly changes?: Partial<ActionApprovalDocument>;
  readonly after?: Partial<ActionApprovalDocument>;
}

interface Vector {
  readonly name: string;
  readonly answers: readonly Given[];
  readonly count?: number;
  readonly two_keys?: boolean;
  readonly later_s?: number;
  readonly params?: JsonObject;
  readonly target?: string;
  readonly denied?: string;
  readonly expect: string | null;
  readonly problem?: string;
  readonly needed?: number;
}

const VECTORS = JSON.parse(
  readFileSync(new URL('../../vectors/approvals.json', import.meta.url), 'utf8'),
) as readonly Vector[];
const PARAMS = { amount: 10_000, order_id: '8472' };

const idOf = (by: Signer): string => (by === 'principal' ? PRINCIPAL : `did:web:${by}.example`);
const approver = (by: Signer, key: Signer = by): JsonObject => ({ id: idOf(by), public_key: publicKeyText(key) });

/** A verifier with a clock set by hand, and an agent that needs a person above 100. */
class Desk {
  readonly path = statePath();
  now = NOW_S * 1000;
  readonly state = openAt(this.path, () => this.now);
  readonly deps: VerifierDeps;
  readonly passportHash: string;
  #n = 0;

  constructor(rule: JsonObject | true, changes: Partial<VerifierDeps> = {}) {
    const document = passport('desk', { constraints: { require_approval: rule } });
    const read = readPassport(Buffer.from(JSON.stringify(document)));
    this.passportHash = read.hash();
    this.deps = verifierDeps({ state: this.state, clock: () => this.now, ...knowing(read), ...changes });
  }

  async ask(changes: object = {}, more: Partial<Submission> = {}): Promise<Decision> {
    const timestamp = Math.floor(this.now / 1000);
    const document = intent(`desk ${this.#n++} ${this.path}`, { params: PARAMS, timestamp, ...changes });
    const submission = { bytes: JSON.stringify(document), source: null, ...more };
    return (await verifyIntents(this.deps, VERIFY, [submission]))[0]!.decision;
  }

  answer(requestId: string, { by, key = by, changes = {}, after = {} }: Given): ActionApprovalDocument {
    const unsigned = {
      type: 'approval',
      version: 2,
      request_id: requestId,
      verifier: REQUESTER.publicKey,
      action_hash: actionHash({
        agent_id: SUPPORT,
        action: 'issue_refund',
        params: PARAMS,
        target: null,
        passport_hash: this.passportHash,
      }),
      agent_id: SUPPORT,
      passport_hash: this.passportHash,
      approver: idOf(by),
      key_id: `${idOf(by)}#key-1`,
      decision: 'approve',
      reason: null,
      approved_at: new Date(this.now).toISOString(),
      approved_until: new Date(this.now + 900_000).toISOString(),
      ...changes,
    };
    return { ...withSignature(unsigned, 'signature', key), ...after } as unknown as ActionApprovalDocument;
  }

  keep(document: ActionApprovalDocument, key: Signer): boolean {
    const answer = readActionApproval(JSON.stringify(document));
    return this.state.transact((ledger) => ledger.answerRequest(answer, publicKeyText(key), this.now));
  }
}

function revoke({ path }: Desk, subject: string): void {
  const changed_at = '2026-02-18T14:00:00Z';
  writeStanding(path, [
    { subject, status: 'revoked', reason: 'lost', changed_at, changed_by: null, suspended_until: null },
  ]);
}

const ALICE_OR_BOB = { above: 100, approvers: [approver('alice'), approver('bob')] };

describe('an answer counts, or is refused for its reason', () => {
  test('the vectors refuse at least twice as often as they accept', () => {
    const accepted = VECTORS.filter(({ expect: code }) => code === null).length;
    expect(VECTORS.length - accepted).toBeGreaterThanOrEqual(2 * accepted);
  });

  test.each(VECTORS.map((vector) => [vector.name, vector] as const))('%s', async (_, vector) => {
    const approvers =
      vector.two_keys === true ? [...ALICE_OR_BOB.approvers, approver('alice', 'carol')] : ALICE_OR_BOB.approvers;
    const desk = new Desk({
      ...ALICE_OR_BOB,
      approvers,
      ...(vector.count === undefined ? {} : { count: vector.count }),
    });
    const refused = await desk.ask();
    expect(refused).toMatchObject({ error_code: 'AIP-E209', details: { needed: vector.count ?? 1 } });
    const id = refused.details!.request_id as string;
    const answers = vector.answers.map((given) => readActionApproval(JSON.stringify(desk.answer(id, given))));
    if (vector.denied !== undefined) {
      const subject = vector.denied.startsWith('key of ')
        ? publicKeyText(vector.denied.slice(7) as Signer)
        : vector.denied;
      revoke(desk, subject);
    }
    desk.now += (vector.later_s ?? 600) * 1000;
    const { params = PARAMS, target } = vector;
    const decision = await desk.ask({ approval_request: id, params, target }, { answers });
    expect(decision.error_code).toBe(vector.expect);
    if (vector.needed !== undefined) expect(decision.details!.needed).toBe(vector.needed);
    if (vector.problem !== undefined) expect(JSON.stringify(decision.details!.not_counted)).toContain(vector.problem);
    if (vector.expect !== null) return;
    // Once, whoever asks, and with whatever answers.
    const again = await desk.ask({ approval_request: id, params, target }, { answers });
    expect(again).toMatchObject({ error_code: 'AIP-E216', details: { request_id: id } });
  });
});

describe('an approver whose id is spelled in another way', () => {
  const spelled = ['did:web:ALICE.example', 'did:web:alice.example.', 'did:web:%61lice.example'];

  test.each(spelled)('%s is stopped with its id', async (id) => {
    const desk = new Desk({ above: 100, approvers: [{ id, public_key: publicKeyText('alice') }] });
    const { request_id } = (await desk.ask()).details as { request_id: string };
    const answer = desk.answer(request_id, { by: 'alice', changes: { approver: id, key_id: `${id}#key-1` } });
    expect(desk.keep(answer, 'alice')).toBe(true);
    revoke(desk, 'did:web:alice.example');
    const refused = await desk.ask({ approval_request: request_id });
    expect(refused).toMatchObject({ error_code: 'AIP-E209', details: { needed: 1 } });
    expect(JSON.stringify(refused.details)).toContain('its approver is revoked or suspended');
  });

  test.each(spelled)('%s denies nothing once its id is stopped', async (id) => {
    const desk = new Desk({ above: 100, approvers: [{ id, public_key: publicKeyText('alice') }, approver('bob')] });
    const { request_id } = (await desk.ask()).details as { request_id: string };
    revoke(desk, 'did:web:alice.example');
    const changes = { approver: id, key_id: `${id}#key-1`, decision: 'deny' } as const;
    const answers = [readActionApproval(JSON.stringify(desk.answer(request_id, { by: 'alice', changes })))];
    expect((await desk.ask({ approval_request: request_id }, { answers })).details).not.toHaveProperty(
      'reason',
      'denied',
    );
    expect(desk.keep(desk.answer(request_id, { by: 'bob' }), 'bob')).toBe(true);
    expect(await desk.ask({ approval_request: request_id })).toMatchObject({ success: true });
  });

  test('the agent is no approver of its own under another spelling and key', async () => {
    const id = SUPPORT.replace('acme.com', 'ACME.com');
    const desk = new Desk({ above: 100, approvers: [{ id, public_key: publicKeyText('alice') }] });
    const { request_id } = (await desk.ask()).details as { request_id: string };
    const changes = { approver: id, key_id: `${id}#key-1` };
    desk.keep(desk.answer(request_id, { by: 'alice', changes }), 'alice');
    expect(await desk.ask({ approval_request: request_id })).toMatchObject({ error_code: 'AIP-E209' });
  });

  test.each(spelled)('%s and the plain one are one person', async (id) => {
    const approvers = [...ALICE_OR_BOB.approvers, { id, public_key: publicKeyText('carol') }];
    const desk = new Desk({ above: 100, approvers, count: 2 });
    const { request_id } = (await desk.ask()).details as { request_id: string };
    desk.keep(desk.answer(request_id, { by: 'alice' }), 'alice');
    desk.keep(
      desk.answer(request_id, { by: 'alice', key: 'carol', changes: { approver: id, key_id: `${id}#key-1` } }),
      'carol',
    );
    expect(await desk.ask({ approval_request: request_id })).toMatchObject({ details: { needed: 1 } });
    expect(() => new Desk({ above: 100, approvers: [approvers[0]!, approvers[2]!], count: 2 })).toThrow(/from 1 to 1/);
  });
});

describe('a key of the principal that is stopped by its id alone', () => {
  test.each(['approve', 'deny'] as const)('does not %s under another id', async (decision) => {
    const second = { keyId: `${PRINCIPAL}#key-2`, key: verifyKeyOf(parsePublicKey(publicKeyText('alice'))!)! };
    const desk = new Desk(true, { pins: (did) => [...pinsOf(did), second] });
    const id = (await desk.ask()).details!.request_id as string;
    revoke(desk, second.keyId);
    const document = desk.answer(id, {
      by: 'principal',
      key: 'alice',
      changes: { decision, key_id: `${PRINCIPAL}#key-7` },
    });
    const answers = [readActionApproval(JSON.stringify(document))];
    const { error_code, details } = await desk.ask({ approval_request: id }, { answers });
    expect({ error_code, details }).toMatchObject({ error_code: 'AIP-E209', details: { request_id: id } });
    expect(JSON.stringify(details!.not_counted)).toContain('revoked or suspended');
  });
});

test("the agent's own key approves no exact intent either, where it is pinned for the principal", async () => {
  const own = { keyId: `${PRINCIPAL}#key-2`, key: verifyKeyOf(parsePublicKey(publicKeyText('agent'))!)! };
  const desk = new Desk(true, { pins: (did) => [...pinsOf(did), own] });
  const asked = await desk.ask({}, { approved: (_, counts) => counts(own) });
  expect(asked.error_code).toBe('AIP-E209');
  const [pin] = pinsOf(PRINCIPAL);
  expect((await desk.ask({}, { approved: (_, counts) => counts(pin!) })).success).toBe(true);
});

describe('leaving a param out', () => {
  const schema = (...names: string[]) => [
    {
      name: 'issue_refund',
      params: { type: 'object', properties: Object.fromEntries(names.map((name) => [name, {}])) },
    },
  ];
  test.each([
    ['no schema', undefined, { above: 100 }, 'unreadable'],
    ['a schema with an amount', schema('amount', 'note'), { above: 100 }, 'unreadable'],
    ['a schema with a total', schema('order_total'), { above: 100 }, 'unreadable'],
    ['a schema without money', schema('note'), { above: 100 }, null],
    ['a schema with an environment', schema('env'), { environments: ['production'] }, 'unreadable'],
    ['a schema without an environment', schema('note'), { environments: ['production'] }, null],
    ['a target in the place of an environment', undefined, { environments: ['production'] }, 'unreadable', 'a/b'],
  ])('%s', async (_, actions, rule, reason, target?: string) => {
    const document = passport('out', {
      ...(actions === undefined ? {} : { actions }),
      constraints: { require_approval: rule },
    });
    const read = readPassport(Buffer.from(JSON.stringify(document)));
    const desk = new Desk(rule, { ...knowing(read), loadSchemaCheck: () => () => [] });
    const { error_code, details } = await desk.ask({ params: { note: 'x' }, target });
    expect(error_code).toBe(reason === null ? null : 'AIP-E209');
    expect(details?.reason ?? null).toBe(reason);
  });
});

describe('a request', () => {
  test('says what is asked, of whom and until when, signed by the verifier', async () => {
    const desk = new Desk(ALICE_OR_BOB);
    const { details, message } = await desk.ask();
    expect(details).toEqual({
      reason: 'amounts above $100.00 need approval',
      intent_hash: expect.stringMatching(/^sha256:/) as string,
      action_hash: desk.answer('', { by: 'alice' }).action_hash,
      request_id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      expires_at: new Date(desk.now + 3_600_000).toISOString(),
      approvers: [idOf('alice'), idOf('bob')],
      needed: 1,
      not_counted: [],
      how: `aip approvals approve ${details!.request_id as string}`,
      agent_id: SUPPORT,
    });
    expect(message).toContain(details!.request_id);
    const [kept] = desk.state.look((ledger) => ledger.requests('open', desk.now));
    const request = readApprovalRequest(kept!.text);
    expect(request.document).toMatchObject({ verifier: REQUESTER.publicKey, params: PARAMS, count: 1, ttl_s: 3600 });
    expect(() => readApprovalRequest(kept!.text.replace('"amount":10000', '"amount":1'))).toThrow(/action_hash/);
  });

  test('is the same while it waits, another for another action, and new after it is over', async () => {
    const desk = new Desk({ ...ALICE_OR_BOB, ttl: '10m' });
    const id = async (changes: object = {}) => (await desk.ask(changes)).details!.request_id;
    const first = await id();
    expect(await id()).toBe(first);
    expect(await id({ params: { ...PARAMS, amount: 10_001 } })).not.toBe(first);
    desk.now += 599_000;
    expect(await id()).toBe(first);
    desk.now += 1000;
    expect(await id()).not.toBe(first);
  });

  test('stays while its approval is in force', async () => {
    const desk = new Desk({ ...ALICE_OR_BOB, ttl: '15m' });
    const id = (await desk.ask()).details!.request_id as string;
    desk.now += 14 * 60_000;
    expect(desk.keep(desk.answer(id, { by: 'alice' }), 'alice')).toBe(true);
    desk.now += 14 * 60_000;
    expect((await desk.ask()).details!.request_id).toBe(id);
    expect(await desk.ask({ approval_request: id })).toMatchObject({ success: true });
    expect((await desk.ask()).details!.request_id).not.toBe(id);
  });

  test('stays for its ttl though an approval of it ended earlier', async () => {
    const desk = new Desk({ ...ALICE_OR_BOB, ttl: '15m' });
    const id = (await desk.ask()).details!.request_id as string;
    const approved_until = new Date(desk.now + 60_000).toISOString();
    expect(desk.keep(desk.answer(id, { by: 'alice', changes: { approved_until } }), 'alice')).toBe(true);
    desk.now += 120_000;
    expect((await desk.ask()).details!.request_id).toBe(id);
  });

  test('that is denied ends, and the same action is not asked again for its ttl', async () => {
    const desk = new Desk({ ...ALICE_OR_BOB, ttl: '10m' });
    const id = (await desk.ask()).details!.request_id as string;
    expect(desk.keep(desk.answer(id, { by: 'bob', changes: { decision: 'deny', reason: 'no' } }), 'bob')).toBe(true);
    expect(desk.keep(desk.answer(id, { by: 'alice' }), 'alice')).toBe(false);
    for (const changes of [{}, { approval_request: id }])
      expect((await desk.ask(changes)).details).toMatchObject({ reason: 'denied', request_id: null, how: null });
    expect((await desk.ask({ params: { ...PARAMS, amount: 101 } })).details!.request_id).not.toBe(null);
    desk.now += 600_000;
    const again = (await desk.ask()).details!.request_id as string;
    expect(again).toMatch(/^[0-9a-f]{32}$/);
    desk.keep(desk.answer(again, { by: 'bob', changes: { decision: 'deny' } }), 'bob');
    desk.now += 599_999;
    expect((await desk.ask()).details).toMatchObject({ reason: 'denied', request_id: null });
  });

  test.each([
    [599_999, true],
    [600_000, false],
  ])('of ten minutes takes an answer after %d ms: %s', async (later, taken) => {
    const desk = new Desk({ ...ALICE_OR_BOB, ttl: '10m' });
    const id = (await desk.ask()).details!.request_id as string;
    desk.now += later;
    expect(desk.keep(desk.answer(id, { by: 'alice' }), 'alice')).toBe(taken);
  });

  test('is not made where something else refuses, for a dry run, or of an agent that is stopped', async () => {
    const open = (desk: Desk) => desk.state.look((ledger) => ledger.requests('all', desk.now)).length;
    const desk = new Desk(ALICE_OR_BOB);
    const document = passport('limited', { constraints: { monetary_limit: 50, require_approval: ALICE_OR_BOB } });
    const limited = new Desk(ALICE_OR_BOB, knowing(readPassport(Buffer.from(JSON.stringify(document)))));
    expect(await limited.ask()).toMatchObject({ error_code: 'AIP-E202' });
    expect(open(limited)).toBe(0);
    const [dry] = await verifyIntents(desk.deps, { ...VERIFY, dryRun: true }, [
      { bytes: JSON.stringify(intent('dry', { params: PARAMS })), source: null },
    ]);
    expect(dry!.decision.details).toMatchObject({ request_id: null });
    revoke(desk, SUPPORT);
    expect((await desk.ask()).details).toMatchObject({ request_id: null });
    expect(open(desk)).toBe(0);
  });

  test('is one of at most 20 of an agent', async () => {
    const desk = new Desk(ALICE_OR_BOB);
    for (let amount = 101; amount <= 120; amount++)
      expect((await desk.ask({ params: { amount } })).details!.request_id).not.toBe(null);
    expect((await desk.ask({ params: { amount: 500 } })).details).toMatchObject({
      reason: 'too_many_pending',
      request_id: null,
    });
    // One that waits already is found all the same.
    expect((await desk.ask({ params: { amount: 101 } })).details!.request_id).not.toBe(null);
    desk.now += 3_600_000;
    expect((await desk.ask({ params: { amount: 500 } })).details!.request_id).not.toBe(null);
  });

  // `1e20` has 21 digits where it is signed, so that an intent within its bounds makes a request beyond them.
  test.each<[string, JsonObject]>([
    ['text', { note: 'x'.repeat(64_800) }],
    ['numbers', { amounts: Array<number>(9000).fill(1e20) }],
  ])('is not raised where nobody could read it: %s', async (_, params) => {
    const desk = new Desk({ actions: ['issue_refund'] });
    const document = intent('large', { params, timestamp: NOW_S });
    const bytes = JSON.stringify(document).replaceAll('100000000000000000000', '1e20');
    const [judged] = await verifyIntents(desk.deps, VERIFY, [{ bytes, source: null }]);
    expect(judged!.decision.details).toMatchObject({ reason: 'too_large', request_id: null });
    expect(desk.state.look((ledger) => ledger.requests('all', desk.now))).toEqual([]);
  });

  test('is of the verifier that raised it: no other runs its approval', async () => {
    const [one, two] = [new Desk(ALICE_OR_BOB), new Desk(ALICE_OR_BOB)];
    const id = (await one.ask()).details!.request_id as string;
    const answers = [readActionApproval(JSON.stringify(one.answer(id, { by: 'alice' })))];
    expect(await two.ask({ approval_request: id }, { answers })).toMatchObject({ error_code: 'AIP-E209' });
    // Nor does the same file under another key.
    const moved = { ...one.deps, requester: () => ({ ...REQUESTER, publicKey: publicKeyText('stranger') }) };
    const bytes = JSON.stringify(intent('moved', { params: PARAMS, approval_request: id }));
    const [judged] = await verifyIntents(moved, VERIFY, [{ bytes, source: null, answers }]);
    expect(judged!.decision).toMatchObject({ error_code: 'AIP-E209' });
    expect(await one.ask({ approval_request: id }, { answers })).toMatchObject({ success: true });
  });

  test('without approvers is answered by the principal, also where a hook asks', async () => {
    const hook = async () => [{ hook: 'h', result: 'require-approval', reason: 'a hook asks' }] as const;
    for (const desk of [new Desk(true), new Desk({ above: 1_000_000 }, { hooks: () => hook })]) {
      const { details } = await desk.ask();
      expect(details).toMatchObject({ approvers: [PRINCIPAL], needed: 1 });
      const id = details!.request_id as string;
      for (const by of ['alice', 'agent', 'stranger'] as const) {
        const document = desk.answer(id, { by: 'principal', key: by });
        expect(
          await desk.ask({ approval_request: id }, { answers: [readActionApproval(JSON.stringify(document))] }),
        ).toMatchObject({ error_code: 'AIP-E209' });
      }
      expect(desk.keep(desk.answer(id, { by: 'principal' }), 'principal')).toBe(true);
      expect(await desk.ask({ approval_request: id })).toMatchObject({ success: true });
    }
  });

  test('that is not known, or not named, lifts nothing', async () => {
    const desk = new Desk(ALICE_OR_BOB);
    const id = (await desk.ask()).details!.request_id as string;
    const answers = [readActionApproval(JSON.stringify(desk.answer(id, { by: 'alice' })))];
    expect(await desk.ask({}, { answers })).toMatchObject({ error_code: 'AIP-E209' });
    expect(await desk.ask({ approval_request: 'f'.repeat(32) }, { answers })).toMatchObject({ error_code: 'AIP-E209' });
    for (const approval_request of ['', 'F'.repeat(32), id.slice(1), 5, null])
      expect(await desk.ask({ approval_request }, { answers })).toMatchObject({ error_code: 'AIP-E100' });
    // Beside a document that names none, as an envelope has to.
    expect(await desk.ask({}, { answers, approvalRequest: id })).toMatchObject({ success: true });
  });

  test('is spent in the transaction of its decision, and of several at once one runs', async () => {
    const desk = new Desk(ALICE_OR_BOB);
    const id = (await desk.ask()).details!.request_id as string;
    desk.keep(desk.answer(id, { by: 'alice' }), 'alice');
    const documents = Array.from({ length: 8 }, (_, i) => ({
      bytes: JSON.stringify(intent(`race ${i}`, { params: PARAMS, approval_request: id })),
      source: null,
    }));
    const codes = (await verifyIntents(desk.deps, VERIFY, documents)).map(({ decision }) => decision.error_code);
    expect(codes.filter((code) => code === null)).toHaveLength(1);
    expect(codes.filter((code) => code === 'AIP-E216')).toHaveLength(7);
  });
});
