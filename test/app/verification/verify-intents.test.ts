import { describe, expect, test } from 'vitest';
import type { SqliteState } from '../../../src/adapters/sqlite/state.js';
import { verifyIntents, type VerifierDeps, type VerifyOptions } from '../../../src/app/verification/intents.js';
import { verifyChain } from '../../../src/protocol/log/chain.js';
import { EXIT_OF_CONCERN } from '../../../src/protocol/codes.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import type { Judgement } from '../../../src/verify/judge.js';
import { intent as signed, refund } from '../../kit/native/intent-parts.js';
import { vectorDeps, vectorOptions } from '../../kit/native/verifier.js';
import { line, NOW_S, seedOf, SUPPORT } from '../../kit/native/parts.js';
import { stored, writeStanding } from '../../kit/native/standing.js';
import { expectDecision, fixtureBytes, INTENTS, timeOf } from '../../kit/native/vectors.js';
import type { IntentVector } from '../../kit/native/vector.js';
import { openAt, statePath } from '../../kit/state/temporary.js';

const NOW = timeOf({});

/** A verifier on a real state file whose clock is set by hand. */
class Verifier {
  readonly path: string;
  readonly state: SqliteState;
  clock = NOW;
  readonly #deps: VerifierDeps;
  readonly #options: VerifyOptions;

  constructor(vector: Partial<IntentVector> = {}, options: Partial<VerifyOptions> = {}, path = statePath()) {
    this.path = path;
    this.state = openAt(path, () => this.clock);
    if (vector.standing !== undefined) writeStanding(path, vector.standing);
    this.#deps = vectorDeps(vector, this.state, () => this.clock);
    this.#options = { ...vectorOptions(vector), ...options };
  }

  judge(documents: readonly (string | Uint8Array)[], options: Partial<VerifyOptions> = {}): Promise<Judgement[]> {
    const submissions = documents.map((bytes, i) => ({ bytes, source: `document ${i}` }));
    return verifyIntents(this.#deps, { ...this.#options, ...options }, submissions);
  }

  async codes(documents: readonly (string | Uint8Array)[], options: Partial<VerifyOptions> = {}) {
    return (await this.judge(documents, options)).map(({ decision }) => decision.error_code ?? 'ok');
  }

  expectWholeLog(): void {
    expect(verifyChain(this.state.entries({}), this.state.bounds())).toMatchObject({ ok: true });
  }
}

const refundText = (name: string, changes: object = {}) => line(refund(name, changes));

describe('a verifier with real state', () => {
  test.each(INTENTS.vectors)('$name', async (vector) => {
    const verifier = new Verifier(vector);
    for (const file of vector.before ?? []) await verifier.judge([fixtureBytes(file)], { at: NOW });
    const before = stored(verifier.path);
    const [{ decision, concern } = expect.unreachable()] = await verifier.judge([fixtureBytes(vector.intent)]);
    expectDecision(decision, vector);
    expect(concern === null ? 0 : EXIT_OF_CONCERN[concern]).toBe(vector.expect.exit);
    const after = stored(verifier.path);
    // What could not be read leaves no trace; everything else is an entry of the log that says the same.
    expect(after.entries - before.entries).toBe(vector.expect.code === 'AIP-E100' ? 0 : 1);
    if (vector.expect.failed === 'passport' || vector.expect.failed === 'signature')
      expect(after).toEqual({ ...before, entries: after.entries });
    if (vector.expect.code !== null) expect(after.usages).toBe(before.usages);
    else expect(after.nonces).toBe(before.nonces + 1);
    if (vector.expect.code !== 'AIP-E100') {
      const [entry] = verifier.state.entries({ last: 1 });
      const { error_code, error_message, agent_id, action, intent_hash } = decision;
      const status = decision.success ? 'success' : 'failed';
      expect(entry).toMatchObject({ error_code, error_message, agent_id, action, intent_hash, status });
    }
    verifier.expectWholeLog();
  });

  test('judges the same in a batch, on one core or several', async () => {
    const documents = INTENTS.vectors
      .filter(
        ({ passports, before, at, standing, copy, min_trust, max_age_s }) =>
          [before, at, standing, copy, min_trust, max_age_s].every((each) => each === undefined) &&
          passports.join() === 'passport-support-agent.json',
      )
      .filter(({ intent }, i, all) => all.findIndex((other) => other.intent === intent) === i);
    const bytes = documents.map(({ intent }) => fixtureBytes(intent));
    const alone = await new Verifier().codes(bytes);
    const parallel = await new Verifier({}, { parallel: true }).codes(bytes);
    expect(parallel).toEqual(alone);
    expect(bytes.length).toBeGreaterThan(100);
    const accepted = documents.filter((_, i) => alone[i] === 'ok');
    // The rate of ten an hour counts through a batch.
    expect(accepted.length).toBe(Math.min(10, documents.filter(({ expect: { code } }) => code === null).length));
  });
});

describe('a batch', () => {
  test('accepts one of the copies of an intent in it', async () => {
    const text = refundText('copied');
    const verifier = new Verifier();
    expect(await verifier.codes([text, text, text])).toEqual(['ok', 'AIP-E301', 'AIP-E301']);
    expect(stored(verifier.path)).toMatchObject({ entries: 3, nonces: 1, usages: 1 });
  });

  test('stops at a limit in its middle', async () => {
    const verifier = new Verifier();
    const texts = Array.from({ length: 12 }, (_, i) => refundText(`of many ${i}`));
    expect(await verifier.codes(texts)).toEqual([...Array<string>(10).fill('ok'), 'AIP-E205', 'AIP-E205']);
  });

  test('is not held up by rubbish in it', async () => {
    const verifier = new Verifier();
    expect(await verifier.codes(['', refundText('between'), '{'])).toEqual(['AIP-E100', 'ok', 'AIP-E100']);
    expect(stored(verifier.path)).toMatchObject({ entries: 1, nonces: 1 });
  });

  test('of nothing but rubbish opens no transaction', async () => {
    const verifier = new Verifier();
    expect(await verifier.codes(['', '[]', '{}'])).toEqual(['AIP-E100', 'AIP-E100', 'AIP-E100']);
    expect(stored(verifier.path)).toMatchObject({ entries: 0, nonces: 0 });
  });

  test('that fails to commit decides nothing', async () => {
    const verifier = new Verifier();
    verifier.state.close();
    await expect(verifier.judge([refundText('lost')])).rejects.toThrow();
    const again = new Verifier({}, {}, verifier.path);
    expect(await again.codes([refundText('lost')])).toEqual(['ok']);
  });
});

describe('a nonce', () => {
  test('stays spent for another verifier on the same file, and after a restart', async () => {
    const verifier = new Verifier();
    const text = refundText('kept');
    expect(await verifier.codes([text])).toEqual(['ok']);
    expect(await new Verifier({}, {}, verifier.path).codes([text])).toEqual(['AIP-E301']);
    verifier.state.close();
    expect(await new Verifier({}, {}, verifier.path).codes([text])).toEqual(['AIP-E301']);
  });

  test('is remembered for as long as its intent is fresh, whatever was forgotten in between', async () => {
    // Dated as far ahead as is allowed, under a window shorter than that.
    for (const max_age_s of [1, 5, 29, 300]) {
      const verifier = new Verifier({ max_age_s });
      const text = refundText('ahead', { timestamp: NOW_S + 30 });
      expect(await verifier.codes([text])).toEqual(['ok']);
      for (let s = 1; s <= 30 + max_age_s; s++) {
        verifier.clock = NOW + s * 1000;
        // Something else is judged, so that old nonces are thrown away.
        if (s % 3 === 0) await verifier.judge([refundText(`at ${s}`, { timestamp: NOW_S + s })]);
        if (s % 7 === 0 || s === 30 + max_age_s) expect(await verifier.codes([text])).toEqual(['AIP-E301']);
      }
      verifier.clock = NOW + (31 + max_age_s) * 1000;
      expect(['AIP-E301', 'AIP-E302']).toContain((await verifier.codes([text]))[0]);
    }
  });

  test('spent as of a later time is still spent when that time comes', async () => {
    const verifier = new Verifier();
    const later = NOW + 3_600_000;
    const text = refundText('later', { timestamp: NOW_S + 3600 });
    expect(await verifier.codes([text], { at: later })).toEqual(['ok']);
    for (const minute of [20, 40, 55]) {
      verifier.clock = NOW + minute * 60_000;
      await verifier.judge([refundText(`at ${minute}`, { timestamp: NOW_S + minute * 60 })]);
    }
    verifier.clock = later;
    expect(await verifier.codes([text])).toEqual(['AIP-E301']);
  });

  test('is not spent by anybody but its agent', async () => {
    const verifier = new Verifier();
    const good = refund('wanted');
    const forged = line({ ...good, signature: refund('wanted', {}, 'stranger').signature! });
    expect(await verifier.codes([forged, forged])).toEqual(['AIP-E101', 'AIP-E101']);
    expect(await verifier.codes([line(good)])).toEqual(['ok']);
  });
});

describe('limits as of an earlier time', () => {
  test('hold as they did then, though all of it is long ago', async () => {
    const verifier = new Verifier();
    verifier.clock = NOW + 300 * 86_400_000;
    const codes: string[] = [];
    for (let i = 0; i < 12; i++) codes.push(...(await verifier.codes([refundText(`then ${i}`)], { at: NOW })));
    expect(codes).toEqual([...Array<string>(10).fill('ok'), 'AIP-E205', 'AIP-E205']);
  });
});

describe('a rehearsal', () => {
  test('judges each document as things stand, however many come at once, and keeps nothing', async () => {
    const verifier = new Verifier();
    const text = refundText('rehearsed');
    const empty = stored(verifier.path);
    const dryRun = { dryRun: true };
    expect(await verifier.codes([text, text], dryRun)).toEqual(['ok', 'ok']);
    const many = Array.from({ length: 11 }, (_, i) => refundText(`rehearsed ${i}`));
    expect(new Set(await verifier.codes(many, dryRun))).toEqual(new Set(['ok']));
    expect(stored(verifier.path)).toEqual(empty);
    expect(await verifier.codes([text])).toEqual(['ok']);
    expect(await verifier.codes([text], dryRun)).toEqual(['AIP-E301']);
    await verifier.judge(many.slice(0, 9));
    expect(await verifier.codes(many.slice(9), dryRun)).toEqual(['AIP-E205', 'AIP-E205']);
  });
});

describe('what is kept', () => {
  const secret = { order_id: '8472', amount: 50, api_key: 'sk-live-0123456789', note: 'fine' };
  const paramsOf = async (logParams: VerifyOptions['logParams']) => {
    const verifier = new Verifier({}, { logParams });
    expect(await verifier.codes([line(signed('secret', { agent_id: SUPPORT, params: secret }))])).toEqual(['ok']);
    return [...verifier.state.entries({})][0]!.params;
  };

  test('of params is as the config says', async () => {
    expect(await paramsOf('full')).toEqual(secret);
    expect(await paramsOf('none')).toBeNull();
    const masked = (await paramsOf('masked')) as JsonObject;
    expect(masked).toMatchObject({ order_id: '8472', amount: 50, note: 'fine' });
    expect(JSON.stringify(masked)).not.toContain('sk-live');
  });

  test('holds no private key', async () => {
    const verifier = new Verifier();
    await verifier.judge([refundText('logged'), refundText('logged', { params: { amount: 1e6 } })]);
    const all = JSON.stringify([...verifier.state.entries({})]);
    for (const signer of ['agent', 'principal'] as const)
      expect(all).not.toContain(Buffer.from(seedOf(signer)).toString('hex'));
  });
});
