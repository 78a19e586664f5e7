/** What a verifier on a real state file needs, where only its clock and whom it trusts matter to a test. */
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { signerOf } from '../../../src/adapters/mesh/mesh-key.js';
import type { Requester } from '../../../src/app/verification/sitting.js';
import type { VerifierDeps, VerifyOptions } from '../../../src/app/verification/intents.js';
import type { Passport } from '../../../src/protocol/passport.js';
import { openAt, statePath } from '../state/temporary.js';
import { NOW_S, seedOf } from './parts.js';
import { pinsOf } from './vectors.js';

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
