import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GUIDE_RULES, ruleName, type TrustRules } from '../../src/trust/rules.js';
import {
  newcomer,
  observe,
  parseTrustState,
  readTrust,
  type Observed,
  type TrustEvent,
} from '../../src/trust/score.js';

const T0 = 1_771_424_625_000;
const HOUR = 3_600_000;

function entry(seq: number, code: string | null, changes: Partial<Observed> = {}): Observed {
  return {
    seq,
    at: T0 + seq * 1000,
    action: 'issue_refund',
    status: code === null ? 'success' : 'failed',
    error_code: code,
    dialect: 'native',
    details: null,
    erased: null,
    ...changes,
  };
}

function fold(entries: readonly Observed[], rules: TrustRules = GUIDE_RULES) {
  const state = newcomer(rules);
  for (const each of entries) observe(state, each, rules);
  return state;
}

const codes = (...list: (string | null)[]) => list.map((code, i) => entry(i + 1, code));
const after = (list: readonly Observed[], rules = GUIDE_RULES) =>
  readTrust(fold(list, rules), rules, Math.max(T0, ...list.map(({ at }) => at)));

describe("the guide's model", () => {
  test('starts at 0.5 and means nothing before 10 verifications', () => {
    expect(after([])).toMatchObject({ score: 0.5, meaningful: false, verifications: 0, updatedAt: null });
    expect(after(codes(...Array<null>(9).fill(null)))).toMatchObject({ score: 0.59, meaningful: false });
    expect(after(codes(...Array<null>(10).fill(null)))).toMatchObject({ score: 0.6, meaningful: true });
  });

  test('gains 0.01 and loses 0.05, to the last digit', () => {
    // Doubles would say 0.5800000000000001 after 0.5 + 18 * 0.01 - 2 * 0.05.
    const eighteen = Array<null>(18).fill(null);
    expect(after(codes(...eighteen, 'AIP-E202', 'AIP-E203')).score).toBe(0.58);
    expect(after(codes('AIP-E202', null, 'AIP-E203')).score).toBe(0.41);
  });

  test('stays between 0 and 1', () => {
    expect(after(codes(...Array<null>(200).fill(null))).score).toBe(1);
    expect(after(codes(...Array<string>(30).fill('AIP-E202'))).score).toBe(0);
    expect(after(codes(...Array<null>(200).fill(null), 'AIP-E201')).score).toBe(0.95);
  });

  test('loses 0.001 for each whole idle hour, and none for less', () => {
    const one = fold([entry(1, null)]);
    const at = T0 + 1000;
    expect(readTrust(one, GUIDE_RULES, at + HOUR - 1).score).toBe(0.51);
    expect(readTrust(one, GUIDE_RULES, at + HOUR).score).toBe(0.509);
    expect(readTrust(one, GUIDE_RULES, at + 24 * HOUR).score).toBe(0.486);
    expect(readTrust(one, GUIDE_RULES, at + 10_000 * HOUR).score).toBe(0);
    expect(readTrust(one, GUIDE_RULES, at - HOUR).score).toBe(0.51);
    expect(after([entry(1, null), entry(2, null, { at: at + 2 * HOUR })]).score).toBe(0.518);
  });

  test('reading changes nothing', () => {
    const state = fold([entry(1, null)]);
    const before = JSON.stringify(state);
    readTrust(state, GUIDE_RULES, T0 + 500 * HOUR);
    expect(JSON.stringify(state)).toBe(before);
  });
});

describe('only what an agent can be held to counts', () => {
  test.each([
    ['native', 'AIP-E100'],
    ['native', 'AIP-E101'],
    ['native', 'AIP-E102'],
    ['native', 'AIP-E104'],
    ['native', 'AIP-E301'],
    ['native', 'AIP-E302'],
    ['native', 'AIP-E304'],
    ['native', 'AIP-E209'],
    ['native', 'AIP-E213'],
    ['native', 'AIP-E214'],
    ['native', 'AIP-E405'],
    ['native', 'AIP-E500'],
    ['aip-1', 'AIP-E100'],
    ['aip-1', 'AIP-E102'],
    // A low score must not lower itself.
    ['native', 'AIP-E404'],
    ['aip-1', 'AIP-E404'],
  ] as const)('%s %s moves nothing, however often', (dialect, code) => {
    const rubbish = Array.from({ length: 50 }, (_, i) => entry(i + 2, code, { dialect }));
    expect(fold([entry(1, null), ...rubbish])).toEqual(fold([entry(1, null)]));
  });

  test('a person who is asked, and says yes, brings no agent down', () => {
    const deploys = Array.from({ length: 12 }, (_, i) => entry(i + 1, i % 2 === 0 ? 'AIP-E209' : null));
    expect(readTrust(fold(deploys), GUIDE_RULES, T0).score).toBeGreaterThanOrEqual(0.5);
    expect(fold(deploys)).toMatchObject({ verifications: 6, violations: 0 });
  });

  test('a revoked agent is not revoked more by being asked for', () => {
    const revoked = (seq: number) => entry(seq, 'AIP-E401', { details: { revoked_at: 'a' } });
    expect(fold([entry(1, null), revoked(2), revoked(3)])).toMatchObject({ score: 510000000, verifications: 1 });
  });

  test('a stranger cannot keep a score fresh either', () => {
    const rubbish = entry(2, 'AIP-E101', { at: T0 + 50 * HOUR });
    expect(readTrust(fold([entry(1, null), rubbish]), GUIDE_RULES, T0 + 50 * HOUR + 1000).score).toBe(0.46);
  });

  test.each(['AIP-E201', 'AIP-E202', 'AIP-E212', 'ACME-17'])('%s counts', (code) => {
    expect(after(codes(code))).toMatchObject({ score: 0.45, verifications: 1 });
  });
});

describe('patterns', () => {
  const met = (list: readonly Observed[], type: string) =>
    after(list).patterns.find((pattern) => pattern.type === type)!.metAt;
  const failures = (...seconds: number[]) => seconds.map((s, i) => entry(i + 1, 'AIP-E202', { at: T0 + s * 1000 }));

  test('5 refusals in 60 s are rapid, 4 are not, nor 5 in 61 s', () => {
    expect(met(failures(0, 10, 20, 30, 60), 'rapid_failures')).toBe(T0 + 60_000);
    expect(met(failures(0, 10, 20, 30), 'rapid_failures')).toBeNull();
    expect(met(failures(0, 10, 20, 30, 61), 'rapid_failures')).toBeNull();
    expect(met(failures(0, 10, 20, 30, 61, 62), 'rapid_failures')).toBe(T0 + 62_000);
  });

  test('refusals that may be a stranger’s doing are no pattern', () => {
    const rubbish = Array.from({ length: 20 }, (_, i) => entry(i + 1, 'AIP-E101', { at: T0 }));
    expect(met(rubbish, 'rapid_failures')).toBeNull();
  });

  test('3 actions in 300 s that were never accepted are unusual once the agent is known', () => {
    const known = codes(...Array<null>(10).fill(null));
    const tries = (...actions: string[]) =>
      actions.map((action, i) => entry(11 + i, 'AIP-E201', { action, at: T0 + 20_000 + i * 100_000 }));
    expect(met([...known, ...tries('drop_table', 'delete_user', 'read_secrets')], 'unusual_actions')).toBe(
      T0 + 220_000,
    );
    expect(met([...known, ...tries('drop_table', 'delete_user')], 'unusual_actions')).toBeNull();
    expect(met([...known, ...tries('issue_refund', 'issue_refund', 'issue_refund')], 'unusual_actions')).toBeNull();
    expect(
      met([...known.slice(0, 7), ...tries('a', 'b', 'c').map((e) => ({ ...e, seq: e.seq - 3 }))], 'unusual_actions'),
    ).toBeNull();
  });

  test('an action accepted once is usual from then on', () => {
    const known = codes(...Array<null>(10).fill(null));
    const news = [11, 12, 13].map((seq) => entry(seq, null, { action: 'send_email' }));
    expect(met([...known, ...news], 'unusual_actions')).toBeNull();
  });
});

describe("RFC-001's model", () => {
  const rules: TrustRules = { ...GUIDE_RULES, model: 'aip-1' };

  test('weighs completion, violations, revocations, attestation and volume', () => {
    expect(after([], rules).score).toBe(0);
    // 0.35 * 1 + 0.25 + 0.15 + 0.10 + 0.05 + 0.10 * 0.1
    expect(after(codes(...Array<null>(10).fill(null)), rules).score).toBe(0.91);
    // 0.35 * 0.8 + 0.25 * 0.8 + 0.15 + 0.10 + 0.05 + 0.10 * 0.1
    expect(after(codes(...Array<null>(8).fill(null), 'AIP-E202', 'AIP-E203'), rules).score).toBe(0.79);
  });

  test('counts one revocation once, however many intents it refused', () => {
    const revoked = (seq: number, at: string) => entry(seq, 'AIP-E401', { details: { revoked_at: at } });
    const state = fold([revoked(1, 'a'), revoked(2, 'a'), revoked(3, 'b')], rules);
    expect(state).toMatchObject({ revocations: 2, violations: 0, verifications: 0 });
  });

  test('does not decay', () => {
    expect(readTrust(fold(codes(null), rules), rules, T0 + 1e12).score).toBe(after(codes(null), rules).score);
  });
});

describe('folding', () => {
  const someEntry = fc.record({
    code: fc.constantFrom(null, null, null, 'AIP-E202', 'AIP-E201', 'AIP-E101', 'AIP-E301', 'AIP-E401', 'AIP-E404'),
    action: fc.constantFrom('a', 'b', 'c', 'd', null),
    // Clocks jump.
    step: fc.oneof(fc.integer({ min: -100_000, max: 100_000 }), fc.integer({ min: 0, max: 100 * HOUR })),
  });
  const someRules: fc.Arbitrary<TrustRules> = fc
    .record({
      model: fc.constantFrom('guide' as const, 'aip-1' as const),
      initialScore: fc.constantFrom<number>(0, 0.5, 0.123456789, 1),
      successIncrement: fc.constantFrom(0.01, 0.1, 0.000000001),
      failureDecrement: fc.constantFrom(0.05, 0.3),
      timeDecayRate: fc.constantFrom(0, 0.001, 0.7),
      minVerifications: fc.integer({ min: 0, max: 12 }),
    })
    .map((changes) => ({ ...GUIDE_RULES, ...changes }));

  test('from any stored state gives what folding the whole log gives, and events add up to the score', () => {
    fc.assert(
      fc.property(fc.array(someEntry, { maxLength: 60 }), fc.nat(60), someRules, (steps, cut, rules) => {
        let at = T0;
        const list = steps.map(({ code, action, step }, i) => entry(i + 1, code, { action, at: (at += step) }));
        const whole = fold(list, rules);
        const stored = parseTrustState(JSON.stringify(fold(list.slice(0, cut), rules)), rules);
        expect(stored).not.toBeNull();
        for (const each of list.slice(cut)) observe(stored!, each, rules);
        expect(stored).toEqual(whole);

        const events: TrustEvent[] = [];
        const told = newcomer(rules);
        for (const each of list) observe(told, each, rules, (event) => events.push(event));
        const now = at + 5 * HOUR;
        const reading = readTrust(told, rules, now, (event) => events.push(event));
        expect(reading).toEqual(readTrust(whole, rules, now));
        if (events.length > 0) expect(events.at(-1)!.score).toBe(reading.score);
        let before = rules.model === 'guide' ? rules.initialScore : 0;
        for (const { change, score } of events) {
          expect(Math.round((before + change) * 1e9)).toBe(Math.round(score * 1e9));
          before = score;
        }
        expect(reading.score).toBeGreaterThanOrEqual(0);
        expect(reading.score).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('is bounded, however many actions an agent invents', () => {
    const state = fold(Array.from({ length: 2000 }, (_, i) => entry(i + 1, null, { action: `a${i}` })));
    expect(JSON.stringify(state).length).toBeLessThan(8000);
  });
});

describe('a stored state', () => {
  const good = JSON.stringify(fold(codes(null, 'AIP-E202')));
  test.each([
    ['cut', good.slice(0, -5)],
    ['null', 'null'],
    ['a list', '[]'],
    ['empty', '{}'],
    ['without a number', good.replace('"verifications":2', '"verifications":"2"')],
    ['over 1', good.replace(/"score":\d+/, '"score":2000000000')],
    ['negative', good.replace(/"score":\d+/, '"score":-1')],
    ['with other patterns', good.replace(/"patterns":\[.*\]/, '"patterns":[]')],
    ['with times that are none', good.replace(/"times":\[\d+\]/, '"times":[null]')],
  ])('that is %s is not taken for one', (_, text) => {
    expect(text).not.toBe(good);
    expect(parseTrustState(text, GUIDE_RULES)).toBeNull();
  });

  test('is one as it was written', () => {
    expect(parseTrustState(good, GUIDE_RULES)).toEqual(fold(codes(null, 'AIP-E202')));
  });
});

test('rules have one name each', () => {
  expect(ruleName(GUIDE_RULES)).toBe(ruleName({ ...GUIDE_RULES }));
  for (const change of [
    { initialScore: 0.6 },
    { model: 'aip-1' as const },
    { patterns: [] },
    { minVerifications: 9 },
  ]) {
    expect(ruleName({ ...GUIDE_RULES, ...change })).not.toBe(ruleName(GUIDE_RULES));
  }
});
