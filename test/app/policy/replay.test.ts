/** A replay is held against the verifier itself: the same stream, judged under the new passport as it came. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { replayLog, type ReplayReport } from '../../../src/app/policy/replay-report.js';
import { Replay } from '../../../src/app/policy/replay.js';
import { schemaProblems } from '../../../src/adapters/json-schema.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { refundPassport as passport, throwaway, type Verifier } from '../../kit/native/throwaway.js';

const NOW = Date.parse('2026-02-18T12:00:00Z');
async function replayed(
  { state, passport: next }: { state: Verifier['state']; passport: Verifier['passport'] },
  more: Partial<{ hooks: boolean; since: number; until: number }> = {},
): Promise<ReplayReport> {
  const setting = {
    ...{ passport: next, schemaProblems, hooks: more.hooks ?? false, unmeasured: 'warn' as const },
    judgedPassport: (hash: string) => state.judgedPassport(hash),
  };
  return replayLog(state, setting, { since: more.since ?? null, until: more.until ?? null }, () => Promise.resolve());
}

/** The log of `intents` under `old`, a second after another, and what it would be under `next`. */
async function after(
  old: JsonObject,
  next: JsonObject,
  intents: readonly JsonObject[],
  more: Parameters<typeof replayed>[1] & { params?: 'full' | 'masked' | 'none'; geo?: string } = {},
): Promise<ReplayReport> {
  const [was, will] = [await throwaway(old), await throwaway(next)];
  try {
    for (const [i, intent] of intents.entries())
      await was.judge(intent, NOW + i * 1000, { logParams: more.params ?? 'masked', geo: more.geo ?? null });
    return await replayed({ state: was.state, passport: will.passport }, more);
  } finally {
    was.close();
    will.close();
  }
}

const refund = (amount: number | string, more: JsonObject = {}): JsonObject => ({
  action: 'issue_refund',
  params: { amount },
  ...more,
});

const LIMITS = fc.record(
  {
    monetary_limit: fc.constantFrom(5, 20, 100),
    daily_limit: fc.constantFrom(30, 100, 250),
    rate_limit: fc.constantFrom<JsonObject | string>(
      ...['2/minute', '3/hour', '5/day'],
      { issue_refund: '2/hour', place_order: '1/day' },
      { value: '3/day', actions: ['issue_refund', 'send_email'] },
    ),
    max_orders_per_hour: fc.constantFrom(1, 3),
    allowed_domains: fc.constantFrom(['acme.com'], ['acme.com', 'example.com']),
    denied_symbols: fc.constantFrom(['EVIL'], ['GOOD']),
    require_ticket: fc.constant(true),
    currency: fc.constantFrom('USD', 'EUR'),
  },
  { requiredKeys: [] },
);
const INTENT = fc.oneof(
  fc.record({
    action: fc.constantFrom('issue_refund', 'place_order', 'other'),
    params: fc.record(
      {
        amount: fc.constantFrom(1, 5, 20, 99.5, '7.25', 100, 1000),
        currency: fc.constantFrom('USD', 'EUR'),
        ticket: fc.constantFrom('T-1', ''),
        symbol: fc.constantFrom('EVIL', 'GOOD'),
      },
      { requiredKeys: [] },
    ),
  }),
  fc.record({
    action: fc.constant('send_email'),
    params: fc.record({ to: fc.constantFrom('a@acme.com', 'b@example.com', 'c@evil.test') }),
  }),
);
const STEP = fc.constantFrom(0, 1000, 30_000, 700_000, 3_600_000, 40_000_000, -500_000);

test('a replay says what the verifier would have said', async () => {
  await fc.assert(
    fc.asyncProperty(
      LIMITS,
      LIMITS,
      fc.array(fc.tuple(INTENT, STEP), { minLength: 1, maxLength: 25 }),
      async (before, limits, stream) => {
        const [was, will] = [await throwaway(passport(before)), await throwaway(passport(limits))];
        try {
          const said: (string | null)[] = [];
          let at = NOW;
          for (const [intent, step] of stream) {
            at += step;
            await was.judge(intent, at);
            said.push((await will.judge(intent, at)).error_code);
          }
          const replay = new Replay({
            ...{ passport: will.passport, schemaProblems, hooks: false, unmeasured: 'warn' },
            judgedPassport: (hash) => was.state.judgedPassport(hash),
          });
          const found = [...was.state.entries({})].map((entry) => {
            const { after } = replay.next(entry);
            return after.verdict === 'accepted' ? null : after.verdict === 'refused' ? after.code : after.reason;
          });
          expect(found).toEqual(said);
        } finally {
          was.close();
          will.close();
        }
      },
    ),
    { numRuns: 60 },
  );
});

describe('what changes', () => {
  test('a limit that is raised, and one that is lowered, with counts and money', async () => {
    const intents = [refund(50), refund(150), refund(250), refund(80)];
    const wider = await after(passport({ monetary_limit: 100 }), passport({ monetary_limit: 200 }), intents);
    expect(wider).toMatchObject({
      total: 4,
      refused_to_accepted: {
        count: 1,
        money: { USD: 150 },
        by: { 'AIP-E202': 1 },
        examples: [{ seq: 2, after: 'accept' }],
      },
      accepted_to_refused: { count: 0 },
      unchanged: { count: 3, accepted: 2, refused: 1, other_code: 0 },
      not_decidable: { count: 0 },
    });
    const narrower = await after(passport({ monetary_limit: 100 }), passport({ monetary_limit: 60 }), intents);
    expect(narrower.accepted_to_refused).toMatchObject({ count: 1, money: { USD: 80 }, by: { 'AIP-E202': 1 } });
  });
  test('refused with another code is unchanged, and said', async () => {
    const found = await after(passport({ monetary_limit: 100 }), passport({}, { actions: ['send_email'] }), [
      refund(500),
    ]);
    expect(found.unchanged).toMatchObject({ count: 1, refused: 1, other_code: 1, by: { 'AIP-E201': 1 } });
  });
  test('what is accepted anew counts, and leaves less for what comes after', async () => {
    const old = passport({ monetary_limit: 40, daily_limit: 100 });
    const next = passport({ monetary_limit: 80, daily_limit: 100 });
    const found = await after(old, next, [refund(80), refund(40)]);
    expect(found.refused_to_accepted.count).toBe(1);
    expect(found.accepted_to_refused.by).toEqual({ 'AIP-E212': 1 });
  });
  test('windows begin with what came before', async () => {
    const old = passport({});
    const next = passport({ daily_limit: 100 });
    const found = await after(old, next, [refund(60), refund(60)], { since: NOW + 500 });
    expect([found.seeded, found.total, found.accepted_to_refused.by]).toEqual([1, 1, { 'AIP-E212': 1 }]);
    const alone = await after(old, next, [refund(60), refund(60)], { since: NOW + 500, until: NOW + 600 });
    expect(alone.total).toBe(0);
  });
  test('an agent that is stopped, a replay and a stale copy stay refused', async () => {
    const [was, will] = [await throwaway(passport({ monetary_limit: 10 })), await throwaway(passport({}))];
    const nonce = 'ab'.repeat(16);
    await was.judge(refund(1, { nonce }), NOW);
    await was.judge(refund(1, { nonce }), NOW + 1000);
    await was.judge(refund(1, { timestamp: NOW / 1000 - 4000 }), NOW + 2000);
    await was.judge(
      {
        ...refund(1),
        agent_id: 'did:web:acme.com:agents:bot',
        timestamp: NOW / 1000,
        nonce: 'cd'.repeat(16),
        signature: '0'.repeat(128),
      },
      NOW + 3000,
    );
    const { unchanged } = await replayed({ state: was.state, passport: will.passport });
    expect(unchanged).toMatchObject({
      count: 4,
      accepted: 1,
      by: { accept: 1, 'AIP-E301': 1, 'AIP-E302': 1, 'AIP-E101': 1 },
    });
    was.close();
    will.close();
  });
});

describe('what is not decidable', () => {
  const old = passport({ monetary_limit: 100 });
  const next = passport({ monetary_limit: 50 });
  const inCurrency = {
    name: 'issue_refund',
    params: { properties: { amount: { type: 'number' }, ccy: { type: 'string' } } },
  };
  test.each<[string, JsonObject, JsonObject, JsonObject, Parameters<typeof after>[3], object]>([
    ['params that were dropped', old, next, refund(10), { params: 'none' }, { params_dropped: 1 }],
    [
      'a masked param that may hold money',
      old,
      next,
      { action: 'issue_refund', params: { auth: { amount: 90 } } },
      {},
      { params_masked: 1 },
    ],
    [
      'a masked currency',
      passport({}, { actions: [inCurrency] }),
      passport({ monetary_limit: 100 }, { actions: [inCurrency] }),
      { action: 'issue_refund', params: { amount: 80, ccy: 'sk-live-0123456789abcdef' } },
      {},
      { params_masked: 1 },
    ],
    ['a hook', old, passport({ monetary_limit: 500 }), refund(200), { hooks: true }, { hook: 1 }],
    [
      'a country that is not logged',
      passport({}),
      passport({ geo_restriction: ['DE'] }),
      refund(1),
      { geo: 'DE' },
      { geo: 1 },
    ],
  ])('%s', async (_, was, will, intent, more, by) => {
    const found = await after(was, will, [intent], more);
    expect(found.not_decidable).toMatchObject({ count: 1, by });
  });
  test('a sum over an amount that is not known', async () => {
    const [was, will] = [await throwaway(passport({})), await throwaway(passport({ daily_limit: 100 }))];
    await was.judge(refund(60), NOW, { logParams: 'none' });
    await was.judge(refund(60), NOW + 1000);
    await was.judge(refund(101), NOW + 2000);
    const found = await replayed({ state: was.state, passport: will.passport });
    expect(found.not_decidable.by).toEqual({ params_dropped: 1, window: 1 });
    expect(found.accepted_to_refused.by).toEqual({ 'AIP-E212': 1 });
    was.close();
    will.close();
  });
});

describe('what is decidable though something is hidden', () => {
  const schema = {
    name: 'issue_refund',
    params: { type: 'object', properties: { amount: { type: 'number' }, api_key: { type: 'string' } } },
  };
  const typed = (constraints: JsonObject) => passport(constraints, { actions: [schema] });
  const secret = { action: 'issue_refund', params: { amount: 80, api_key: 'sk-live-0123456789abcdef' } };
  test.each<[string, JsonObject, JsonObject, JsonObject, Parameters<typeof after>[3], string, object]>([
    [
      'a secret of which the schema says that it is a text',
      typed({ monetary_limit: 100 }),
      typed({ monetary_limit: 50 }),
      secret,
      {},
      'accepted_to_refused',
      { 'AIP-E202': 1 },
    ],
    [
      'the same, within',
      typed({ monetary_limit: 100 }),
      typed({ monetary_limit: 90 }),
      secret,
      {},
      'unchanged',
      { accept: 1 },
    ],
    [
      'an action that is gone',
      passport({}),
      passport({}, { actions: ['send_email'] }),
      refund(1),
      { params: 'none' },
      'accepted_to_refused',
      { 'AIP-E201': 1 },
    ],
    [
      'a rate',
      passport({}),
      passport({ rate_limit: '5/hour' }),
      refund(1),
      { params: 'none' },
      'unchanged',
      { accept: 1 },
    ],
    [
      'a limit that is as it was',
      passport({ monetary_limit: 9 }),
      passport({ monetary_limit: 9, rate_limit: '5/hour' }),
      refund(1),
      { params: 'none' },
      'unchanged',
      { accept: 1 },
    ],
    [
      'no params at all',
      passport({}),
      passport({ monetary_limit: 9 }),
      { action: 'issue_refund', params: {} },
      { params: 'none' },
      'unchanged',
      { accept: 1 },
    ],
    [
      'a visible amount beyond',
      passport({}),
      passport({ monetary_limit: 50 }),
      { action: 'issue_refund', params: { amount: 80, auth: { a: 1 } } },
      {},
      'accepted_to_refused',
      { 'AIP-E202': 1 },
    ],
    [
      'a country that was logged',
      passport({ geo_restriction: ['DE'] }),
      passport({ geo_restriction: ['DE', 'US'] }),
      refund(1),
      { geo: 'US' },
      'refused_to_accepted',
      { 'AIP-E214': 1 },
    ],
  ])('%s', async (_, was, will, intent, more, group, by) => {
    const found = await after(was, will, [intent], more);
    expect(found).toMatchObject({ not_decidable: { count: 0 }, [group]: { count: 1, by } });
  });
});
