/** Calls that need a person: asked once, waited for, signed afresh, let through once. */
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { keepAnswer } from '../../src/app/approvals/keep.js';
import type { ActionApprovalDocument, ApprovalRequestDocument, CreatedPassport } from '../../src/index.js';
import { ALICE, aliceAnswers } from '../kit/native/answers.js';
import { publicKeyText, type Signer } from '../kit/native/parts.js';
import { openAt } from '../kit/state/temporary.js';
import { refusal, supportAgent, T0, workshop, type Workshop } from './workshop.js';

const answer = (request: ApprovalRequestDocument, changes: object = {}, key: Signer = 'alice') =>
  aliceAnswers(request, T0, changes, key);

function agent(aip: Workshop): Promise<CreatedPassport> {
  const rule = { above: 50, approvers: [{ id: ALICE, public_key: publicKeyText('alice') }] };
  return supportAgent(aip, { constraints: { require_approval: rule } });
}

/** Answers as another process does, such as `aip approvals approve`. */
function elsewhere(aip: Workshop, id: string, changes: object = {}): string | null {
  const state = openAt(join(aip.folder, 'home', 'state.db'), () => T0);
  const record = state.look((ledger) => ledger.approvalRequest(id))!;
  return keepAnswer(state, answer(JSON.parse(record.text) as ApprovalRequestDocument, changes), T0);
}

const refund = (params: object): object => params;
const actions = ['issue_refund'];
const idOf = (error: unknown): string =>
  (error as { decision: { details: { request_id: string } } }).decision.details.request_id;

test('a shield runs the tool with the answer that "approve" brings, and asks for what is about to happen', async () => {
  const aip = workshop();
  const passport = await agent(aip);
  const approve = vi.fn<(request: ApprovalRequestDocument) => Promise<ActionApprovalDocument>>(async (request) =>
    answer(request),
  );
  const guarded = aip.shield({ passport, actions, approve }, refund);
  expect(await guarded({ amount: 80 })).toEqual({ amount: 80 });
  expect(approve).toHaveBeenCalledOnce();
  expect(approve.mock.calls[0]![0]).toMatchObject({
    action: 'issue_refund',
    params: { amount: 80 },
    approvers: [{ id: ALICE }],
  });
  // What needs no person asks none, and each call needs a word of its own.
  await guarded({ amount: 20 });
  expect(approve).toHaveBeenCalledTimes(1);
  await guarded({ amount: 80 });
  expect(approve).toHaveBeenCalledTimes(2);
  const [spent] = await aip.getVerificationLogs({ status: 'success' });
  expect(spent).toMatchObject({ approval_request: approve.mock.calls[1]![0].request_id });
});

test.each<[string, (request: ApprovalRequestDocument) => unknown, string]>([
  ['null', () => null, 'AIP-E209'],
  ["the word of somebody else's key", (request) => answer(request, {}, 'carol'), 'AIP-E209'],
  ['a denial', (request) => answer(request, { decision: 'deny' }), 'AIP-E209'],
  ['what has ended', (request) => answer(request, { approved_until: new Date(T0 - 1).toISOString() }), 'AIP-E209'],
  ['true', () => true, 'USAGE'],
  ['an object', () => ({ approved: true }), 'USAGE'],
  ['what cannot be written', () => 1n, 'USAGE'],
])('a tool does not run where "approve" gives %s', async (_, approve, code) => {
  const aip = workshop();
  const run = vi.fn<() => void>();
  const passport = await agent(aip);
  const call = aip.guardCall(
    { agent: passport, action: 'issue_refund', params: { amount: 80 }, approve: approve as never },
    run,
  );
  expect((await refusal(call)).code).toBe(code);
  expect(run).not.toHaveBeenCalled();
});

test('what "approve" throws is what the caller gets, and the tool does not run', async () => {
  const aip = workshop();
  const approve = async (): Promise<never> => {
    throw new Error('the chat is away');
  };
  const guarded = aip.shield({ passport: await agent(aip), actions, approve }, refund);
  expect((await refusal(guarded({ amount: 80 }))).message).toBe('the chat is away');
});

test('a call waits for a word that comes another way, is let through once, and the word is spent', async () => {
  const aip = workshop();
  const passport = await agent(aip);
  const run = vi.fn<() => string>(() => 'done');
  const call = { agent: passport, action: 'issue_refund', params: { amount: 80 } } as const;
  const id = idOf(await refusal(aip.guardCall(call, run)));
  const waiting = aip.guardCall({ ...call, waitForApproval: '1m' }, run);
  expect(elsewhere(aip, id)).toBe(null);
  expect(await waiting).toBe('done');
  expect(run).toHaveBeenCalledOnce();
  expect((await refusal(aip.guardCall({ ...call, approval: id }, run))).code).toBe('AIP-E216');
});

test('a call that waits is refused by a denial, by its time, and when the workspace is closed', async () => {
  const aip = workshop();
  const passport = await agent(aip);
  const run = vi.fn<() => void>();
  const call = (amount: number) => ({ agent: passport, action: 'issue_refund', params: { amount } });
  const id = idOf(await refusal(aip.guardCall(call(80), run)));
  const denied = refusal(aip.guardCall({ ...call(80), waitForApproval: '1m' }, run));
  expect(elsewhere(aip, id, { decision: 'deny' })).toBe(null);
  expect((await denied).code).toBe('AIP-E209');
  expect((await refusal(aip.guardCall({ ...call(81), waitForApproval: '10ms' }, run))).code).toBe('AIP-E209');
  const closed = refusal(aip.guardCall({ ...call(82), waitForApproval: '10m' }, run));
  await vi.waitFor(async () =>
    expect(await aip.getVerificationLogs({ limit: 1 })).toMatchObject([{ params: { amount: 82 } }]),
  );
  await new Promise((resolve) => setTimeout(resolve, 50));
  await aip.close();
  expect((await closed).code).toBe('AIP-E209');
  expect(run).not.toHaveBeenCalled();
});

test('ten minutes later the request of a refused call is named, and lets through exactly that call', async () => {
  const aip = workshop();
  const passport = await agent(aip);
  const call = { agent: passport, action: 'issue_refund', params: { amount: 80 } } as const;
  const id = idOf(await refusal(aip.guardCall(call, refund)));
  expect(elsewhere(aip, id)).toBe(null);
  aip.wait(600);
  expect((await refusal(aip.guardCall({ ...call, params: { amount: 81 }, approval: id }, refund))).code).toBe(
    'AIP-E209',
  );
  expect(await aip.guardCall({ ...call, approval: id }, () => 'let through')).toBe('let through');
  expect((await refusal(aip.guardCall({ ...call, approval: id }, refund))).code).toBe('AIP-E216');
});

test.each([{ approve: 'yes' }, { waitForApproval: 'soon' }, { waitForApproval: '2d' }, { waitForApproval: 5 }])(
  'is wrong from the start: %j',
  async (options) => {
    const aip = workshop();
    const passport = await agent(aip);
    expect(() => aip.shield({ passport, actions, ...options } as never, refund)).toThrow(
      expect.objectContaining({ code: 'USAGE' }),
    );
    const call = aip.guardCall({ agent: passport, action: 'issue_refund', params: {}, ...options } as never, refund);
    expect((await refusal(call)).code).toBe('USAGE');
  },
);

test('what failed before it acted gives its place in the daily limit back, where the passport says so and the caller knows', async () => {
  const aip = workshop();
  const passport = await supportAgent(aip, { constraints: { daily_limit: { limit: 100, release: true } } });
  const fails = async (): Promise<never> => {
    throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
  };
  const release = (error: unknown): boolean => (error as { code?: string }).code === 'ECONNREFUSED';
  const call = { agent: passport, action: 'issue_refund', params: { amount: 80 } } as const;
  const guarded = aip.shield({ passport, actions, release }, fails);
  await expect((guarded as (params: object) => Promise<never>)({ amount: 80 })).rejects.toThrow('refused');
  const unsure = (): boolean => {
    throw new Error('cannot be told');
  };
  // What cannot be told has happened.
  await expect(aip.guardCall({ ...call, release: unsure }, fails)).rejects.toThrow('refused');
  expect((await refusal(aip.guardCall(call, fails))).code).toBe('AIP-E212');
  expect(() => aip.shield({ passport, actions, release: true as never }, refund)).toThrow(
    expect.objectContaining({ code: 'USAGE' }),
  );
});
