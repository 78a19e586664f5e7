/** Which refusals spend a nonce, and for how long it is kept: both decide whether a captured intent can be held back. */
import { describe, expect, test } from 'vitest';
import { passportOf } from '../../src/protocol/passport.js';
import { refund } from '../kit/native/intent-parts.js';
import { line, NOW_S } from '../kit/native/parts.js';
import { passport } from '../kit/native/passport-cases.js';
import { pinsOf } from '../kit/native/vectors.js';
import { judgedIn, RecordingMemory, sittingAt } from '../kit/verification/sitting.js';
import type { Sitting } from '../../src/app/verification/sitting.js';

const NOW = NOW_S * 1000;
const POLICY = { maxAgeMs: 300_000, maxSkewMs: 30_000, minTrust: 0.5 };
const trusting = {
  passport: () => ({
    status: 'found' as const,
    passport: passportOf(passport('support-agent-v1', { constraints: { monetary_limit: 100 } })),
  }),
  pins: pinsOf,
};
const history = { total: 9, successful: 1, violations: 8, revocations: 0, attestationChanges: 0 };

function judged(changes: object = {}, known: Partial<Sitting> = {}, policy: object = {}) {
  const memory = new RecordingMemory();
  const good: Partial<Sitting> = { trust: () => ({ score: 0.9, meaningful: true, history }) };
  const bytes = line(refund('final', { params: { amount: 5 }, ...changes }));
  const sitting = sittingAt(NOW, memory, { ...good, ...known });
  const { judgement } = judgedIn(sitting, { bytes, source: null }, trusting, { ...POLICY, ...policy });
  return { code: judgement.decision.error_code, spent: memory.spendings[0] ?? null };
}

describe('a refusal that may change spends the nonce', () => {
  test('a low trust score, which may rise', () => {
    const { code, spent } = judged({}, { trust: () => ({ score: 0.4, meaningful: true, history }) });
    expect(code).toBe('AIP-E404');
    expect(spent).toMatchObject({ firstResult: 'AIP-E404' });
  });

  test.each([
    ['what is never allowed', { action: 'wire_out' }, 'AIP-E201'],
    ['what the schema of limits refuses', { params: { amount: -1 } }, 'AIP-E211'],
    ['an amount above the limit', { params: { amount: 5000 } }, 'AIP-E202'],
    ['an old intent', { timestamp: NOW_S - 301 }, 'AIP-E302'],
  ])('%s spends nothing', (_, changes, code) => {
    expect(judged(changes)).toEqual({ code, spent: null });
  });
});

describe('a nonce is kept', () => {
  test.each([
    ['for twice the window after its judgement', {}, {}, NOW + 600_000],
    ['from its date on where that is later', { timestamp: NOW_S + 30 }, {}, NOW + 630_000],
    ['for twice a window that is longer than the usual one', {}, { maxAgeMs: 3_600_000 }, NOW + 7_200_000],
    ['no shorter for a verifier that is stricter than others', {}, { maxAgeMs: 1000 }, NOW + 600_000],
    ['no shorter for an older date', { timestamp: NOW_S - 200 }, {}, NOW + 600_000],
  ])('%s', (_, changes, policy, until) => {
    const { code, spent } = judged(changes, {}, policy);
    expect(code).toBeNull();
    expect(spent!.keepUntil).toBe(until);
  });
});
