import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { needsHistory, releaseOf, usageOf } from '../../../src/verify/limits/usage.js';
import { constraintsOf } from '../constraints/judging.js';

const usage = (constraints: JsonObject, params: JsonObject) => usageOf(constraintsOf(constraints), params);

describe('history', () => {
  test.each<[JsonObject]>([
    [{ rate_limit: '1/day' }],
    [{ rate_limit: { a: '1/day' } }],
    [{ max_orders_per_hour: 1 }],
    [{ daily_limit: 1 }],
  ])('is needed by %j', (constraints) => {
    expect(needsHistory(constraintsOf(constraints))).toBe(true);
    expect(usage(constraints, {})).toEqual({ currency: null, amountMinor: null });
  });

  test.each<[JsonObject]>([
    [{}],
    [{ monetary_limit: 1 }],
    [{ currency: 'EUR' }],
    [{ allowed_domains: ['acme.com'], require_approval: true }],
    [{ max_per: 1 }],
    [{ 'x-rate_limit': '1/day' }],
  ])('is not needed by %j, and written for a limit to come', (constraints) => {
    expect(needsHistory(constraintsOf(constraints))).toBe(false);
    expect(usage(constraints, { amount: 5 })).toMatchObject({ amountMinor: 500n });
  });
});

describe('what an accepted intent is recorded with', () => {
  test.each<[string, JsonObject, JsonObject, string | null, bigint | null]>([
    ['the amount in the default currency', { daily_limit: 10 }, { amount: 2.5 }, 'USD', 250n],
    ['minor units', { daily_limit: 10 }, { amount_minor: 250 }, 'USD', 250n],
    ["the passport's currency", { daily_limit: 10, currency: 'JPY' }, { amount: 250 }, 'JPY', 250n],
    [
      'the param of the daily limit',
      { daily_limit: { limit: 9, param: 'total' } },
      { total: 1, amount: 5 },
      'USD',
      100n,
    ],
    [
      'the param of the only limit',
      { rate_limit: '1/day', monetary_limit: { limit: 9, param: 'total' } },
      { total: 1 },
      'USD',
      100n,
    ],
    ['an amount that no limit holds yet', { rate_limit: '1/day' }, { amount: 1 }, 'USD', 100n],
    [
      'its own currency where none is prescribed',
      { rate_limit: '1/day' },
      { amount: 1, currency: 'KWD' },
      'KWD',
      1000n,
    ],
    ['no amount where there is none', { rate_limit: '1/day' }, { currency: 'KWD' }, null, null],
    ['no amount where it is a word', { rate_limit: '1/day' }, { amount: 'much' }, null, null],
    ['no amount where it is negative', { rate_limit: '1/day' }, { amount: -5 }, null, null],
    ['no amount where it is too fine', { rate_limit: '1/day' }, { amount: 0.001 }, null, null],
    ['no amount where two differ', { rate_limit: '1/day' }, { amount: 1, amount_minor: 1 }, null, null],
    ['at most what every reader holds exactly', { rate_limit: '1/day' }, { amount: 1e300 }, 'USD', 2n ** 53n - 1n],
    [
      'the default where the currency is unknown',
      { rate_limit: '1/day' },
      { amount: 1, currency: 'GOLD' },
      'USD',
      100n,
    ],
  ])('%s', (_, constraints, params, currency, amountMinor) => {
    expect(usage(constraints, params)).toEqual({ currency, amountMinor });
  });
});

describe('what may be given back of an accepted action', () => {
  const released = (limit: number, more: JsonObject = {}): JsonObject => ({
    daily_limit: { limit, release: true, ...more },
  });
  test.each<[string, JsonObject[], bigint | null]>([
    ['the daily limit that says so', [released(100)], 10_000n],
    ['the least of several that say so', [released(100), released(50)], 5_000n],
    ['the least, in whatever order', [released(50), released(100)], 5_000n],
    ['nothing where one of them does not', [released(100), { daily_limit: 50 }], null],
    ['nothing without a daily limit', [{ rate_limit: '5/day', monetary_limit: 9 }], null],
    ['what holds for this action alone', [released(100), released(50, { actions: ['other'] })], 10_000n],
    ['nothing for an action without a limit', [released(50, { actions: ['other'] })], null],
  ])('%s', (_, limits, most) => {
    expect(releaseOf(limits.map(constraintsOf), 'pay')).toBe(most);
  });
});
