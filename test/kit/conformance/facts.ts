import type { Aip1Facts } from '../../../src/verify/aip1/context.js';

/** What a verifier knows that has seen nothing, of an agent in good standing. */
export function nothingKnown(now: number): Aip1Facts {
  return {
    spent: null,
    read: () => ({ kind: 'sum', spent: 0n }),
    schemaProblems: () => [],
    geo: null,
    approved: false,
    hooks: [],
    standing: () => null,
    freshness: { mesh: false, ageMs: null, maxAgeMs: 5000, onStale: 'deny' },
    trust: null,
    wallNow: now,
    history: null,
  };
}
