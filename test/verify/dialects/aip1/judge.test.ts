import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Value } from '../../../../src/protocol/aip1/encoding/numbers.js';
import { verifyKeyOf } from '../../../../src/protocol/ed25519/verify.js';
import { fromHex } from '../../../../src/protocol/hex.js';
import { passportOf } from '../../../../src/protocol/passport.js';
import type { HookOutcome, Policy, StandingRecord } from '../../../../src/verify/context.js';
import type { Meter, MeterReading } from '../../../../src/verify/meters.js';
import type { Trusting } from '../../../../src/verify/trusting.js';
import type { Sitting } from '../../../../src/app/verification/sitting.js';
import { judgedIn, RecordingMemory, sittingAt, type Outside } from '../../../kit/verification/sitting.js';
import { NO_ENVELOPE_TRUST, type EnvelopeTrust } from '../../../../src/verify/dialects/aip1/trust.js';
import { judgeCase, type CaseSetting } from '../../../../src/app/conformance/run.js';
import { AIP1_STEPS } from '../../../../src/verify/dialects/aip1/pipeline.js';
import { rfcTrustScore } from '../../../../src/protocol/aip1/trust-score.js';
import { AGENT, AT, bent, KEYS, NOW, passport, signed, text, type Bends } from '../../../kit/conformance/parts.js';

const given: CaseSetting = { public_key: KEYS.agent };
const answer = (document: string, more: CaseSetting = given) =>
  judgeCase({ name: 'judge', shows: '', documents: [document], given: more, expect: { code: null } }, AT)[0]!;

interface Known extends Partial<Sitting>, Outside {
  readonly reads?: (meter: Meter) => MeterReading;
}

/** One judgement with facts and trust of the test's own. */
function judged(bends: Bends, { reads, hooks, ...known }: Known = {}, trust: Partial<Trusting & EnvelopeTrust> = {}) {
  const memory = new RecordingMemory(reads ?? null);
  const sitting = sittingAt(NOW, known.memory === null ? null : memory, known);
  const publicKey = verifyKeyOf(fromHex(KEYS.agent)!);
  const trusting: Trusting = {
    passport: () => ({ status: 'unknown' }),
    pins: () => [],
    envelopes: { ...NO_ENVELOPE_TRUST, publicKey, ...trust },
    ...trust,
  };
  const submission = { bytes: text(signed('judge', bends)), source: null };
  const once = () => judgedIn(sitting, submission, trusting, POLICY, { hooks: hooks ?? [] }).judgement;
  return { ...once(), memory, spend: memory.spendings[0] ?? null, usage: memory.usages[0] ?? null, again: once };
}

const REVOKED: StandingRecord = {
  subject: AGENT,
  status: 'revoked',
  reason: 'test',
  changedAt: NOW,
  changedBy: null,
  suspendedUntil: null,
  version: 1,
};

const POLICY: Policy = { maxAgeMs: 300_000, maxSkewMs: 30_000, minTrust: null };

describe('a decision', () => {
  test('has every key, and every step, in the order of RFC-001', () => {
    const { decision, concern } = answer(text(signed('decision')));
    expect(decision).toMatchObject({
      success: true,
      dialect: 'aip-1',
      agent_id: AGENT,
      action: 'transfer_funds',
      error_code: null,
    });
    expect(decision.intent_hash).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(decision.checks.map(({ check }) => check)).toEqual(AIP1_STEPS);
    expect(concern).toBeNull();
  });

  test('skips what its tier does not ask, and says so', () => {
    const { decision } = answer(text(signed('tier', { verification_tier: 'tier_0' })));
    const skipped = decision.checks.filter(({ status }) => status === 'skipped').map(({ check }) => check);
    expect(skipped).toEqual(['mandate', 'hooks', 'attestation', 'drift', 'delegation', 'trust']);
  });

  test.each([
    ['a refused form', {}, { protocol_version: '9' }, 'who', 'AIP-E104'],
    ['an expired envelope', {}, { expires_at: '2024-01-01T00:00:00Z' }, 'when', 'AIP-E101'],
    ['a bad nonce', {}, { entropy: 'nonce:1' }, 'when', 'AIP-E105'],
    ['another key', { publicKey: null }, {}, 'who', 'AIP-E100'],
    ['an action', {}, { 'intent.action': 'x' }, 'what', 'AIP-E200'],
    ['a delegation', {}, { verification_tier: 'tier_2', 'principal.delegation_chain': [] }, 'standing', 'AIP-E403'],
  ] as const)('about %s', (_, claim, bends, concern, code) => {
    const judgement = judged(bends, {}, claim);
    expect(judgement.concern).toBe(concern);
    expect(judgement.decision.error_code).toBe(code);
    expect(judgement.decision.checks.filter(({ status }) => status === 'failed')).toHaveLength(1);
  });

  test('believes nothing of a document that is no envelope', () => {
    const { decision } = answer('{"@type":"IntentEnvelope","agent":{"id":"did:web:acme.com:agents:x"}}');
    expect(decision).toMatchObject({ agent_id: null, action: null, intent_hash: null, error_code: 'AIP-E103' });
    expect(decision.revocation.status).toBe('unknown');
  });

  test('says who is revoked also where nothing was ever heard of the mesh', () => {
    const unheard = { mesh: true, ageMs: null, maxAgeMs: 5000, onStale: 'last-known' as const };
    const claimed = 'did:web:other.com';
    const standing = (subject: string) => (subject === claimed ? REVOKED : null);
    const { decision } = judged({ 'principal.id': claimed }, { freshness: unheard, standing });
    expect(decision.error_code).toBe('AIP-E402');
    expect(decision.revocation.status).toBe('revoked');
    expect(judged({}, { freshness: unheard }).decision.revocation.status).toBe('unknown');
  });

  test('collects all violations of the boundaries, the first as the reference says them', () => {
    const bends = {
      'boundaries.denied_actions': ['transfer_funds'],
      'boundaries.allowed_actions': ['read_invoice'],
      'intent.parameters.amount': 501,
    };
    expect(judged(bends).decision.violations.map(({ error_code }) => error_code)).toEqual([
      'AIP-E201',
      'AIP-E200',
      'AIP-E202',
    ]);
  });
});

describe('nonces', () => {
  test('an accepted envelope spends its nonce until it can no longer be in force', () => {
    const { spend } = judged({ expires_at: '2026-02-14T20:00:00Z', ttl: 28_800 });
    expect(spend!.nonce).toBe((signed('judge') as { entropy: string }).entropy);
    expect(spend!.keepUntil).toBeGreaterThanOrEqual(Date.parse('2026-02-14T20:00:30Z'));
  });

  test.each([
    ['a window', { 'boundaries.time_window': { start: '2026-03-01T00:00:00Z', end: '2026-04-01T00:00:00Z' } }, {}],
    ['a sum', {}, { reads: () => ({ kind: 'sum' as const, spent: 500_000n }) }],
    ['its standing', {}, { standing: (subject: string) => (subject === AGENT ? REVOKED : null) }],
  ])('so does one that was refused for %s, which may change', (_, bends, facts) => {
    const { decision, spend } = judged(bends, facts);
    expect(decision.success).toBe(false);
    expect(spend).not.toBeNull();
  });

  test.each([
    ['another key', {}, { publicKey: null }, {}],
    ['an expired envelope', { expires_at: '2024-01-01T00:00:00Z' }, {}, {}],
    ['an action that is never allowed', { 'intent.action': 'x' }, {}, {}],
    ['an amount above the cap', { 'intent.parameters.amount': 501 }, {}, {}],
    [
      'a stale copy of the revocations',
      {},
      {},
      { freshness: { mesh: true, ageMs: null, maxAgeMs: 5000, onStale: 'deny' as const } },
    ],
  ])('%s spends nothing', (_, bends, claim, facts) => {
    expect(judged(bends, facts, claim).spend).toBeNull();
  });

  test('a replay is refused, and spends nothing more', () => {
    const { again, memory } = judged({ 'intent.parameters.amount': 5 });
    expect(again().decision.error_code).toBe('AIP-E102');
    expect(memory.spendings).toHaveLength(1);
    expect(memory.usages).toHaveLength(1);
  });

  test('an approval that is missing leaves it open', () => {
    const hook: HookOutcome = { hook: 'two eyes', result: 'require-approval', reason: 'a person must see this' };
    const open = judged({}, { hooks: [hook] });
    expect(open.decision.error_code).toBe('AIP-E209');
    expect(open.spend).toBeNull();
    expect(judged({}, { hooks: [hook], approved: () => true }).decision.success).toBe(true);
  });

  test('a verifier without state says that it did not ask, and adds nothing up', () => {
    const uncapped = { 'boundaries.monetary_limit.per_day': 0 };
    const { decision } = judged(uncapped, { memory: null });
    expect(decision.success).toBe(true);
    expect(decision.checks.find(({ check }) => check === 'replay')).toMatchObject({ status: 'skipped' });
    expect(judged({}, { memory: null }).decision.error_code).toBe('AIP-E202');
  });
});

describe('what is counted', () => {
  test('is the amount, up to the next minor unit', () => {
    expect(judged({ 'intent.parameters.amount': 45.55 }).usage).toMatchObject({ currency: 'USD', amountMinor: 4555n });
    expect(judged({ 'intent.parameters.amount': 0.001 }).usage).toMatchObject({ currency: 'USD', amountMinor: 1n });
    expect(judged({ 'intent.parameters.amount_minor': 7 }).usage).toMatchObject({ currency: 'USD', amountMinor: 7n });
  });

  test.each([
    ['a refund', { 'intent.parameters.amount': -5 }],
    ['nothing', { 'intent.parameters.amount': 0 }],
    ['no amount', { 'intent.parameters.amount': undefined }],
    ['a refused amount', { 'intent.parameters.amount': 501 }],
  ])('not %s', (_, bends) => {
    expect(judged(bends).usage).toBeNull();
  });
});

describe('the cage of an agent itself', () => {
  const known = { passport: passport(), principal_key: KEYS.principal };

  test('is flagged while nothing else is known, and not afterwards', () => {
    const within = text(signed('cage', { 'intent.parameters.amount': 50 }));
    expect(answer(within).decision.warnings.map(({ code }) => code)).toEqual([
      'self_declared_boundaries',
      'unbound_key',
    ]);
    expect(answer(within, known).decision.warnings).toEqual([]);
  });

  test('no widening gets past the passport', () => {
    const widenings = fc.record({
      'boundaries.allowed_actions': fc.constantFrom([], ['transfer_funds'], ['wire_out', 'transfer_funds']),
      'boundaries.denied_actions': fc.constant([]),
      'boundaries.monetary_limit.per_transaction': fc.constantFrom(0, 1e6, 1e15),
      'boundaries.monetary_limit.per_day': fc.constantFrom(0, 1e15),
      'intent.parameters.amount': fc.integer({ min: 101, max: 1_000_000 }),
      verification_tier: fc.constantFrom('tier_0', 'tier_1', 'tier_2'),
    });
    fc.assert(
      fc.property(widenings, (bends) => {
        expect(answer(text(signed('widened', bends)), known).decision.error_code).toBe('AIP-E202');
      }),
      { numRuns: 50 },
    );
  });
});

describe('whatever is done to a signed envelope', () => {
  const whole = text(signed('mutation'));

  test('cutting, doubling or changing bytes never makes a yes, and never a crash', () => {
    const bytes = Buffer.from(whole);
    const edit = fc.record({
      at: fc.nat(bytes.length - 1),
      byte: fc.nat(255),
      kind: fc.constantFrom('set', 'cut', 'insert'),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        let changed = Buffer.from(bytes);
        for (const { at, byte, kind } of edits) {
          const tail = changed.subarray(kind === 'insert' ? at : at + 1);
          changed = Buffer.concat([changed.subarray(0, at), kind === 'cut' ? Buffer.alloc(0) : Buffer.of(byte), tail]);
        }
        const said = judgeCase(
          { name: 'm', shows: '', bytes: changed.toString('base64'), given, expect: { code: null } },
          AT,
        )[0]!;
        // White space, and the members of the proof that nobody signs, are all that may differ.
        if (said.decision.success) expect(unsigned(changed.toString())).toEqual(unsigned(whole));
      }),
      { numRuns: 300 },
    );
  });

  test('no other value of any signed member is accepted', () => {
    const paths = [
      'agent.version',
      'agent.runtime',
      'principal.type',
      'intent.action',
      'intent.target',
      'ttl',
      'issued_at',
      'entropy',
    ];
    const values: Value[] = ['x', 'individual', 'read_invoice', 299, '2026-02-14T12:00:01Z', `nonce:${'b'.repeat(32)}`];
    for (const path of paths) {
      for (const value of values)
        expect(answer(text(bent(signed('mutation'), { [path]: value }))).decision.success).toBe(false);
    }
  });

  function unsigned(document: string): unknown {
    const { proof, ...rest } = JSON.parse(document) as Record<string, unknown>;
    return { rest, value: (proof as { proof_value: string }).proof_value.replace(/=+$/, '') };
  }
});

describe('RFC-001 trust', () => {
  const history = {
    total: 100,
    successful: 100,
    violations: 0,
    revocations: 0,
    attestationChanges: 0,
    delegationDepth: 1,
  };

  // Worked out by hand from the weights of section 9.2.
  test.each([
    [history, 1],
    [{ ...history, total: 10, successful: 10 }, 0.91],
    [{ ...history, total: 10, successful: 5, violations: 5 }, 0.61],
    [{ ...history, revocations: 1 }, 0.955],
    [{ ...history, revocations: 4 }, 0.85],
    [{ ...history, attestationChanges: 2 }, 0.97],
    [{ ...history, attestationChanges: 99 }, 0.9],
    [{ ...history, delegationDepth: 3 }, 0.98],
    [{ ...history, delegationDepth: 9 }, 0.95],
    [{ ...history, total: 1, successful: 0, violations: 1 }, 0.301],
    [{ ...history, total: 0, successful: 0 }, 0],
    [null, 0],
  ])('%j gives %d', (past, score) => expect(rfcTrustScore(past)).toBe(score));
});

test('a passport found for one agent does not speak for another', () => {
  const finding = { status: 'found' as const, passport: passportOf(passport()) };
  const pins = () => [{ keyId: 'x', key: verifyKeyOf(fromHex(KEYS.principal)!)! }];
  const other = judged(
    { 'agent.id': 'did:web:acme.com:agents:other' },
    {},
    { passport: () => finding, pins, publicKey: null },
  );
  expect(other.decision.error_code).toBe('AIP-E406');
});
