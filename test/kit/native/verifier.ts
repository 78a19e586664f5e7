/** What a verifier on a real state file needs, where only its clock and whom it trusts matter to a test. */
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { signerOf } from '../../../src/adapters/mesh/mesh-key.js';
import type { Requester } from '../../../src/app/verification/sitting.js';
import type { VerifierDeps, VerifyOptions } from '../../../src/app/verification/intents.js';
import { givenFirst, LocalTrust, type UnreadablePassport } from '../../../src/app/verification/trust/local-trust.js';
import type { SqliteState } from '../../../src/adapters/sqlite/state.js';
import { schemaProblems } from '../../../src/adapters/json-schema.js';
import { ShapeError } from '../../../src/protocol/json/shape.js';
import { readPassport, type Passport } from '../../../src/protocol/passport.js';
import { openAt, statePath } from '../state/temporary.js';
import { NOW_S, seedOf } from './parts.js';
import type { IntentVector } from './vector.js';
import { fixtureBytes, pinsOf, policyOf, timeOf } from './vectors.js';

/** What signs requests for approval in tests. */
export const REQUESTER: Requester = {
  ...signerOf(seedOf('verifier')),
  random: (n) => new Uint8Array(randomBytes(n)),
};

/** Knows no agent unless `changes` say so; no mesh, hooks, approvals or scores. */
export function verifierDeps(changes: Partial<VerifierDeps> = {}): VerifierDeps {
  const clock = changes.clock ?? (() => NOW_S * 1000);
  return {
    state: changes.state ?? openAt(statePath(), clock),
    clock,
    ticks: () => 0,
    passport: () => ({ status: 'unknown' }),
    pins: pinsOf,
    loadSchemaCheck: () => expect.unreachable(),
    freshness: () => ({ mesh: false, ageMs: null, maxAgeMs: 30_000, onStale: 'last-known' }),
    hooks: () => null,
    approved: () => false,
    requester: () => REQUESTER,
    trust: () => null,
    ...changes,
  };
}

/** The one passport that a verifier knows. */
export function knowing(passport: Passport): Pick<VerifierDeps, 'passport'> {
  return { passport: () => ({ status: 'found', passport }) };
}

/** The defaults of the command line. */
export const VERIFY: VerifyOptions = {
  policy: { maxAgeMs: 300_000, maxSkewMs: 30_000, minTrust: null },
  at: null,
  dryRun: false,
  geo: null,
  logParams: 'masked',
  parallel: false,
};

function givenPassport(file: string): Passport | UnreadablePassport {
  const bytes = fixtureBytes(file);
  try {
    return readPassport(bytes);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    return { agentIds: [(JSON.parse(bytes.toString()) as { agent_id: string }).agent_id], reason: error.reason };
  }
}

/** What a verifier of a vector has: the passports that are given, and how current its copy is. */
export function vectorDeps(
  { passports = ['passport-support-agent.json'], copy }: Partial<IntentVector>,
  state: SqliteState,
  clock: () => number,
): VerifierDeps {
  return verifierDeps({
    state,
    clock,
    passport: givenFirst(passports.map(givenPassport), new LocalTrust(state).passport),
    loadSchemaCheck: async () => schemaProblems,
    freshness: () => ({
      mesh: copy !== undefined,
      ageMs: copy?.age_ms ?? null,
      maxAgeMs: 30_000,
      onStale: copy?.on_stale ?? 'last-known',
    }),
  });
}

/** How a vector is judged. */
export function vectorOptions(vector: Partial<IntentVector>): VerifyOptions {
  const at = vector.at === undefined ? null : timeOf(vector);
  return { ...VERIFY, policy: policyOf(vector), at, geo: vector.geo ?? null };
}
