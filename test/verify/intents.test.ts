import { describe, expect, test } from 'vitest';
import { EXIT_OF_CONCERN } from '../../src/protocol/codes.js';
import { verifySignature } from '../../src/protocol/ed25519/verify.js';
import { readIntent, type Intent } from '../../src/protocol/intent.js';
import { JsonError, parseJson } from '../../src/protocol/json/parse.js';
import { readPassport } from '../../src/protocol/passport.js';
import { ShapeError } from '../../src/protocol/json/shape.js';
import { isNonce } from '../../src/verify/checks/nonce.js';
import { usageOf } from '../../src/verify/constraints.js';
import type { Facts, PassportFinding, SpentNonce, StandingRecord } from '../../src/verify/context.js';
import { spendsNonce } from '../../src/verify/finality.js';
import { decide, identify, judge, malformed, STANDING_UNKNOWN, type Judgement } from '../../src/verify/judge.js';
import type { Usage } from '../../src/verify/meters.js';
import { schemaProblems } from '../../src/adapters/json-schema.js';
import { expectDecision, fixtureBytes, INTENTS, pinsOf, policyOf, timeOf } from '../kit/native/vectors.js';
import type { IntentVector } from '../kit/native/vector.js';
import { readingOf } from './constraints/judging.js';

/** The pipeline with what it reads kept in a list and a map: no state, no clock. */
class Bench {
  readonly #spent = new Map<string, SpentNonce>();
  readonly #usages: Usage[] = [];
  readonly #vector: IntentVector;

  constructor(vector: IntentVector) {
    this.#vector = vector;
  }

  judge(bytes: Uint8Array, now: number): Judgement {
    const read = readOrReason(bytes);
    if (!('document' in read)) return malformed(read.reason, read.offset, now, null);
    const claim = { intent: read, finding: this.#finding(read), pins: pinsOf, signatureHolds: verifySignature, now };
    const found = identify(claim);
    const parts = { intent: read, warnings: [], now, source: null };
    if ('refused' in found) return decide({ ...parts, outcome: found.refused, revocation: STANDING_UNKNOWN });
    const { passport } = found.identity;
    const { agent_id, action, nonce, params } = read.document;
    const { outcome, revocation } = judge(found.identity, {
      intent: read,
      passport,
      limits: [passport.constraints],
      policy: policyOf(this.#vector),
      facts: this.#facts(agent_id, nonce, now),
      now,
    });
    const judgement = decide({ ...parts, outcome, revocation });
    const code = judgement.decision.error_code;
    if (spendsNonce(judgement.decision))
      this.#spent.set(`${agent_id} ${nonce}`, { firstSeenAt: now, firstResult: code ?? 'accepted' });
    if (code === null)
      this.#usages.push({ agentId: agent_id, action, at: now, ...usageOf(passport.constraints, params) });
    return judgement;
  }

  #finding({ document }: Intent): PassportFinding {
    for (const file of this.#vector.passports) {
      const text = fixtureBytes(file);
      if ((JSON.parse(text.toString()) as { agent_id: string }).agent_id !== document.agent_id) continue;
      try {
        return { status: 'found', passport: readPassport(text) };
      } catch (error) {
        if (error instanceof ShapeError) return { status: 'unreadable', reason: error.reason };
        throw error;
      }
    }
    return { status: 'unknown' };
  }

  #facts(agentId: string, nonce: string, now: number): Facts {
    const { copy, geo = null, standing = [] } = this.#vector;
    const usages = this.#usages.filter((usage) => usage.agentId === agentId);
    const history = usages.map(({ action, at, amountMinor, currency }) => ({
      action,
      ago_s: (now - at) / 1000,
      ...(amountMinor === null ? {} : { amount_minor: Number(amountMinor) }),
      ...(currency === null ? {} : { currency }),
    }));
    const records = standing.map((row): StandingRecord => ({
      subject: row.subject,
      status: row.status,
      reason: row.reason,
      changedAt: Date.parse(row.changed_at),
      changedBy: row.changed_by,
      suspendedUntil: row.suspended_until === null ? null : Date.parse(row.suspended_until),
      version: 1,
    }));
    return {
      spent: isNonce(nonce) ? (this.#spent.get(`${agentId} ${nonce}`) ?? null) : null,
      read: (meter) => readingOf(history, meter),
      schemaProblems,
      geo,
      approved: false,
      hooks: [],
      standing: (subject) => records.find((record) => record.subject === subject) ?? null,
      freshness: {
        mesh: copy !== undefined,
        ageMs: copy?.age_ms ?? null,
        maxAgeMs: 30_000,
        onStale: copy?.on_stale ?? 'last-known',
      },
      trust: null,
      wallNow: Date.parse(INTENTS.at),
    };
  }
}

function readOrReason(bytes: Uint8Array): Intent | { reason: string; offset: number | null } {
  try {
    return readIntent(parseJson(bytes));
  } catch (error) {
    if (error instanceof JsonError) return { reason: error.reason, offset: error.offset };
    if (error instanceof ShapeError) return { reason: error.reason, offset: null };
    throw error;
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
