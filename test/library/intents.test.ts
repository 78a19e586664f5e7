import { describe, expect, test } from 'vitest';
import { signIntent } from '../../src/index.js';
import { AGENT, KEY, refusal, supportAgent, T0, workshop } from './workshop.js';

const NONCE = '8f7a3c'.padEnd(32, '0');

describe('signIntent', () => {
  test('depends on nothing but its arguments', async () => {
    const aip = workshop();
    const passport = await supportAgent(aip);
    const request = {
      action: 'issue_refund',
      params: { amount: 50, note: undefined },
      timestamp: T0 / 1000,
      nonce: NONCE,
    };
    const intent = signIntent(passport, KEY, request);
    expect(signIntent(passport, KEY, request)).toEqual(intent);
    expect(intent).toEqual({
      agent_id: AGENT,
      action: 'issue_refund',
      params: { amount: 50 },
      key_id: `${AGENT}#key-1`,
      timestamp: T0 / 1000,
      nonce: NONCE,
      signature: expect.stringMatching(/^[0-9a-f]{128}$/),
    });
    expect((await aip.verifyIntent(intent)).success).toBe(true);
  });

  test('what it signed cannot be told apart from what it was asked', async () => {
    const aip = workshop();
    const passport = await supportAgent(aip);
    const params = { nested: { list: [1, { deep: true }] }, ['__proto__']: 'a name like any other' };
    const intent = signIntent(passport, KEY, { action: 'x', params, timestamp: T0 / 1000, nonce: NONCE });
    params.nested.list.push(2);
    expect(intent.params).toEqual({ nested: { list: [1, { deep: true }] }, ['__proto__']: 'a name like any other' });
  });

  test.each<[string, object]>([
    ['a short nonce', { nonce: '00'.repeat(15) }],
    ['a nonce that is not hex', { nonce: 'zz'.repeat(16) }],
    ['no nonce', { nonce: undefined }],
    ['no timestamp', { timestamp: undefined }],
    ['milliseconds with a fraction', { timestamp: 1.5 }],
    ['a negative time', { timestamp: -1 }],
    ['milliseconds', { timestamp: T0 }],
    ['no action', { action: undefined }],
    ['an empty action', { action: '' }],
    ['an action of 129 characters', { action: 'a'.repeat(129) }],
    ['params that are a list', { params: [1] }],
    ['params too large', { params: { text: 'x'.repeat(70_000) } }],
    ['half a character', { action: 'pay\ud83d' }],
    ['half a character for a target', { target: '\ud83d' }],
    ['half a character for a name', { params: { ['\ud83d']: 1 } }],
    ['a nonce that is no text', { nonce: Symbol('nonce') }],
    ['an empty target', { target: '' }],
    ['an unknown member', { parameters: {} }],
  ])('refuses %s', async (_, changes) => {
    const passport = await supportAgent(workshop());
    const request = { action: 'pay', timestamp: 1, nonce: NONCE, ...changes };
    expect(() => signIntent(passport, KEY, request as never)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  test('refuses a key that does not parse without quoting it, and a passno port from 1 to 65535', async () => {
    const passport = await supportAgent(workshop());
    const request = { action: 'pay', timestamp: 1, nonce: NONCE };
    expect(() => signIntent(passport, 'ed25519:hunter2', request)).toThrow(/^(?!.*hunter2)/);
    expect(() => signIntent({ ...passport } as never, KEY, request)).toThrow(/not a passport of this library/);
  });
});

describe('createIntent', () => {
  test('dates the intent once its key is open: a passphrase may be long in coming', async () => {
    const aip = workshop();
    await supportAgent(aip, { privateKey: undefined, keyStore: 'file' });
    const late = aip.again({
      passphrase: () => {
        aip.wait(120);
        return 'correct horse';
      },
    });
    const { timestamp } = await late.createIntent({ agentId: AGENT, action: 'issue_refund' });
    expect(timestamp).toBe(T0 / 1000 + 120);
  });

  test('names the agent by id, by name and by passport, and every nonce is new', async () => {
    const aip = workshop();
    const passport = await supportAgent(aip);
    const request = { action: 'issue_refund' };
    const intents = await Promise.all([
      aip.createIntent({ ...request, agentId: AGENT }),
      aip.createIntent({ ...request, agentId: 'support-agent-v1' }),
      aip.createIntent({ ...request, passport }),
      aip.createIntent({ ...request, passport: AGENT, target: 'orders' }),
    ]);
    expect(new Set(intents.map(({ nonce }) => nonce)).size).toBe(4);
    for (const intent of intents) {
      expect(intent).toMatchObject({ agent_id: AGENT, params: {}, timestamp: T0 / 1000 });
      expect((await aip.verifyIntent(intent)).success).toBe(true);
    }
  });

  test.each<[string, object, string]>([
    ['nobody', {}, 'USAGE'],
    ['two', { agentId: AGENT, passport: AGENT }, 'USAGE'],
    ['a stranger', { agentId: 'did:web:acme.com:agents:nobody' }, 'NOT_FOUND'],
    ['snake case', { agent_id: AGENT }, 'USAGE'],
    ['a key store that does not exist', { agentId: AGENT, keyStore: 'vault' }, 'USAGE'],
  ])('for %s fails', async (_, who, code) => {
    const aip = workshop();
    await supportAgent(aip);
    await aip.close();
    expect(await refusal(aip.createIntent({ action: 'pay', ...who }))).toMatchObject({ code });
  });
});
