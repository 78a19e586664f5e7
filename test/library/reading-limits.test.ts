import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { AGENT, refusal, supportAgent, workshop } from './workshop.js';

interface Vector {
  readonly name: string;
  readonly constraints?: { readonly monetary_limit?: unknown };
  readonly params: object;
  readonly target?: string;
  readonly expect: readonly string[];
}
const vectors = (name: string): Vector[] =>
  JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8')) as Vector[];

const LIMITS = { monetary_limit: 100, currency: 'USD', allowed_domains: ['acme.com'] };

describe('honest work passes, whatever words it holds', () => {
  test('all honest vectors of both tables, under both limits at once', async () => {
    const aip = workshop();
    await supportAgent(aip, { actions: ['act'], constraints: LIMITS });
    const honest = [...vectors('money'), ...vectors('destinations')].filter(
      ({ name, constraints: { monetary_limit = 100 } = {} }) => name.startsWith('honest') && monetary_limit === 100,
    );
    expect(honest.length).toBeGreaterThan(120);
    for (const { name, params, target } of honest) {
      const intent = await aip.createIntent({
        agentId: AGENT,
        action: 'act',
        params,
        ...(target === undefined ? {} : { target }),
      });
      const { success, message } = await aip.verifyIntent(intent, { dryRun: true });
      expect([name, success, message]).toEqual([name, true, expect.any(String)]);
    }
    const { score } = await aip.getTrustScore(AGENT);
    expect(score).toBe(0.5);
  });

  test('what was found by a word in a name is refused, marked, and lowers no trust', async () => {
    const aip = workshop();
    await supportAgent(aip, { actions: ['act'], constraints: LIMITS });
    for (let i = 0; i < 12; i++) {
      const intent = await aip.createIntent({ agentId: AGENT, action: 'act', params: { total: 1_000_000, n: i } });
      expect(await aip.verifyIntent(intent)).toMatchObject({
        error_code: 'AIP-E202',
        details: { requested: 1_000_000, param: 'total', guessed: true },
      });
    }
    expect((await aip.getTrustScore(AGENT)).score).toBe(0.5);
  });

  test('the three agents of the guide', async () => {
    const aip = workshop();
    const passport = await supportAgent(aip, {
      actions: ['place_order', 'cancel_order'],
      constraints: {
        monetary_limit: 1000,
        allowed_symbols: ['AAPL', 'GOOGL', 'MSFT'],
        max_orders_per_hour: 2,
        require_stop_loss: true,
      },
    });
    const ask = async (action: string, params: object) =>
      aip.verifyIntent(await aip.createIntent({ agentId: passport.agentId, action, params }));
    const order = await ask('place_order', { symbol: 'AAPL', qty: 5, side: 'buy', stop_loss: 150 });
    expect([order.success, order.warnings.map(({ code }) => code)]).toEqual([true, ['unmeasured']]);
    expect(order.warnings[0]!.message).toContain('monetary_limit');
    expect(await ask('place_order', { symbol: 'GME', qty: 100, stop_loss: 20 })).toMatchObject({
      error_code: 'AIP-E204',
    });
    expect(await ask('place_order', { symbol: 'AAPL', qty: 5 })).toMatchObject({ error_code: 'AIP-E208' });
    for (let i = 0; i < 5; i++) expect((await ask('cancel_order', { order_id: `${8472 + i}` })).success).toBe(true);
    expect((await ask('place_order', { symbol: 'MSFT', qty: 1, stop_loss: 1 })).success).toBe(true);
    expect(await ask('place_order', { symbol: 'MSFT', qty: 1, stop_loss: 1 })).toMatchObject({
      error_code: 'AIP-E205',
    });
  });
});

describe('unmeasured', () => {
  test('deny refuses what no limit can measure, and the agent is not held to it', async () => {
    const aip = workshop();
    await supportAgent(aip, { actions: ['act'], constraints: { monetary_limit: 100 } });
    const ask = async (params: object) => {
      const intent = await aip.createIntent({ agentId: AGENT, action: 'act', params });
      return aip.verifyIntent(intent, { unmeasured: 'deny' });
    };
    expect(await ask({ order_id: '8472' })).toMatchObject({
      error_code: 'AIP-E208',
      details: { constraint: 'monetary_limit', looked_at: ['order_id'], unmeasured: true },
    });
    expect((await ask({ total: 5 })).success).toBe(true);
    expect((await aip.getTrustScore(AGENT)).score).toBe(0.51);
    const intent = await aip.createIntent({ agentId: AGENT, action: 'act', params: {} });
    expect(await refusal(aip.verifyIntent(intent, { unmeasured: 'ask' as never }))).toMatchObject({ code: 'USAGE' });
  });

  test('a schema says what an action takes, so nothing is missing', async () => {
    const aip = workshop();
    const params = { type: 'object', properties: { order_id: { type: 'string' } }, additionalProperties: false };
    await supportAgent(aip, { actions: [{ name: 'look', params }], constraints: { monetary_limit: 100 } });
    const intent = await aip.createIntent({ agentId: AGENT, action: 'look', params: { order_id: '1' } });
    expect(await aip.verifyIntent(intent, { unmeasured: 'deny' })).toMatchObject({ success: true, warnings: [] });
  });
});

test('six deploys that a person approves bring no agent down', async () => {
  const aip = workshop();
  await supportAgent(aip, { actions: ['deploy'], constraints: { require_approval: true } });
  for (let i = 0; i < 6; i++) {
    const intent = await aip.createIntent({ agentId: AGENT, action: 'deploy', params: { n: i } });
    expect(await aip.verifyIntent(intent)).toMatchObject({ error_code: 'AIP-E209' });
  }
  expect((await aip.getTrustScore(AGENT)).score).toBe(0.5);
});
