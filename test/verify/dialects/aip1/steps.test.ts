/** Steps by themselves: what one of them decides, where the whole order does not show it. */
import { describe, expect, test } from 'vitest';
import { parseExact } from '../../../../src/protocol/aip1/encoding/numbers.js';
import { readEnvelope } from '../../../../src/protocol/aip1/envelope.js';
import { passportOf } from '../../../../src/protocol/passport.js';
import { brokenCaps } from '../../../../src/verify/dialects/aip1/checks/caps.js';
import { drift } from '../../../../src/verify/dialects/aip1/checks/drift.js';
import { replay } from '../../../../src/verify/dialects/aip1/checks/replay.js';
import type { Aip1Context } from '../../../../src/verify/dialects/aip1/context.js';
import { AT, NOW, passport, signed, text, type Bends } from '../../../kit/conformance/parts.js';

const envelopeOf = (bends: Bends) => readEnvelope(parseExact(text(signed('steps', bends))));
const contextOf = (bends: Bends, more: object = {}) =>
  ({
    envelope: envelopeOf(bends),
    passport: null,
    mandate: null,
    policy: { maxSkewMs: 30_000 },
    ...more,
  }) as unknown as Aip1Context;
const codeOf = (verdict: ReturnType<typeof drift>) =>
  verdict.status === 'failed' ? verdict.violations[0].entry.code : verdict.status;

// Boundaries refuse the same first; the step of RFC-001 stands beside them all the same.
describe('an action of another kind than every allowed one', () => {
  const bends = (action: string, ...allowed: string[]) => ({
    'intent.action': action,
    'boundaries.allowed_actions': allowed,
  });
  test.each([
    ['delete_records', ['read_invoice'], 'AIP-E303'],
    ['read_ticket', ['read_invoice'], 'passed'],
    ['read_invoice', ['read_invoice'], 'passed'],
    ['delete_records', [], 'passed'],
  ])('%s beside %j', (action, allowed, code) => {
    expect(codeOf(drift(contextOf(bends(action, ...allowed))))).toBe(code);
  });
  test('is found in the list of the passport as in the own one', () => {
    const known = { passport: passportOf(passport()) };
    expect(codeOf(drift(contextOf(bends('delete_records', 'delete_records'), known)))).toBe('AIP-E303');
  });
});

test.each([
  ['accepted', 'accepted'],
  ['AIP-E202', 'refused with AIP-E202'],
])('a replay says that the first was %s', (firstResult, said) => {
  const memory = { nonceRecord: () => ({ firstSeenAt: NOW - 5000, firstResult }) };
  const verdict = replay(contextOf({}, { facts: { memory, now: NOW, wallNow: NOW } }));
  expect(codeOf(verdict)).toBe('AIP-E102');
  expect(verdict.status === 'failed' && verdict.violations[0].message).toContain(`5 s ago and ${said}`);
});

describe('nonces that are forgotten', () => {
  const bends = { issued_at: AT, ttl: 60, expires_at: null };
  const asked = (wallNow: number, forgotten: number) =>
    codeOf(
      replay(
        contextOf(bends, {
          facts: { memory: { nonceRecord: () => null, forgottenUntil: () => forgotten }, now: NOW, wallNow },
        }),
      ),
    );
  const END = NOW + 60_000;

  test('refuse what may have been spent among them, once it is over by the wall clock', () => {
    expect(asked(END + 1, NOW)).toBe('AIP-E101');
    // What is dated ahead may have been spent before its date.
    expect(asked(END + 1, NOW - 30_000)).toBe('AIP-E101');
    expect(asked(END + 1, NOW - 30_001)).toBe('passed');
  });
  test('refuse nothing that is in force: its own nonce is kept', () => {
    expect(asked(END, NOW)).toBe('passed');
  });
  test('are none without a memory, which is said', () => {
    expect(codeOf(replay(contextOf(bends, { facts: { memory: null, now: NOW, wallNow: END + 1 } })))).toBe('skipped');
  });
});

describe('an amount that spends nothing', () => {
  const codes = (amount: number, memory: object | null) => {
    const context = contextOf({ 'intent.parameters.amount': amount }, { facts: { memory, now: NOW } });
    return brokenCaps(context, context.envelope.boundaries, 'envelope').map(({ entry }) => entry.code);
  };
  const full = { read: () => ({ kind: 'sum', spent: 10n ** 9n }) };
  test.each([0, -5])('%d passes a full day, and a verifier that adds nothing up', (amount) => {
    expect([codes(amount, full), codes(amount, null)]).toEqual([[], []]);
  });
  test('is not the least one', () => {
    expect([codes(0.01, full), codes(0.01, null)]).toEqual([['AIP-E202'], ['AIP-E202']]);
  });
});

describe('an amount in another currency than the cap, or said twice', () => {
  const caps = (bound: 'mandate' | 'envelope', parameters: Bends) => {
    const bends = Object.entries(parameters).map(([name, value]) => [`intent.parameters.${name}`, value] as const);
    const memory = { read: () => ({ kind: 'sum', spent: 0n }) };
    const context = contextOf(
      { 'intent.parameters.amount': 1, ...Object.fromEntries(bends) },
      { facts: { memory, now: NOW } },
    );
    return brokenCaps(context, context.envelope.boundaries, bound).map(({ details }) => details['param']);
  };
  test.each<[string, Bends]>([
    ['ccy', { ccy: 'EUR' }],
    ['total.currency', { total: { value: 1, currency: 'EUR' } }],
    ['price', { price: '1 EUR' }],
  ])('is refused under a mandate by what %s says, and left by RFC-001', (param, parameters) => {
    expect(caps('mandate', parameters)).toEqual([param]);
    expect(caps('envelope', parameters)).toEqual([]);
  });
  test('is the larger of two under a mandate, and what RFC-001 prefers under the envelope', () => {
    const [two, same] = [
      { amount: 99_999, amount_minor: 100 },
      { amount: 1, amount_minor: 100 },
    ];
    expect([caps('mandate', two), caps('mandate', same), caps('envelope', two)]).toEqual([['amount'], [], []]);
    expect(caps('mandate', { amount: 1, amount_minor: 9_999_900 })).toEqual(['amount_minor']);
  });
  test('is none where the same is said in other letters', () => {
    expect(caps('mandate', { currency: 'usd', ccy: 'usd', price: '1 usd' })).toEqual([]);
  });
});
