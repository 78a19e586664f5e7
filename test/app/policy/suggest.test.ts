/** A suggestion is held against the verifier itself: what was accepted is accepted again, and nothing becomes wider. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { schemaProblem, schemaProblems } from '../../../src/adapters/json-schema.js';
import { diffPassports } from '../../../src/app/policy/diff.js';
import { roundedUp } from '../../../src/app/policy/narrowing.js';
import { standIn } from '../../../src/app/policy/stand-in.js';
import { suggestPassport, type Suggestion } from '../../../src/app/policy/suggest.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { throwawayVerifiers } from '../../../src/workspace/verification.js';
import type { World } from '../../../src/workspace/world.js';
import { refundPassport as passport, throwaway } from '../../kit/native/throwaway.js';

const NOW = Date.parse('2026-02-18T12:00:00Z');
interface Run {
  readonly params?: 'full' | 'masked' | 'none';
  readonly today?: JsonObject;
  readonly unmeasured?: 'warn' | 'deny';
  readonly since?: number;
  readonly until?: number;
}

/** Each intent with the ms since the one before. */
type Stream = readonly (readonly [JsonObject, number])[];

/** What is suggested for `old`, or for `today`, from the log of the stream under `old`; beside it what was accepted, and when. */
async function suggested(old: JsonObject, stream: Stream, run: Run = {}) {
  const was = await throwaway(old);
  const json = { ...(run.today ?? old), issuer_signature: '0'.repeat(128) };
  const accepted: [JsonObject, number][] = [];
  try {
    let at = NOW;
    for (const [intent, step] of stream) {
      at += step;
      const { success } = await was.judge(intent, at, { logParams: run.params ?? 'masked' });
      if (success) accepted.push([intent, at]);
    }
    const { state } = was;
    const found = await suggestPassport({
      log: state,
      setting: {
        ...{ json, passport: standIn(json, false), schemaProblem, schemaProblems, hooks: false },
        ...{ judgedPassport: (hash: string) => state.judgedPassport(hash), unmeasured: run.unmeasured ?? 'warn' },
      },
      span: { since: run.since ?? null, until: run.until ?? null },
      pause: () => Promise.resolve(),
    });
    return { found, accepted };
  } finally {
    was.close();
  }
}

const open = throwawayVerifiers({
  world: { random: (n: number) => new Uint8Array(randomBytes(n)), ticks: () => 0 } as unknown as World,
});

async function widened(old: JsonObject, { passport: next }: Suggestion): Promise<string[]> {
  const found = await diffPassports(old, next, await open, () => Promise.resolve());
  return found.filter(({ direction }) => direction === 'wider').map(({ path }) => path);
}

const refund = (amount: number | string, more: JsonObject = {}): JsonObject => ({
  action: 'issue_refund',
  params: { amount, ...more },
});
const email = (to: string): JsonObject => ({ action: 'send_email', params: { to } });
const paths = ({ narrower }: Suggestion): string[] => narrower.map(({ path }) => path);
const after = ({ narrower }: Suggestion, path: string) => narrower.find((each) => each.path === path)?.after;

const LIMITS = fc.record(
  {
    monetary_limit: fc.constantFrom<JsonObject[string]>(
      ...[5, '20.00', 100],
      { limit: 100, param: 'total', currency: 'USD' },
      { value: 50, actions: ['issue_refund'] },
    ),
    daily_limit: fc.constantFrom<JsonObject[string]>(30, '100.5', { limit: 250, release: true }),
    rate_limit: fc.constantFrom<JsonObject[string]>(
      ...['2/minute', '3/hour', '5/day'],
      { issue_refund: '2/hour', place_order: '1/day' },
      { value: '3/day', actions: ['issue_refund', 'send_email'] },
    ),
    max_orders_per_hour: fc.constantFrom<JsonObject[string]>(1, 3, { value: 4, actions: ['place_order'] }),
    allowed_domains: fc.constantFrom<JsonObject[string]>(...[['ACME.com'], ['*.acme.com', 'acme.com', 'example.com']], {
      value: ['*.acme.com', 'example.com', 'evil.test'],
      actions: ['send_email'],
    }),
    denied_symbols: fc.constantFrom(['EVIL'], ['GOOD']),
    require_ticket: fc.constant(true),
    require_approval: fc.constantFrom<JsonObject>(
      { above: 50 },
      { environments: ['prod'] },
      { actions: ['place_order'] },
    ),
  },
  { requiredKeys: [] },
);
const SCHEMA = { type: 'object', properties: { amount: { type: ['number', 'string'] }, ticket: { type: 'string' } } };
const ACTIONS = fc.constantFrom<JsonObject[string]>(
  ['issue_refund', 'send_email', 'place_order', 'cancel_order'],
  [{ name: 'issue_refund', params: SCHEMA }, 'send_email', { name: 'place_order' }],
);
const INTENT = fc.oneof(
  fc.record({
    action: fc.constantFrom('issue_refund', 'place_order', 'cancel_order', 'other'),
    params: fc.record(
      {
        amount: fc.constantFrom<JsonObject[string]>(1, 5, 20, 99.5, '7.25', 100, 1000),
        currency: fc.constantFrom('USD', 'EUR'),
        ticket: fc.constantFrom<JsonObject[string]>('T-1', '', null, { id: 4 }),
        order: fc.constantFrom<JsonObject[string]>({ ticket: 'T-2', total: 3 }, [1, 2]),
        symbol: fc.constantFrom('EVIL', 'GOOD'),
        api_key: fc.constant('sk-live-0123456789abcdef'),
        ['__proto__']: fc.constant(1),
      },
      { requiredKeys: [] },
    ),
  }),
  fc.record({
    action: fc.constant('send_email'),
    params: fc.record({
      to: fc.constantFrom<JsonObject[string]>('a@acme.com', ['b@example.com', 'c@x.acme.com'], 'c@evil.test', 7),
    }),
  }),
);
const STEP = fc.constantFrom(0, 1000, 30_000, 700_000, 3_600_000, 40_000_000);

test('what was accepted is accepted again by the verifier, and nothing is wider', async () => {
  await fc.assert(
    fc.asyncProperty(
      LIMITS,
      ACTIONS,
      fc.array(fc.tuple(INTENT, STEP), { minLength: 1, maxLength: 20 }),
      fc.constantFrom('full', 'masked', 'none'),
      async (limits, actions, stream, params) => {
        const old = passport(limits, { actions });
        const answer = await suggested(old, stream, { params }).catch((error: { code?: string }) => {
          if (error.code === 'NOT_FOUND') return null;
          throw error;
        });
        if (answer === null) return;
        const { found, accepted } = answer;
        expect(found.accepted).toBe(accepted.length);
        expect(found.replay.accepted_to_refused.count).toBe(0);
        expect(await widened(old, found)).toEqual([]);
        const will = await throwaway(found.passport);
        try {
          for (const [intent, at] of accepted) expect((await will.judge(intent, at)).error_code).toBeNull();
        } finally {
          will.close();
        }
      },
    ),
    { numRuns: 25 },
  );
});

test('nor wider than a passport of today that allows something else than the log was judged by', async () => {
  await fc.assert(
    fc.asyncProperty(
      LIMITS,
      LIMITS,
      ACTIONS,
      fc.array(fc.tuple(INTENT, STEP), { minLength: 1, maxLength: 20 }),
      async (limits, now, actions, stream) => {
        const today = passport(now, { actions });
        const answer = await suggested(passport(limits), stream, { today }).catch((error: { code?: string }) => {
          if (error.code === 'NOT_FOUND') return null;
          throw error;
        });
        if (answer === null) return;
        expect(answer.found.replay.accepted_to_refused.count).toBeLessThanOrEqual(answer.found.refused_today);
        expect(await widened(today, answer.found)).toEqual([]);
      },
    ),
    { numRuns: 12 },
  );
});

describe('what becomes narrower', () => {
  test('actions that were not used, and closed schemas of those that were', async () => {
    const { found } = await suggested(passport({}), [
      [refund('10.00', { order_id: 'A', note: null }), 0],
      [refund(20, { order_id: 'B' }), 1000],
    ]);
    expect(found.passport).toMatchObject({
      serial: 4,
      actions: [
        {
          name: 'issue_refund',
          params: {
            type: 'object',
            properties: {
              amount: { type: ['number', 'string'] },
              order_id: { type: 'string' },
              note: { type: 'null' },
            },
            required: ['amount', 'order_id'],
            additionalProperties: false,
          },
        },
      ],
    });
    expect(found.passport).not.toHaveProperty('issuer_signature');
    expect(paths(found).slice(0, 3)).toEqual(['actions.issue_refund', 'actions.send_email', 'actions.place_order']);
  });
  test('limits, up to what was needed', async () => {
    const old = passport({
      ...{ monetary_limit: 100, daily_limit: { limit: 500, release: true } },
      ...{
        rate_limit: {
          value: { issue_refund: '9/hour', send_email: '9/hour' },
          actions: ['issue_refund', 'send_email'],
        },
      },
      max_emails_per_day: 20,
      allowed_domains: ['Example.com', '*.acme.com', 'evil.test'],
    });
    const { found } = await suggested(old, [
      [refund(80.5), 0],
      [refund(70), 1000],
      [refund(5), 25 * 3_600_000],
      [email('a@mail.acme.com'), 1000],
      [email('b@example.com'), 1000],
    ]);
    expect(found.passport['constraints']).toEqual({
      ...{ monetary_limit: 81, daily_limit: { limit: 160, release: true } },
      ...{
        rate_limit: {
          value: { issue_refund: '2/hour', send_email: '2/hour' },
          actions: ['issue_refund', 'send_email'],
        },
      },
      max_emails_per_day: 2,
      allowed_domains: ['Example.com', 'mail.acme.com'],
    });
  });
  test('sums and rates count what was accepted before the time that is looked at', async () => {
    const old = passport({ daily_limit: 500, rate_limit: '9/hour' });
    const { found } = await suggested(
      old,
      [
        [refund(60), 0],
        [refund(50), 1000],
      ],
      { since: NOW + 500 },
    );
    expect([found.accepted, after(found, 'constraints.daily_limit')]).toEqual([1, 110]);
    expect(after(found, 'constraints.rate_limit')).toBe('2/hour');
  });
  test('a limit on money where there is none, in the one currency that is named', async () => {
    const { found } = await suggested(passport({}), [
      [refund(12.01, { currency: 'EUR' }), 0],
      [refund(3), 1000],
    ]);
    expect(found.passport['constraints']).toEqual({ monetary_limit: 13, daily_limit: 16, currency: 'EUR' });
    const two = await suggested(passport({}), [
      [refund(1, { currency: 'EUR' }), 0],
      [refund(3, { currency: 'USD' }), 1],
    ]);
    expect(two.found.passport['constraints']).toEqual({});
  });
  test('refused entries are counted, and teach nothing', async () => {
    const old = passport({ monetary_limit: 100 });
    const { found } = await suggested(old, [
      [refund(30), 0],
      [refund(150), 1],
      [refund(150), 1],
      [{ action: 'drop_tables', params: {} }, 1],
    ]);
    expect(found.refused).toEqual({ 'AIP-E202': 2, 'AIP-E201': 1 });
    expect(found.passport['constraints']).toEqual({ monetary_limit: 30 });
    expect(found.replay.refused_to_accepted.count).toBe(0);
  });
});

describe('what stays as it is', () => {
  const why = ({ kept }: Suggestion, path: string) => kept.find((each) => each.path === path)?.why ?? '';
  test('never wider than the passport that is given, whatever was accepted under another', async () => {
    const today = passport({ monetary_limit: 50 }, { actions: ['issue_refund'] });
    const { found } = await suggested(
      passport({ monetary_limit: 900 }),
      [
        [refund(30), 0],
        [refund(400), 1],
        [email('a@b.test'), 1],
      ],
      {
        today,
      },
    );
    expect([found.accepted, found.refused_today]).toEqual([3, 2]);
    expect(found.passport).toMatchObject({ constraints: { monetary_limit: 30 }, actions: [{ name: 'issue_refund' }] });
    expect(found.passport['actions']).toHaveLength(1);
  });
  test.each<[string, JsonObject, JsonObject, Run, string]>([
    ['params that were dropped', {}, refund(5), { params: 'none' }, 'does not show all params'],
    ['a masked param', {}, refund(5, { api_key: 'sk-live-0123456789abcdef' }), {}, 'does not show all params'],
    [
      'a person who is asked where no money shows',
      { require_approval: { above: 50 } },
      refund(5),
      {},
      'require_approval',
    ],
    [
      'a required param inside of an object',
      { require_ticket: true },
      refund(5, { order: { ticket: 'T' } }),
      {},
      'required param',
    ],
    ['a verifier that refuses what it cannot measure', {}, refund(5), { unmeasured: 'deny' }, 'verify.unmeasured'],
  ])('an action without a schema: %s', async (_, constraints, intent, run, words) => {
    const { found } = await suggested(passport(constraints), [[intent, 0]], run);
    expect(paths(found)).not.toContain('actions.issue_refund');
    expect(why(found, 'actions.issue_refund')).toContain(words);
  });
  test('a sum over what the log does not show', async () => {
    const old = passport({ monetary_limit: 100, daily_limit: 500 });
    const { found } = await suggested(old, [
      [refund(5), 0],
      [refund(7, { auth: { amount: 90 } }), 1],
    ]);
    expect(found.passport['constraints']).toEqual({ monetary_limit: 100, daily_limit: 500 });
    expect(why(found, 'constraints.daily_limit')).toContain('does not show');
  });
  test('a schema, and limits of which nothing was measured', async () => {
    const actions = [{ name: 'issue_refund', params: { type: 'object' } }];
    const old = passport({ daily_limit: 500, allowed_domains: ['acme.com'], denied_symbols: ['X'] }, { actions });
    const { found } = await suggested(old, [[{ action: 'issue_refund', params: {} }, 0]]);
    expect([found.narrower, found.passport['actions']]).toEqual([[], actions]);
    expect(found.kept.map(({ path }) => path)).toEqual([
      ...[
        'actions.issue_refund',
        'constraints.daily_limit',
        'constraints.allowed_domains',
        'constraints.denied_symbols',
      ],
    ]);
  });
  test('money that was found by a word is no reason for a new limit', async () => {
    const { found } = await suggested(passport({}), [[refund(5, { cost: 7 }), 0]]);
    expect(found.passport['constraints']).toEqual({});
    expect(why(found, 'constraints.monetary_limit')).toContain('may be none');
  });
  test('an action that is gone, where a limit names it', async () => {
    const old = passport({ rate_limit: { issue_refund: '9/hour', send_email: '5/hour' } });
    const { found } = await suggested(old, [[refund(5), 0]]);
    expect(found.passport['constraints']).toMatchObject({
      rate_limit: { issue_refund: '1/hour', send_email: '5/hour' },
    });
    const gone = found.narrower.find(({ path }) => path === 'actions.send_email');
    expect(gone?.why).toBe('never accepted in that time; still named in rate_limit');
  });
  test('what would make a passport too large to be read', async () => {
    const hosts = Array.from({ length: 700 }, (_, i) => `${'h'.repeat(60)}.${'d'.repeat(60)}.n${i}.acme.com`);
    const old = passport({ allowed_domains: ['*.acme.com'] });
    const stream = hosts.map((host): [JsonObject, number] => [email(`a@${host}`), 1]);
    const { found } = await suggested(old, [...stream, [refund(1), 1]]);
    expect(found.passport['constraints']).toMatchObject({ allowed_domains: ['*.acme.com'], monetary_limit: 1 });
    expect(why(found, 'constraints.allowed_domains')).toContain('larger than 64 KiB');
  });
  test('nothing accepted is no empty passport', async () => {
    await expect(suggested(passport({ monetary_limit: 1 }), [[refund(5), 0]])).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    const today = passport({}, { actions: ['send_email'] });
    await expect(suggested(passport({}), [[refund(5), 0]], { today })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

test('up to two leading digits', () => {
  const all: [bigint, bigint][] = [
    [0n, 0n],
    [7n, 7n],
    [99n, 99n],
    [101n, 110n],
    [8050n, 8100n],
    [9901n, 10_000n],
  ];
  for (const [minor, rounded] of all) expect(roundedUp(minor)).toBe(rounded);
});
