import { describe, expect, onTestFinished, test } from 'vitest';
import { allow, reject, requireHumanApproval, type Hook, type HookIntent, type Workspace } from '../../../src/index.js';
import { isAttributable } from '../../../src/protocol/log/attribution.js';
import { AGENT, supportAgent, workshop } from '../workshop.js';

const REFUND = { agentId: AGENT, action: 'issue_refund', params: { amount: 50 } };

async function verified(aip: Workspace, request: object = {}) {
  return aip.verifyIntent(await aip.createIntent({ ...REFUND, ...request }));
}

async function hooked(...hooks: Hook[]) {
  const aip = workshop();
  await supportAgent(aip, { constraints: {} });
  const remove = hooks.map((hook) => aip.registerVerificationHook(hook, { timeout: '200ms' }));
  return { aip, remove };
}

describe('a hook', () => {
  test('sees a copy of the intent, and changes nothing of what is judged', async () => {
    const seen: HookIntent[] = [];
    const { aip } = await hooked({
      verify: (intent) => {
        seen.push(structuredClone(intent));
        Object.assign(intent, { action: 'send_email' });
        Object.assign(intent.params, { amount: 1 });
        return allow();
      },
    });
    const decision = await verified(aip);
    expect(decision).toMatchObject({ success: true, action: 'issue_refund' });
    expect(decision.checks).toContainEqual({ check: 'hooks', status: 'passed' });
    expect(seen).toEqual([
      {
        agent_id: AGENT,
        action: 'issue_refund',
        params: { amount: 50 },
        key_id: `${AGENT}#key-1`,
        timestamp: expect.any(Number),
        nonce: expect.stringMatching(/^[0-9a-f]{32}$/),
        intent_hash: decision.intent_hash,
      },
    ]);
    expect((await aip.getVerificationLogs())[0]!.params).toEqual({ amount: 50 });
  });

  test('is not asked about what strangers send', async () => {
    let asked = 0;
    const { aip } = await hooked({ verify: () => (asked++, allow()) });
    const intent = await aip.createIntent(REFUND);
    await aip.verifyIntent({ ...intent, action: 'other' });
    await aip.verifyIntent({ ...intent, agent_id: 'did:web:evil.com:agents:x' });
    await aip.verifyIntent('{}');
    expect(asked).toBe(0);
  });

  test('is not asked where an earlier step refuses: it may page a person', async () => {
    let asked = 0;
    const aip = workshop();
    const passport = await supportAgent(aip, { constraints: { monetary_limit: 100 } });
    aip.registerVerificationHook({ verify: () => (asked++, allow()) });
    const intent = await aip.createIntent(REFUND);
    expect((await aip.verifyIntent(intent)).success).toBe(true);
    expect(asked).toBe(1);
    const code = async (changes: object) => (await verified(aip, changes)).error_code;
    expect((await aip.verifyIntent(intent)).error_code).toBe('AIP-E301');
    expect(await code({ action: 'delete_all' })).toBe('AIP-E201');
    expect(await code({ params: { amount: 500 } })).toBe('AIP-E202');
    const late = await aip.createIntent(REFUND);
    aip.wait(3_600);
    expect((await aip.verifyIntent(late)).error_code).toBe('AIP-E302');
    const broken = await aip.createIntent({ ...REFUND, params: { amount: 500 } });
    const principalKeys = { 'did:web:acme.com': passport.principalPublicKey };
    const stateless = { state: false, passport, principalKeys };
    expect((await aip.verifyIntent(broken, stateless)).error_code).toBe('AIP-E202');
    expect(asked).toBe(1);
    // Standing comes after the hooks.
    await aip.revokeAgent({ agentId: AGENT, reason: 'r' });
    expect(await code({})).toBe('AIP-E401');
    expect(asked).toBe(2);
  });

  test('any one refuses, and all that refuse are named', async () => {
    const { aip } = await hooked(
      { verify: () => allow() },
      { verify: () => reject({ code: 'AML-7', message: 'Too fast.', details: { seen: 3 } }) },
      { verify: () => requireHumanApproval({ reason: 'New payee' }) },
    );
    const decision = await verified(aip);
    expect(decision).toMatchObject({
      success: false,
      error_code: 'AML-7',
      error_message: 'Too fast.',
      details: { seen: 3, agent_id: AGENT },
    });
    expect(decision.violations.map(({ error_code }) => error_code)).toEqual(['AML-7', 'AIP-E209']);
  });

  test('is asked no more once it is taken away', async () => {
    const { aip, remove } = await hooked({ verify: () => reject({ code: 'NO', message: 'No.' }) });
    expect((await verified(aip)).success).toBe(false);
    remove[0]!();
    expect((await verified(aip)).success).toBe(true);
  });

  test('does not replace the steps before it', async () => {
    const { aip } = await hooked({ verify: () => allow() });
    expect(await verified(aip, { action: 'drop' })).toMatchObject({ error_code: 'AIP-E201' });
  });
});

describe('a hook that does not decide is a refusal', () => {
  const never = new Promise<never>(() => undefined);
  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('secret-42 leaked');
      },
    ],
    [
      'throws nothing at all',
      () => {
        throw undefined;
      },
    ],
    ['rejects', () => Promise.reject(new Error('down'))],
    ['never answers', () => never],
    ['returns nothing', () => undefined],
    ['returns true', () => true],
    ['returns a text', () => 'allow'],
    ['returns a near miss', () => ({ result: 'allowed' })],
    ['returns a truthy member', () => ({ allow: true })],
    ['promises rubbish', async () => ({ success: true })],
    ['rejects without a code', () => ({ result: 'reject', message: 'No.' })],
    ['rejects with a code of the catalogue', () => reject({ code: 'AIP-E301', message: 'No.' })],
    ['rejects with a code that is a sentence', () => reject({ code: 'not a code', message: 'No.' })],
    ['rejects without a sentence', () => reject({ code: 'NO', message: '' })],
    ['rejects with details that JSON cannot say', () => reject({ code: 'NO', message: 'No.', details: { n: 1n } })],
    [
      'gives an answer that cannot be read',
      () => ({
        get result() {
          throw new Error('secret-42 leaked');
        },
      }),
    ],
    ['wants a person and does not say why', () => ({ result: 'require-approval' })],
  ])('one that %s', async (_, verify) => {
    const { aip } = await hooked({ name: 'bad', verify: verify as never });
    const decision = await verified(aip);
    expect(decision).toMatchObject({
      success: false,
      error_code: 'HOOK_FAILED',
      details: { hook: 'bad', agent_id: AGENT },
    });
    expect(JSON.stringify([decision, await aip.getVerificationLogs()])).not.toContain('secret-42');
  });

  test('it is not held against the agent, and the next intent passes', async () => {
    let works = false;
    const { aip } = await hooked({ verify: () => (works ? allow() : (undefined as never)) });
    await verified(aip);
    const [entry] = await aip.getVerificationLogs();
    expect(entry).toMatchObject({ error_code: 'HOOK_FAILED' });
    expect(isAttributable(entry!)).toBe(false);
    works = true;
    expect((await verified(aip)).success).toBe(true);
  });

  test('a slow one holds up nobody else', async () => {
    let release = (): void => undefined;
    const slow = new Promise<void>((resolve) => (release = resolve));
    const aip = workshop();
    await supportAgent(aip, { constraints: {} });
    aip.registerVerificationHook({
      verify: async (intent) => {
        if (intent.params.amount === 1) await slow;
        return allow();
      },
    });
    const order: number[] = [];
    const call = (amount: number) => verified(aip, { params: { amount } }).then(() => order.push(amount));
    const first = call(1);
    await Promise.all([call(2), call(3)]);
    release();
    await first;
    expect(order.at(-1)).toBe(1);
    expect(order).toHaveLength(3);
  });

  test('it is told to whoever runs the verifier', async () => {
    const aip = workshop();
    await supportAgent(aip, { constraints: {} });
    aip.registerVerificationHook({
      name: 'sanctions',
      verify: () => {
        throw new Error('list not found');
      },
    });
    await verified(aip);
    expect(aip.notices.join()).toContain('sanctions failed: list not found');
  });

  test.each<[string, () => void]>([
    [
      'throws',
      () => {
        throw new Error('no terminal');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no terminal'))],
  ])('a listener that %s changes no decision, and ends no process', async (_, onNotice) => {
    const warned: string[] = [];
    const listen = (warning: Error) => void warned.push(warning.message);
    process.on('warning', listen);
    onTestFinished(() => void process.off('warning', listen));
    const aip = workshop({ onNotice });
    await supportAgent(aip, { constraints: {} });
    aip.registerVerificationHook({
      name: 'sanctions',
      verify: () => {
        throw new Error('list not found');
      },
    });
    expect(await verified(aip)).toMatchObject({ error_code: 'HOOK_FAILED' });
    expect(warned.join()).toContain('sanctions failed: list not found');
  });

  test('so is an answer that is none, and what an answer is', async () => {
    const { aip } = await hooked({ name: 'codes', verify: () => reject({ code: 'AIP-E202', message: 'too much' }) });
    await verified(aip);
    expect(aip.notices.join()).toMatch(/codes failed: it answered with none of allow\(\), reject\(.+not AIP-/);
  });
});

test.each<[string, unknown, object]>([
  ['nothing', undefined, {}],
  ['a function', () => allow(), {}],
  ['an object without verify', { check: () => allow() }, {}],
  ['no time', { verify: () => allow() }, { timeout: 'soon' }],
  ['too much time', { verify: () => allow() }, { timeout: '1h' }],
  ['an unknown option', { verify: () => allow() }, { timeoutMs: 5 }],
])('registering %s fails', (_, hook, options) => {
  expect(() => workshop().registerVerificationHook(hook as never, options)).toThrow(
    expect.objectContaining({ code: 'USAGE' }),
  );
});
