/** The verifier's own policy holds in every dialect and tier: the one who is judged does not choose how. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Sitting } from '../../src/app/verification/sitting.js';
import type { Json, JsonObject } from '../../src/protocol/json/values.js';
import { passportOf } from '../../src/protocol/passport.js';
import type { Trusting } from '../../src/verify/trusting.js';
import type { HookOutcome, Policy } from '../../src/verify/context.js';
import { NO_ENVELOPE_TRUST, type EnvelopeTrust } from '../../src/verify/dialects/aip1/trust.js';
import { sharedKeys } from '../../src/verify/dialects/aip1/hmac-keys.js';
import { HMAC_KEY, link, macked, signed, text, type Bends } from '../kit/conformance/parts.js';
import { refund } from '../kit/native/intent-parts.js';
import { line, NOW_S, PRINCIPAL, seedOf, SUPPORT } from '../kit/native/parts.js';
import { passport } from '../kit/native/passport-cases.js';
import { pinsOf } from '../kit/native/vectors.js';
import { judgedIn, RecordingMemory, sittingAt } from '../kit/verification/sitting.js';

const NOW = NOW_S * 1000;
const known = passportOf(
  passport('support-agent-v1', {
    actions: ['issue_refund'],
    constraints: { monetary_limit: 100, geo_restriction: ['DE'] },
  }),
);
const POLICY: Policy = { maxAgeMs: 300_000, maxSkewMs: 30_000, minTrust: null };
const TIERS = ['tier_0', 'tier_1', 'tier_2'] as const;

interface Asked {
  readonly amount: number;
  /** Seconds before now. */
  readonly age: number;
  readonly policy: Policy;
  readonly known: Partial<Sitting>;
  readonly hooks: readonly HookOutcome[];
  readonly passport?: Trusting['passport'];
}

const codeOf = (...parts: Parameters<typeof decisionOn>) => decisionOn(...parts).error_code;

function decisionOn(
  bytes: string,
  { policy, known: facts, hooks, passport: finding }: Asked,
  trust: Partial<EnvelopeTrust> = {},
) {
  const trusting = {
    passport: finding ?? (() => ({ status: 'found' as const, passport: known })),
    pins: pinsOf,
    envelopes: { ...NO_ENVELOPE_TRUST, ...trust },
  };
  const sitting = sittingAt(NOW, new RecordingMemory(), facts);
  return judgedIn(sitting, { bytes, source: null }, trusting, policy, { hooks }).judgement.decision;
}

const inNative = (asked: Asked) =>
  codeOf(line(refund('same', { params: { amount: asked.amount }, timestamp: NOW_S - asked.age })), asked);

const bendsOf = ({ amount, age }: Asked, more: Bends): Bends => ({
  'agent.id': SUPPORT,
  'principal.delegation_chain': [link(PRINCIPAL, SUPPORT)],
  'intent.action': 'issue_refund',
  'intent.parameters': { amount },
  'boundaries.allowed_actions': [],
  issued_at: new Date((NOW_S - age) * 1000).toISOString().replace('.000Z', 'Z'),
  ttl: 86_400,
  expires_at: '2026-12-31T00:00:00Z',
  ...more,
});
const inAip1 = (asked: Asked, tier: (typeof TIERS)[number], more: Bends = {}) =>
  codeOf(text(signed('same', bendsOf(asked, { verification_tier: tier, ...more }), seedOf('agent'))), asked);

const asking = (changes: Partial<Asked> = {}): Asked => ({
  amount: 5,
  age: 0,
  policy: POLICY,
  known: { geo: 'DE' },
  hooks: [],
  ...changes,
});
const history = { total: 9, successful: 9, violations: 0, revocations: 0, attestationChanges: 0 };

test('what is refused as an intent is refused as an envelope, of whatever tier and lifetime', () => {
  const cases = fc.record({
    amount: fc.constantFrom(5, 100, 101),
    age: fc.constantFrom(0, 10, 11, 300, 301, 80_000, -30, -31),
    maxAgeMs: fc.constantFrom(10_000, 300_000, 86_400_000),
    minTrust: fc.constantFrom(null, 0.5, 0.9),
    score: fc.constantFrom(null, 0.4, 0.5, 1),
    geo: fc.constantFrom(null, 'DE', 'FR'),
    rejects: fc.boolean(),
    tier: fc.constantFrom(...TIERS),
    ttl: fc.constantFrom(1, 300, 86_400),
  });
  const seen = { refused: 0, accepted: 0 };
  fc.assert(
    fc.property(cases, ({ amount, age, maxAgeMs, minTrust, score, geo, rejects, tier, ttl }) => {
      const rejection: HookOutcome = {
        hook: 'own',
        result: 'reject',
        violation: { entry: { code: 'X-1', name: 'no', concern: 'approval' }, message: 'no', details: {} },
      };
      const asked: Asked = {
        amount,
        age,
        policy: { maxAgeMs, ageLimitMs: maxAgeMs, maxSkewMs: 30_000, minTrust },
        known: { geo, trust: () => (score === null ? null : { score, meaningful: true, history }) },
        hooks: rejects ? [rejection] : [],
      };
      const refused = inNative(asked) !== null;
      seen[refused ? 'refused' : 'accepted'] += 1;
      if (refused) expect(inAip1(asked, tier, { ttl })).not.toBeNull();
    }),
    { numRuns: 400 },
  );
  expect(Math.min(seen.refused, seen.accepted)).toBeGreaterThan(5);
});

test('what a passport refuses under any name of a param is refused as an envelope too', () => {
  const limits = {
    monetary_limit: 100,
    allowed_domains: ['acme.com'],
    allowed_environments: ['staging'],
    denied_regions: ['mars'],
    max_instances: 10,
    require_change_ticket: true,
  };
  const limited = passportOf(
    passport('support-agent-v1', { actions: ['issue_refund'], constraints: { currency: 'USD', ...limits } }),
  );
  const words = fc.constantFrom<[readonly string[], readonly Json[]]>(
    [['amount'], [5, 100, 101]],
    [
      ['grand', 'total'],
      [5, 101, '1,000.00', '$101'],
    ],
    [
      ['callback', 'url'],
      ['https://acme.com/x', 'https://evil.com/x', 'acme.com', 'paris'],
    ],
    [['recipient'], ['a@acme.com', 'a@evil.com', ['a@acme.com', 'b@evil.com']]],
    [['env'], ['staging', 'production']],
    [['stage'], ['staging', 'Production ']],
    [['region'], ['venus', ' MARS']],
    [['instances'], [10, 11]],
    [
      ['desired', 'count'],
      [10, 11],
    ],
    [['note'], ['about a price of 500', 'see https://evil.com for more']],
  );
  const spelled = fc.constantFrom<(words: readonly string[]) => string>(
    (each) => each.join('_'),
    (each) => each.join('-').toUpperCase(),
    (each) => each.map((word, i) => (i === 0 ? word : word[0]!.toUpperCase() + word.slice(1))).join(''),
    (each) => each.join('_').replace(/[a-z_]/g, (letter) => String.fromCodePoint(letter.codePointAt(0)! + 0xfee0)),
  );
  const member = fc
    .record({ words, spelled, at: fc.nat(3), nested: fc.constantFrom('none', 'object', 'list') })
    .map(({ words: [names, values], spelled: spell, at, nested }): JsonObject => {
      const own = { [spell(names)]: values[at % values.length]! };
      return nested === 'none' ? own : nested === 'object' ? { config: own } : { list: [own] };
    });
  const cases = fc.record({
    members: fc.array(member, { maxLength: 3 }),
    ticket: fc.constantFrom('T-1', '', ' ', null),
  });
  const seen = { refused: 0, accepted: 0 };
  const finding = { passport: () => ({ status: 'found' as const, passport: limited }) };
  fc.assert(
    fc.property(cases, fc.constantFrom(...TIERS), ({ members, ticket }, tier) => {
      const params = Object.assign({}, ...members, { change_ticket: ticket }) as JsonObject;
      const asked = asking(finding);
      const refused = codeOf(line(refund('named', { params })), asked) !== null;
      seen[refused ? 'refused' : 'accepted'] += 1;
      if (refused) expect([params, inAip1(asked, tier, { 'intent.parameters': params })]).not.toEqual([params, null]);
    }),
    { numRuns: 600 },
  );
  expect(Math.min(seen.refused, seen.accepted)).toBeGreaterThan(20);
});

describe('honest envelopes pass', () => {
  test.each(TIERS)('%s, as the intent does', (tier) => {
    expect([inNative(asking()), inAip1(asking(), tier)]).toEqual([null, null]);
  });
  test('also old ones that live long, where no age is set', () => {
    expect(inAip1(asking({ age: 80_000 }), 'tier_1')).toBeNull();
  });
  test('with a good score where one is asked for', () => {
    const trusted = asking({
      policy: { ...POLICY, minTrust: 0.5 },
      known: { geo: 'DE', trust: () => ({ score: 0.9, meaningful: true, history: { ...history, total: 0 } }) },
    });
    for (const tier of TIERS) expect(inAip1(trusted, tier)).toBeNull();
  });
});

describe('a lifetime', () => {
  const aged = (age: number, more: Bends, ageLimitMs?: number) =>
    inAip1(asking({ age, policy: { ...POLICY, ...(ageLimitMs === undefined ? {} : { ageLimitMs }) } }), 'tier_0', more);
  test.each([
    ['ttl binds though the expiry is later', 61, { ttl: 60 }, undefined, 'AIP-E101'],
    ['exactly at its ttl it holds', 60, { ttl: 60 }, undefined, null],
    ['the expiry binds though the ttl is longer', 61, { expires_at: at(0) }, undefined, 'AIP-E101'],
    ['300 s bind where no expiry is said', 301, { expires_at: null }, undefined, 'AIP-E101'],
    ['the age that is set binds, whatever it says', 11, {}, 10_000, 'AIP-E101'],
    ['exactly at that age it holds', 10, {}, 10_000, null],
  ] as const)('%s', (_, age, more, limit, code) => {
    expect(aged(age, more, limit)).toBe(code);
  });
  function at(secondsAgo: number): string {
    return new Date((NOW_S - 1 - secondsAgo) * 1000).toISOString().replace('.000Z', 'Z');
  }
});

describe('an HMAC', () => {
  const other = 'did:web:acme.com:agents:other';
  const proved = text(macked('mac', bendsOf(asking(), { verification_tier: 'tier_0' })));
  const unknown = { ...asking(), passport: () => ({ status: 'unknown' as const }) };
  const warned = (sharedKey: EnvelopeTrust['sharedKey']) => {
    const { error_code, warnings } = decisionOn(proved, unknown, { sharedKey });
    return [error_code, warnings.some(({ code }) => code === 'shared_key')];
  };

  test('does not speak for an agent whose passport is known', () => {
    expect(codeOf(proved, asking(), { sharedKey: sharedKeys(new Map(), HMAC_KEY) })).toBe('AIP-E100');
    expect(codeOf(proved, asking(), { sharedKey: sharedKeys(new Map([[SUPPORT, HMAC_KEY]]), null) })).toBe('AIP-E100');
  });
  test('does not speak for an agent that a mandate was given for', () => {
    const sharedKey = sharedKeys(new Map([[SUPPORT, HMAC_KEY]]), null);
    const given = { sharedKey, mandate: () => ({ status: 'unreadable' as const, reason: 'a test' }) };
    expect(decisionOn(proved, unknown, given).error_code).toBe('AIP-E100');
  });
  test('of a key that is bound to its agent counts without a word', () => {
    expect(warned(sharedKeys(new Map([[SUPPORT, HMAC_KEY]]), null))).toEqual([null, false]);
  });
  test('of a key that is bound to another agent does not count', () => {
    expect(warned(sharedKeys(new Map([[other, HMAC_KEY]]), null))).toEqual(['AIP-E100', false]);
  });
  test.each([
    ['a key for all', sharedKeys(new Map(), HMAC_KEY)],
    [
      'one key for two agents',
      sharedKeys(new Map(['did:web:acme.com:agents:other', SUPPORT].map((id) => [id, HMAC_KEY])), null),
    ],
    ['a bound key that is also the one for all', sharedKeys(new Map([[SUPPORT, HMAC_KEY]]), HMAC_KEY)],
  ])('of %s is warned of', (_, keys) => {
    expect(warned(keys)).toEqual([null, true]);
  });
});

describe('the dialects that are accepted', () => {
  test.each([
    [['native'], null, 'AIP-E103'],
    [['aip-1'], 'AIP-E100', null],
    [['native', 'aip-1'], null, null],
    [[], 'AIP-E100', 'AIP-E103'],
  ] as const)('%j', (dialects, native, aip1) => {
    const asked = asking({ policy: { ...POLICY, dialects } });
    expect([inNative(asked), inAip1(asked, 'tier_1')]).toEqual([native, aip1]);
  });
});
