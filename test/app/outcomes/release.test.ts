/** What was counted in a daily limit and did not happen is given back: by the caller, once, within bounds, and never a place in a rate. */
import { describe, expect, test } from 'vitest';
import { Failure } from '../../../src/app/failure.js';
import { reportOutcome, type OutcomeAnswer, type OutcomeReport } from '../../../src/app/outcomes/report.js';
import { verifyIntents, type VerifierDeps } from '../../../src/app/verification/intents.js';
import { verifyChain } from '../../../src/protocol/log/chain.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import { readPassport } from '../../../src/protocol/passport.js';
import type { Decision } from '../../../src/verify/decision.js';
import { intent } from '../../kit/native/intent-parts.js';
import { NOW_S } from '../../kit/native/parts.js';
import { passport } from '../../kit/native/passport-cases.js';
import { knowing, VERIFY, verifierDeps } from '../../kit/native/verifier.js';
import { openAt, statePath } from '../../kit/state/temporary.js';

const HOUR = 3_600_000;
let n = 0;

class Till {
  now = NOW_S * 1000;
  readonly state = openAt(statePath(), () => this.now);
  readonly deps: VerifierDeps;

  constructor(constraints: JsonObject) {
    const read = readPassport(Buffer.from(JSON.stringify(passport('release', { constraints }))));
    this.deps = verifierDeps({ state: this.state, clock: () => this.now, ...knowing(read) });
  }

  async pays(amount: number): Promise<Decision> {
    const timestamp = Math.floor(this.now / 1000);
    const bytes = JSON.stringify(intent(`release ${n++}`, { params: { amount }, timestamp }));
    return (await verifyIntents(this.deps, VERIFY, [{ bytes, source: null }]))[0]!.decision;
  }

  async paid(amount: number): Promise<Decision> {
    const decision = await this.pays(amount);
    expect(decision.error_code).toBe(null);
    return decision;
  }

  ends({ intent_hash, outcome_token }: Decision, more: Partial<OutcomeReport> = {}): OutcomeAnswer {
    const report = { intentHash: intent_hash!, status: 'error', token: outcome_token, release: true, ...more } as const;
    return reportOutcome(this.state, report, this.now);
  }
}

const RELEASED = { daily_limit: { limit: 1_000, release: true } };

describe('a place in a daily limit', () => {
  test('is given back where the action did not happen, and counts again for another', async () => {
    const till = new Till(RELEASED);
    const first = await till.paid(800);
    expect((await till.pays(300)).error_code).toBe('AIP-E212');
    expect(till.ends(first)).toMatchObject({ released: true, not_released: null, claimed: false });
    await till.paid(300);
    await till.paid(700);
    expect((await till.pays(1)).error_code).toBe('AIP-E212');
    expect([...till.state.records({ type: 'outcome' })]).toMatchObject([{ status: 'error', released: true }]);
    expect(verifyChain(till.state.records({}))).toMatchObject({ ok: true });
    expect(till.state.derivedProblems(till.now)).toEqual([]);
  });

  test('of days that are added up by hours and minutes is given back as well', async () => {
    const till = new Till(RELEASED);
    const first = await till.paid(800);
    till.now += 5 * HOUR;
    expect((await till.pays(300)).error_code).toBe('AIP-E212');
    expect(till.ends(first)).toMatchObject({ released: true });
    await till.paid(1_000);
  });

  test('is not given back twice, nor after a final word', async () => {
    const till = new Till(RELEASED);
    const first = await till.paid(500);
    expect(till.ends(first)).toEqual(till.ends(first));
    const second = await till.paid(500);
    till.ends(second, { release: false });
    expect(till.ends(second)).toMatchObject({
      released: false,
      not_released: expect.stringContaining('already') as string,
    });
    await till.paid(500);
    expect((await till.pays(1)).error_code).toBe('AIP-E212');
  });

  test.each<[string, JsonObject, Partial<OutcomeReport>, number, string]>([
    ['where the passport does not say so', { daily_limit: 1_000 }, {}, 0, 'the passport says'],
    ['where it says no', { daily_limit: { limit: 1_000, release: false } }, {}, 0, 'the passport says'],
    ['where there is no daily limit', { monetary_limit: 1_000 }, {}, 0, 'the passport says'],
    ['by a claim', RELEASED, { token: null }, 0, 'only the caller'],
    ['after a day', RELEASED, {}, 24 * HOUR, 'more than 24 hours'],
  ])('is not given back %s; what became of it is kept all the same', async (_, constraints, more, later, why) => {
    const till = new Till(constraints);
    const first = await till.paid(800);
    till.now += later;
    const answer = till.ends(first, more);
    expect(answer.released).toBe(false);
    expect(answer.not_released).toContain(why);
    expect([...till.state.records({ type: 'outcome' })]).toHaveLength(1);
    if (later === 0 && constraints.monetary_limit === undefined)
      expect((await till.pays(300)).error_code).toBe('AIP-E212');
  });

  test('is given back for one daily limit in a day at most, however often an agent fails', async () => {
    const till = new Till(RELEASED);
    for (let i = 0; i < 2; i++) expect(till.ends(await till.paid(500)).released).toBe(true);
    const third = await till.paid(500);
    expect(till.ends(third)).toMatchObject({
      released: false,
      not_released: expect.stringContaining('one daily limit') as string,
    });
    till.now += 25 * HOUR;
    expect(till.ends(await till.paid(500)).released).toBe(true);
  });

  test.each<[string, Partial<OutcomeReport>, string]>([
    ['what ended well', { status: 'ok' }, 'USAGE'],
    ['the token of another decision', { token: '0'.repeat(32) }, 'FORBIDDEN'],
    ['a word instead of true', { release: 'yes' as never }, 'USAGE'],
  ])('is refused for %s, and nothing is kept', async (_, more, code) => {
    const till = new Till(RELEASED);
    const first = await till.paid(800);
    expect(() => till.ends(first, more)).toThrow(expect.objectContaining({ code }) as Failure);
    expect([...till.state.records({ type: 'outcome' })]).toEqual([]);
  });

  test('in a rate is never given back', async () => {
    const till = new Till({ ...RELEASED, rate_limit: '1/hour' });
    expect(till.ends(await till.paid(10)).released).toBe(true);
    expect((await till.pays(10)).error_code).toBe('AIP-E205');
  });

  test('is not counted by a dry run', async () => {
    const till = new Till(RELEASED);
    const bytes = JSON.stringify(intent(`release ${n++}`, { params: { amount: 5 }, timestamp: NOW_S }));
    await verifyIntents(till.deps, { ...VERIFY, dryRun: true }, [
      { bytes, source: null },
      { bytes, source: null },
    ]);
    expect(till.ends(await till.paid(5)).released).toBe(true);
  });
});
