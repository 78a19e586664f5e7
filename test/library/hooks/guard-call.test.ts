import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { VerificationError, type GuardCallOptions, type Workspace } from '../../../src/index.js';
import { inHome } from '../../kit/history.js';
import { AGENT, KEY, refusal, supportAgent, workshop } from '../workshop.js';

const LONG = 'x'.repeat(16 * 1024 + 1);

describe('guardCall', () => {
  test('runs the tool with the params that were verified, frozen', async () => {
    const here = workshop();
    const agent = await supportAgent(here);
    const params = { order_id: '8472', amount: 50, lines: [{ sku: 'a' }] };
    const got = await here.guardCall({ agent, action: 'issue_refund', params }, (verified) => verified);
    expect(got).toEqual(params);
    expect(got).not.toBe(params);
    expect(Object.isFrozen(got)).toBe(true);
    expect(Object.isFrozen(got.lines[0])).toBe(true);
    expect(await here.getVerificationLogs()).toMatchObject([{ action: 'issue_refund', status: 'success' }]);
  });
  test.each([
    ['above the limit', { amount: 10_000 }, 'issue_refund', 'AIP-E202'],
    ['to a stranger', { to: 'a@evil.example' }, 'send_email', 'AIP-E203'],
    ['not declared', {}, 'delete_user', 'AIP-E201'],
  ])('%s: the tool does not run', async (_, params, action, code) => {
    const here = workshop();
    const agent = await supportAgent(here);
    let ran = false;
    const error = await refusal(here.guardCall({ agent, action, params }, () => void (ran = true)));
    expect(error).toBeInstanceOf(VerificationError);
    expect(error.code).toBe(code);
    expect(ran).toBe(false);
  });
  test('what the caller changes while it is verified changes nothing', async () => {
    const here = workshop();
    const agent = await supportAgent(here);
    const params = { amount: 50 };
    const running = here.guardCall({ agent, action: 'issue_refund', params }, ({ amount }) => amount);
    params.amount = 99_999;
    expect(await running).toBe(50);
  });
  test('an option that is not known is refused: a misspelt one must not read as absent', async () => {
    const here = workshop();
    const agent = await supportAgent(here);
    const options = { agent, action: 'issue_refund', parms: { amount: 1 } } as never;
    expect(await refusal(here.guardCall(options, () => 1))).toMatchObject({ code: 'USAGE' });
  });
  test.each([
    ['dryRun', true],
    ['at', new Date()],
    ['minTurst', 1],
  ])('nor does it run where verify has %s: a yes that counts nothing is none', async (name, value) => {
    const here = workshop();
    const agent = await supportAgent(here);
    let ran = false;
    const options = { agent, action: 'issue_refund', params: { amount: 1 }, verify: { [name]: value } };
    const error = await refusal(here.guardCall(options as object as GuardCallOptions, () => void (ran = true)));
    expect([error.code, error.message, ran]).toEqual([
      'USAGE',
      `guardCall, under verify, has no option "${name}".`,
      false,
    ]);
  });
  test('without a key nothing runs', async () => {
    const here = workshop();
    await supportAgent(here);
    const other = here.again();
    const call = other.guardCall({ agent: 'support-agent-v1', action: 'issue_refund', params: { amount: 1 } }, () => 1);
    expect(await refusal(call)).toMatchObject({ name: 'Failure' });
  });
});

describe('long texts', () => {
  test('are signed and logged as hashes, and reach the tool whole', async () => {
    const here = workshop();
    const agent = await supportAgent(here, { actions: ['write_file'], constraints: {} });
    const content = 'line\n'.repeat(100_000);
    const got = await here.guardCall({ agent, action: 'write_file', params: { path: 'a', content } }, (given) => given);
    expect(got.content).toBe(content);
    const [entry] = await here.getVerificationLogs();
    expect(entry!.params).toMatchObject({ path: 'a', content: { bytes: 500_000 } });
  });
  test('are judged whole by the schema of their action', async () => {
    const here = workshop();
    const params = { type: 'object', properties: { content: { type: 'string', maxLength: 20_000 } } };
    const agent = await supportAgent(here, { actions: [{ name: 'write_file', params }], constraints: {} });
    const write = (content: string) =>
      here.guardCall({ agent, action: 'write_file', params: { content } }, () => 'written');
    expect(await write(LONG)).toBe('written');
    expect(await refusal(write(`${LONG}${LONG}`))).toMatchObject({ code: 'AIP-E211' });
  });
  test.each([
    ['destinations in a long list', { note: Array(900).fill('someone@evil.example').join(', ') }, 'AIP-E203'],
    ['a long text under a denied name', { topic: `${' '.repeat(20_000)}payroll` }, 'AIP-E206'],
  ])('%s are read by the limits', async (_, params, code) => {
    const here = workshop();
    const constraints = { allowed_domains: ['acme.com'], denied_topics: ['payroll'] };
    const agent = await supportAgent(here, { actions: ['send_email'], constraints });
    const call = here.guardCall({ agent, action: 'send_email', params }, () => 1);
    expect(await refusal(call)).toMatchObject({ code });
  });
  test('more than 1 MiB is refused before it is signed', async () => {
    const here = workshop();
    const agent = await supportAgent(here, { actions: ['write_file'], constraints: {} });
    const params = { content: 'x'.repeat(1024 * 1024) };
    const call = here.guardCall({ agent, action: 'write_file', params }, () => 1);
    expect(await refusal(call)).toMatchObject({ code: 'USAGE' });
    expect(await here.getVerificationLogs()).toEqual([]);
  });
  test('shield takes them as well', async () => {
    const here = workshop();
    const passport = await supportAgent(here, { actions: ['write_file'], constraints: {} });
    const write = here.shield(
      { passport, actions: ['write_file'] },
      ({ content }: { content: string }) => content.length,
    );
    expect(await write({ content: 'x'.repeat(500_000) })).toBe(500_000);
  });
});

test('what became of a call whose result comes in parts is known when they have ended', async () => {
  const here = workshop();
  const agent = await supportAgent(here);
  const parts = (fails: boolean): Promise<AsyncGenerator<number, string>> =>
    here.guardCall({ agent, action: 'issue_refund', params: { amount: 1 } }, async function* () {
      yield 1;
      if (fails) throw new RangeError('no');
      yield 2;
      return 'end';
    });
  const outcomes = async (): Promise<unknown[]> => {
    await here.getVerificationLogs();
    const log = inHome(join(here.folder, 'home'), (state) => [...state.records({ type: 'outcome' })]);
    return log.map((each) => 'status' in each && each.status);
  };
  const whole = await parts(false);
  expect(await outcomes()).toEqual([]);
  expect([await whole.next(), await whole.next(), await whole.next()]).toEqual([
    { done: false, value: 1 },
    { done: false, value: 2 },
    { done: true, value: 'end' },
  ]);
  expect(await outcomes()).toEqual(['ok']);
  const broken = await parts(true);
  await broken.next();
  expect(await refusal(broken.next())).toBeInstanceOf(RangeError);
  expect(await outcomes()).toEqual(['ok', 'error']);
  for await (const part of await parts(false)) if (part === 1) break;
  expect(await outcomes()).toEqual(['ok', 'error', 'unknown']);
});

test.each([
  [
    'guardCall',
    (here: Workspace) => here.guardCall({ agent: AGENT, action: 'issue_refund', privateKey: KEY }, () => 'ran'),
  ],
  [
    'shield',
    (here: Workspace) => here.shield({ passport: AGENT, actions: ['issue_refund'], privateKey: KEY }, () => 'ran')(),
  ],
])(
  'closing waits for a call of %s, wherever it stands: its key and its state are there until then',
  async (_, call) => {
    const here = workshop();
    await supportAgent(here, { constraints: {} });
    for (let turns = 0; turns < 16; turns++) {
      // The key and the state are open, as in a program that runs.
      await here.createIntent({ agentId: AGENT, action: 'issue_refund', privateKey: KEY });
      await here.getVerificationLogs();
      const called = call(here);
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      expect(await Promise.all([called, here.close()])).toEqual(['ran', undefined]);
    }
  },
);

test('closing does not wait for the person who is asked', async () => {
  const here = workshop();
  const agent = await supportAgent(here, { constraints: { require_approval: true } });
  let answer = (_: null): void => undefined;
  const asked = new Promise<void>((isAsked) => {
    const approve = (): Promise<null> => new Promise((resolve) => ((answer = resolve), isAsked()));
    here.guardCall({ agent, action: 'issue_refund', privateKey: KEY, approve }, () => 1).catch(() => undefined);
  });
  await asked;
  await here.close();
  answer(null);
});
