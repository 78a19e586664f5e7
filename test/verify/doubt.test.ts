import { describe, expect, test } from 'vitest';
import { examine } from '../../src/app/verification/examine.js';
import { intentBytes } from '../../src/protocol/intent.js';
import { hooks } from '../../src/verify/checks/hooks.js';
import { passport } from '../../src/verify/dialects/native/checks/passport.js';
import { revocation } from '../../src/verify/checks/revocation.js';
import { timestamp } from '../../src/verify/dialects/native/checks/timestamp.js';
import type { Facts } from '../../src/verify/context.js';
import type { NativeClaim, Identified } from '../../src/verify/dialects/native/context.js';
import type { Verdict } from '../../src/verify/decision.js';
import { refund } from '../kit/native/intent-parts.js';
import { NOW_S } from '../kit/native/parts.js';
import { fixtureBytes, pinsOf } from '../kit/native/vectors.js';
import { readPassport } from '../../src/protocol/passport.js';

const NOW = NOW_S * 1000;
const intent = { document: refund('doubt', { timestamp: NOW_S }), hash: 'sha256:0' };
const policy = { maxAgeMs: 300_000, maxSkewMs: 30_000, minTrust: null };
const memory = { forgottenUntil: () => 0 };
const facts = {
  memory,
  hooks: [],
  approving: () => ({ spent: null, judge: () => ({ by: 0, problems: [] }) }),
  standing: () => null,
  now: NOW,
  wallNow: NOW,
} as unknown as Facts;
const found = readPassport(fixtureBytes('passport-support-agent.json'));

/** Callers of the library may be wrong about types; whatever cannot be compared must not pass. */
const identified = (changes: object): Identified =>
  ({ intent, passport: found, limits: [], policy, facts, believed: [], ...changes }) as unknown as Identified;
const refusedOrThrown = (judge: () => Verdict): boolean => {
  try {
    return judge().status === 'failed';
  } catch {
    return true;
  }
};

describe('what is no number does not pass', () => {
  test('while what is one does', () => {
    expect(timestamp(identified({})).status).toBe('passed');
  });

  test.each([
    { policy: { ...policy, maxAgeMs: NaN } },
    { policy: { ...policy, maxAgeMs: undefined } },
    { policy: { ...policy, maxSkewMs: NaN } },
    { policy: { ...policy, maxSkewMs: undefined } },
    { facts: { ...facts, now: NaN } },
    { facts: { ...facts, now: undefined } },
  ])('for freshness: %o', (changes) => {
    expect(refusedOrThrown(() => timestamp(identified(changes)))).toBe(true);
  });

  test.each([NaN, undefined])('for the end of a passport: %s', (now) => {
    const claim = { intent, finding: { status: 'found', passport: { ...found, expiresAt: NOW } }, pins: pinsOf, now };
    expect(refusedOrThrown(() => passport(claim as unknown as NativeClaim))).toBe(true);
    expect(passport({ ...claim, now: NOW - 1 } as unknown as NativeClaim).status).toBe('passed');
  });

  test.each([
    { ageMs: NaN, maxAgeMs: 30_000 },
    { ageMs: undefined, maxAgeMs: 30_000 },
    { ageMs: 5, maxAgeMs: NaN },
  ])('for the age of the revocations: %o', (age) => {
    const freshness = { mesh: true, onStale: 'deny', ...age };
    expect(
      refusedOrThrown(() => revocation(identified({ facts: { ...facts, freshness } }), 'did:web:acme.com', [])),
    ).toBe(true);
  });
});

test('an intent that may have been spent when the last forgotten nonce was is refused, and a later one passes', () => {
  const spendable = NOW - policy.maxSkewMs;
  const when = (until: number) =>
    timestamp(identified({ facts: { ...facts, memory: { forgottenUntil: () => until } } })).status;
  expect([when(spendable), when(spendable - 1)]).toEqual(['failed', 'passed']);
});

test('a hook that says what nobody knows has not allowed anything', () => {
  const saying = (result: unknown) => hooks(identified({ facts: { ...facts, hooks: [{ hook: 'own', result }] } }));
  expect(saying('allow').status).toBe('passed');
  for (const result of ['Allow', 'deny', true, undefined, null]) expect(saying(result).status).toBe('failed');
});

describe('an integer that JSON readers round', () => {
  // Signed is the nearest double, which `allowed_orders` might hold; Python would read, and act on, what is written.
  const text = (digits: string, target = '') => {
    const { signature, ...unsigned } = refund('large', { timestamp: NOW_S, params: { order: 1 } });
    const bytes = Buffer.from(intentBytes(unsigned as never)).toString('utf8');
    return `${bytes.replace('"order":1', `"order":${digits}`).slice(0, -1)}${target},"signature":"${String(signature)}"}`;
  };
  const reasonOf = (document: string) => {
    const trusting = { passport: () => ({ status: 'unknown' as const }), pins: () => [] };
    const setting = { trusting, policy, signatureHolds: () => false, now: NOW, startedAt: 0 };
    const examined = examine({ bytes: document, source: null }, setting);
    return 'decision' in examined ? examined.decision.error_code : 'read';
  };

  test.each(['9007199254740993', '-9007199254740993', '12345678901234567891', `1${'0'.repeat(30)}1`])(
    'makes %s no intent',
    (digits) => {
      expect(reasonOf(text(digits))).toBe('AIP-E100');
      expect(reasonOf(text(`[{"a":${digits}}]`))).toBe('AIP-E100');
    },
  );

  test.each([
    '9007199254740991',
    '9007199254740992',
    '-9007199254740992',
    '1000000000000000000000',
    '"9007199254740993"',
  ])('is not %s', (digits) => {
    expect(reasonOf(text(digits))).toBe('read');
  });
});
