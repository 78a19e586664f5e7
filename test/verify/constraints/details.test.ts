import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { checkConstraints } from '../../../src/verify/constraints.js';
import type { Meter } from '../../../src/verify/meters.js';
import { constraintsOf, judgedBy } from './judging.js';

const AGENT = 'did:web:acme.com:agents:support-agent-v1';
const SUPPORT = { monetary_limit: 100.0, allowed_domains: ['acme.com'], rate_limit: '10/hour' };

function only(constraints: JsonObject, of: Parameters<typeof judgedBy>[0]) {
  const violations = checkConstraints(constraintsOf(constraints), judgedBy(of));
  expect(violations).toHaveLength(1);
  return violations[0]!;
}

describe('what a refusal says', () => {
  test.each<[string, JsonObject]>([
    ['every action of this agent needs approval', { require_approval: true }],
    ['the action deploy needs approval', { require_approval: { value: true, actions: ['deploy'] } }],
    ['the action deploy needs approval', { require_approval: { actions: ['deploy'] } }],
  ])('%s', (reason, constraints) => {
    expect(only(constraints, { action: 'deploy', params: {} }).details['reason']).toBe(reason);
  });

  test('the $10,000 refund of the guide', () => {
    const { message, details } = only(SUPPORT, { params: { amount: 10000 } });
    expect(message).toBe('$10,000.00 asked, $100.00 allowed.');
    expect(details).toEqual({ requested: 10000, limit: 100, currency: 'USD', param: 'amount', agent_id: AGENT });
  });

  test('the mail to evil.com of the guide', () => {
    const { message, details } = only(SUPPORT, { params: { message: { to: ['a@acme.com', 'attacker@evil.com'] } } });
    expect(message).toBe('evil.com (in "message.to") is not among the allowed domains.');
    expect(details).toEqual({
      requested_domain: 'evil.com',
      allowed_domains: ['acme.com'],
      param: 'message.to',
      agent_id: AGENT,
    });
  });

  test('an object and a list are no texts', () => {
    const { message } = only({ allowed_projects: ['WEB'] }, { params: { project: { key: 'WEB' } } });
    expect(message).toBe('an object (in "project") is not in "allowed_projects".');
    const many = only({ max_passengers: 4 }, { params: { passengers: ['Ann', 'Bob'] } });
    expect(many.message).toBe('"passengers" is a list of 2: it is not a number, and "max_passengers" bounds it.');
  });

  test('the order of GME of the guide', () => {
    const { details } = only({ allowed_symbols: ['AAPL', 'GOOGL', 'MSFT'] }, { params: { symbol: 'GME' } });
    expect(details).toEqual({ requested: 'GME', allowed: ['AAPL', 'GOOGL', 'MSFT'], param: 'symbol', agent_id: AGENT });
  });

  test('when a rate has room again', () => {
    const history = [
      { action: 'a', ago_s: 600 },
      { action: 'a', ago_s: 3000 },
    ];
    const { message, details } = only({ rate_limit: '2/hour' }, { params: {}, history });
    expect(details).toEqual({ limit: 2, window: 'hour', used: 2, retry_after_s: 600, agent_id: AGENT });
    expect(message).toContain('600 s');
  });

  test('what was spent', () => {
    const history = [{ action: 'a', ago_s: 600, amount_minor: 4999, currency: 'USD' }];
    const { message, details } = only({ daily_limit: '50' }, { params: { amount: '0.02' }, history });
    expect(details).toEqual({
      requested: 0.02,
      spent: 49.99,
      limit: 50,
      window: '24h',
      agent_id: AGENT,
    });
    expect(message).toBe('$0.02 asked and $49.99 spent in 24 hours, $50.00 allowed.');
  });

  test('the entry that is too much by itself, and the list where only its sum is', () => {
    const paramOf = (...prices: number[]) =>
      only({ monetary_limit: 100 }, { params: { items: prices.map((price) => ({ price })) } }).details['param'];
    expect([paramOf(500), paramOf(60, 60)]).toEqual(['items[0].price', 'items[].price']);
  });

  test('which value is denied', () => {
    const { message, details } = only({ denied_regions: ['cn'] }, { params: { region: 'cn' } });
    expect(details).toEqual({ requested: 'cn', allowed: null, param: 'region', agent_id: AGENT });
    expect(message).toContain('denied_regions');
  });

  test('which currency was meant', () => {
    const { message, details } = only({ monetary_limit: 5 }, { params: { amount: 1, currency: 'EUR' } });
    expect(details).toEqual({ requested: 'EUR', limit: 5, currency: 'USD', param: 'currency', agent_id: AGENT });
    expect(message).toContain('default');
  });

  test('which bound, which window, which country', () => {
    expect(only({ max_n: 3 }, { params: { n: 4 } }).details).toEqual({
      requested: 4,
      limit: 3,
      param: 'n',
      agent_id: AGENT,
    });
    expect(only({ geo_restriction: ['US'] }, { params: {} }).details).toEqual({
      requested: null,
      allowed: ['US'],
      agent_id: AGENT,
    });
    const window = { start: '2027-01-01T00:00:00Z', end: '2028-01-01T00:00:00Z' };
    expect(only({ time_window: window }, { params: {} }).details).toEqual({
      now: '2026-02-18T14:23:45.000Z',
      window,
      agent_id: AGENT,
    });
    expect(only({ require_approval: true }, { params: {} }).details).toMatchObject({ intent_hash: 'sha256:00' });
  });
});

describe('a refusal stays small, whatever was asked', () => {
  const huge = 'x'.repeat(60_000);
  const many = Array.from({ length: 2000 }, (_, i) => `a@evil${i}.example`);

  test.each<[string, JsonObject, JsonObject]>([
    ['a long text', { allowed_regions: ['eu'] }, { region: huge }],
    ['a long list', { allowed_regions: ['eu'] }, { region: many }],
    ['a long host', { allowed_domains: ['acme.com'] }, { to: huge }],
    ['many hosts', { allowed_domains: ['acme.com'] }, { to: many }],
    ['many params', { allowed_domains: ['acme.com'] }, { list: many.map((to) => ({ to })) }],
    ['a long path', { allowed_domains: ['acme.com'] }, { [huge]: { to: 'evil.com' } }],
    ['a long currency', { currency: 'EUR' }, { currency: huge }],
    ['a long number', { max_n: 1 }, { n: huge }],
    ['a huge amount', { monetary_limit: 1, daily_limit: 1 }, { amount: 1e308 }],
  ])('%s', (_, constraints, params) => {
    const violations = checkConstraints(constraintsOf(constraints), judgedBy({ params }));
    expect(violations.length).toBeGreaterThan(0);
    expect(violations.length).toBeLessThanOrEqual(16);
    expect(JSON.stringify(violations).length).toBeLessThan(40_000);
    for (const { message } of violations) expect(message.length).toBeLessThan(1500);
  });
});

test('what every JavaScript object inherits is not a param', () => {
  // Intents from the library are ordinary objects; parsed ones have no prototype.
  const rules = { require_toString: true, max_constructor: 1, allowed_valueOf: [] };
  const violations = checkConstraints(constraintsOf(rules), judgedBy({ params: {} }));
  expect(violations.map(({ entry }) => entry.code)).toEqual(['AIP-E208']);
});

describe('the state', () => {
  const asked = (constraints: JsonObject, params: JsonObject, action = 'place_order') => {
    const meters: Meter[] = [];
    const judged = judgedBy({ action, params });
    checkConstraints(constraintsOf(constraints), {
      ...judged,
      read: (meter) => {
        meters.push(meter);
        return judged.read(meter);
      },
    });
    return meters;
  };

  test('is asked for what a constraint needs', () => {
    expect(asked({ rate_limit: '3/minute', max_orders_per_day: 2, daily_limit: 5 }, { amount: 1 })).toEqual([
      { kind: 'sum', currency: 'USD', windowMs: 86_400_000, asked: 100n, limit: 500n },
      { kind: 'count', actions: null, word: null, windowMs: 60_000, limit: 3 },
      { kind: 'count', actions: null, word: 'order', windowMs: 86_400_000, limit: 2 },
    ]);
    expect(asked({ rate_limit: { place_order: '3/minute' } }, {})).toEqual([
      { kind: 'count', actions: ['place_order'], word: null, windowMs: 60_000, limit: 3 },
    ]);
  });

  test('is not asked where the answer cannot matter', () => {
    expect(asked({ rate_limit: { other: '3/minute' }, max_refunds_per_day: 2, daily_limit: 5 }, {})).toEqual([]);
    expect(asked({ daily_limit: 5 }, { amount: 'x' })).toEqual([]);
    expect(asked({ rate_limit: '0/day' }, {})).toEqual([]);
    expect(asked({ monetary_limit: 5, allowed_domains: ['acme.com'] }, { amount: 1, to: 'a@acme.com' })).toEqual([]);
  });

  test('that answers another question is a bug and never a yes', () => {
    const judged = judgedBy({ params: { amount: 1 } });
    const wrong = { ...judged, read: (meter: Meter) => judged.read(meter.kind === 'sum' ? COUNT : SUM) };
    expect(() => checkConstraints(constraintsOf({ daily_limit: 5 }), wrong)).toThrow('sum was asked');
    expect(() => checkConstraints(constraintsOf({ rate_limit: '5/day' }), wrong)).toThrow('count was asked');
  });
});

const SUM: Meter = { kind: 'sum', currency: 'USD', windowMs: 1, asked: 0n, limit: 0n };
const COUNT: Meter = { kind: 'count', actions: null, word: null, windowMs: 1, limit: 1 };
