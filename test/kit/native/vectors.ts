/** Reads the vectors, and says what a decision about one must look like. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { NATIVE_CODES, type NativeCodeName } from '../../../src/protocol/codes.js';
import { verifyKeyOf } from '../../../src/protocol/ed25519/verify.js';
import { parsePublicKey } from '../../../src/protocol/identity/keys.js';
import type { PinnedKey, Policy } from '../../../src/verify/context.js';
import type { Decision } from '../../../src/verify/decision.js';
import { NATIVE_STEPS } from '../../../src/verify/dialects/native/pipeline.js';
import type { IntentSuite, IntentVector, PassportSuite } from './vector.js';

const ROOT = new URL('../../../', import.meta.url);

export const INTENTS = read('intents') as IntentSuite;
export const PASSPORTS = read('passports') as PassportSuite;

function read(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`test/vectors/${name}.json`, ROOT), 'utf8'));
}

/** Where a fixture lies. */
export function fixture(file: string): string {
  return new URL(`fixtures/${file}`, ROOT).pathname;
}

export function fixtureBytes(file: string): Buffer {
  return readFileSync(fixture(file));
}

/** The time a vector is judged at, ms. */
export function timeOf(vector: { readonly at?: string }): number {
  return Date.parse(vector.at ?? INTENTS.at);
}

/** The principals that the suite pins. */
export function pinsOf(principal: string): readonly PinnedKey[] {
  const text = INTENTS.principals[principal];
  return text === undefined ? [] : [{ keyId: `${principal}#key-1`, key: verifyKeyOf(parsePublicKey(text)!)! }];
}

export function policyOf({ max_age_s = 300, min_trust }: Partial<IntentVector>): Policy {
  return { maxAgeMs: max_age_s * 1000, maxSkewMs: 30_000, minTrust: min_trust ?? null };
}

const KEYS = [
  'success',
  'dialect',
  'agent_id',
  'action',
  'intent_hash',
  'error_code',
  'error_message',
  'message',
  'details',
  'violations',
  'checks',
  'revocation',
  'warnings',
  'verified_at',
  'source',
  'outcome_token',
];

/** Why a step is skipped that no earlier refusal stands before. */
const SKIPPED: Readonly<Record<string, string>> = {
  hooks: 'no hooks are registered',
  trust: 'no minimum is set',
};

/** What the catalogue says that the details of a refusal hold. */
function factsOf(name: string): string[] {
  return ['agent_id', ...NATIVE_CODES[name as NativeCodeName].facts].sort();
}

/** Every key of a decision is there, every step is reported in order, and the answer is the vector's. */
export function expectDecision(decision: Decision, vector: IntentVector): void {
  const { code, failed, codes, details } = vector.expect;
  expect(Object.keys(decision)).toEqual(KEYS);
  expect({ code: decision.error_code, message: decision.message }).toMatchObject({ code });
  expect(decision.success).toBe(code === null);
  expect(decision.message).not.toBe('');
  expect(decision.violations.map(({ error_code }) => error_code)).toEqual(codes ?? (code === null ? [] : [code]));
  if (code === null) expect([decision.error_message, decision.details]).toEqual([null, null]);
  else {
    const [first] = decision.violations;
    expect(first).toEqual({ error_code: code, error_message: decision.error_message, details: decision.details });
    for (const violation of decision.violations) {
      expect(violation.details).toHaveProperty('agent_id', decision.agent_id);
      expect(Object.keys(violation.details).sort()).toEqual(factsOf(violation.error_message));
      expect(violation.error_message).toMatch(/^[A-Z_]+$/);
    }
    if (details !== undefined) expect(decision.details).toMatchObject(details);
  }
  const at = failed === null ? NATIVE_STEPS.length : NATIVE_STEPS.indexOf(failed);
  expect(decision.checks).toEqual(
    NATIVE_STEPS.map((check, i) => {
      if (i > at) return { check, status: 'skipped', reason: 'an earlier step failed' };
      if (i === at) return { check, status: 'failed', reason: decision.error_message };
      const reason = check === 'trust' && vector.min_trust !== undefined ? undefined : SKIPPED[check];
      return reason === undefined ? { check, status: 'passed' } : { check, status: 'skipped', reason };
    }),
  );
  // Nothing that comes before step 3 knows the standing, nothing unreadable has a name, and without a copy only a deny is known.
  const unheard = vector.copy?.age_ms === null && vector.standing === undefined;
  if (failed === 'passport' || failed === 'signature' || unheard) expect(decision.revocation.status).toBe('unknown');
  else expect(decision.revocation.status).not.toBe('unknown');
  expect(decision.intent_hash === null).toBe(code === 'AIP-E100');
  expect(decision.agent_id === null).toBe(code === 'AIP-E100');
}
