import { describe, expect, test } from 'vitest';
import { EXIT_OF_CONCERN } from '../../src/protocol/codes.js';
import { readPassport } from '../../src/protocol/passport.js';
import { ShapeError } from '../../src/protocol/json/shape.js';
import type { PassportFinding, StandingRecord } from '../../src/verify/context.js';
import type { Judgement } from '../../src/verify/judge.js';
import type { Meter, MeterReading } from '../../src/verify/meters.js';
import { schemaProblems } from '../../src/adapters/json-schema.js';
import { expectDecision, fixtureBytes, INTENTS, pinsOf, policyOf, timeOf } from '../kit/native/vectors.js';
import type { IntentVector } from '../kit/native/vector.js';
import { judgedIn, RecordingMemory, sittingAt } from '../kit/verification/sitting.js';
import { readingOf } from './constraints/judging.js';

/** The pipeline with what it reads kept in lists: no state, no clock. */
class Bench {
  readonly #memory = new VectorMemory();
  readonly #vector: IntentVector;

  constructor(vector: IntentVector) {
    this.#vector = vector;
  }

  judge(bytes: Uint8Array, now: number): Judgement {
    const { copy, geo = null, standing = [] } = this.#vector;
    const records = standing.map((row): StandingRecord => ({
      subject: row.subject,
      status: row.status,
      reason: row.reason,
      changedAt: Date.parse(row.changed_at),
      changedBy: row.changed_by,
      suspendedUntil: row.suspended_until === null ? null : Date.parse(row.suspended_until),
      version: 1,
    }));
    const sitting = sittingAt(now, this.#memory, {
      standing: (subject) => records.find((record) => record.subject === subject) ?? null,
      freshness: {
        mesh: copy !== undefined,
        ageMs: copy?.age_ms ?? null,
        maxAgeMs: 30_000,
        onStale: copy?.on_stale ?? 'last-known',
      },
      geo,
      wallNow: Date.parse(INTENTS.at),
    });
    const trusting = { passport: (agentId: string) => this.#finding(agentId), pins: pinsOf };
    const submission = { bytes, source: null };
    return judgedIn(sitting, submission, trusting, policyOf(this.#vector), { schemaProblems }).judgement;
  }

  #finding(agentId: string): PassportFinding {
    for (const file of this.#vector.passports) {
      const text = fixtureBytes(file);
      if ((JSON.parse(text.toString()) as { agent_id: string }).agent_id !== agentId) continue;
      try {
        return { status: 'found', passport: readPassport(text) };
      } catch (error) {
        if (error instanceof ShapeError) return { status: 'unreadable', reason: error.reason };
        throw error;
      }
    }
    return { status: 'unknown' };
  }
}

/** Windows as the vectors of the constraints read them. */
class VectorMemory extends RecordingMemory {
  override read(agentId: string, meter: Meter, now: number): MeterReading {
    const history = this.usages
      .filter((usage) => usage.agentId === agentId)
      .map(({ action, at, amountMinor, currency }) => ({
        action,
        ago_s: (now - at) / 1000,
        ...(amountMinor === null ? {} : { amount_minor: Number(amountMinor) }),
        ...(currency === null ? {} : { currency }),
      }));
    return readingOf(history, meter);
  }
}

describe('the pipeline', () => {
  test.each(INTENTS.vectors)('$name', (vector) => {
    const bench = new Bench(vector);
    for (const file of vector.before ?? []) bench.judge(fixtureBytes(file), timeOf({}));
    const { decision, concern } = bench.judge(fixtureBytes(vector.intent), timeOf(vector));
    expectDecision(decision, vector);
    expect(concern === null ? 0 : EXIT_OF_CONCERN[concern]).toBe(vector.expect.exit);
    expect(decision.verified_at).toBe(new Date(timeOf(vector)).toISOString());
  });

  test('a wrong expectation is noticed', () => {
    const refund = INTENTS.vectors.find(
      ({ intent, expect: { code } }) => intent === 'intent-refund.json' && code === null,
    )!;
    const { decision } = new Bench(refund).judge(fixtureBytes(refund.intent), timeOf(refund));
    const wrong = (expectation: Partial<IntentVector['expect']>) => () =>
      expectDecision(decision, { ...refund, expect: { ...refund.expect, ...expectation } });
    expect(wrong({ code: 'AIP-E202' })).toThrow();
    expect(wrong({ failed: 'trust' })).toThrow();
    expect(wrong({ codes: ['AIP-E203'] })).toThrow();
  });
});
