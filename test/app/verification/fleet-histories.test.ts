/** Random histories, judged by one machine and by two verifiers of a fleet in turn: the same decisions in the same words. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { verifyIntents, type VerifierDeps } from '../../../src/app/verification/intents.js';
import { passportOf } from '../../../src/protocol/passport.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import type { StandingRecord } from '../../../src/app/ports/state.js';
import type { Decision } from '../../../src/verify/decision.js';
import { intent } from '../../kit/native/intent-parts.js';
import { line, NOW_S, SUPPORT } from '../../kit/native/parts.js';
import { passport } from '../../kit/native/passport-cases.js';
import { VERIFY, verifierDeps } from '../../kit/native/verifier.js';
import { LedgerMemory, SharedTables } from '../../kit/state/ledger-memory.js';
import { openAt, statePath } from '../../kit/state/temporary.js';

const LIMITS: readonly JsonObject[] = [
  { rate_limit: '3/hour' },
  { rate_limit: { issue_refund: '2/minute', send_email: '3/hour' } },
  { daily_limit: 120, monetary_limit: 70 },
  { daily_limit: 100, rate_limit: '4/hour', max_refunds_per_day: 3 },
  { max_emails_per_day: 2, time_window: { days: ['wed'], from: '14:00', to: '15:00', tz: 'UTC' } },
  { rate_limit: '0/hour', daily_limit: 50 },
  { require_approval: { above: 60 }, daily_limit: 150 },
];

const documents = fc.record({
  action: fc.constantFrom('issue_refund', 'send_email', 'delete_all'),
  amount: fc.constantFrom(10, 40, 65, 80, 'many'),
  /** An earlier one again, by its place. */
  again: fc.option(fc.nat(8), { freq: 3 }),
  ageS: fc.constantFrom(0, 0, 0, -10, 290, 301, -40),
});
const steps = fc.array(
  fc.record({
    waitMs: fc.constantFrom(0, 0, 700, 59_000, 61_000, 3_599_000, 3_600_000, 86_400_000),
    verifier: fc.constantFrom(0, 1),
    dryRun: fc.constantFrom(false, false, false, true),
    stops: fc.constantFrom(null, null, null, 'suspended' as const, 'revoked' as const),
    batch: fc.array(documents, { minLength: 1, maxLength: 4 }),
  }),
  { minLength: 1, maxLength: 7 },
);

/**
 * What of a decision is no chance: request ids and tokens are drawn. How long a nonce is remembered beyond the age of intents depends on
 * when a memory forgets; of an old replay one says that it is old, the other that it is a replay.
 */
function plain(decision: Decision, submitted: string, now: number): unknown {
  const { timestamp } = JSON.parse(submitted) as { timestamp: number };
  if (now - timestamp * 1000 > 300_000 && ['AIP-E301', 'AIP-E302'].includes(decision.error_code ?? '')) return 'old';
  const text = JSON.stringify({ ...decision, outcome_token: decision.outcome_token === null ? null : 'token' });
  return JSON.parse(text.replaceAll(/\b[0-9a-f]{32}\b/g, 'id'));
}

test('a fleet judges random histories as one machine', { timeout: 600_000 }, async () => {
  let drawn = 0;
  const seen = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...LIMITS), steps, async (constraints, history) => {
      let now = NOW_S * 1000;
      const clock = () => now;
      const issued = passportOf(passport('support-agent-v1', { constraints }));
      const stopped: { standing: StandingRecord | null } = { standing: null };
      const depsOf = (fleet: VerifierDeps['fleet']) => {
        const state = openAt(statePath(), clock);
        // What this machine knows of the agent's standing, set between two calls.
        const told = {
          transact: (work: Parameters<typeof state.transact>[0]) =>
            state.transact((ledger) =>
              work({ ...ledger, standing: (subject) => (subject === SUPPORT ? stopped.standing : null) }),
            ),
          rehearse: (work: Parameters<typeof state.transact>[0]) =>
            state.rehearse((ledger) =>
              work({ ...ledger, standing: (subject) => (subject === SUPPORT ? stopped.standing : null) }),
            ),
          look: (work: Parameters<typeof state.transact>[0]) =>
            state.look((ledger) =>
              work({ ...ledger, standing: (subject) => (subject === SUPPORT ? stopped.standing : null) }),
            ),
          standingNow: (at: number) => at,
        } as VerifierDeps['state'];
        return verifierDeps({
          state: told,
          clock,
          fleet: fleet ?? null,
          passport: () => ({ status: 'found', passport: issued }),
        });
      };
      const alone = depsOf(null);
      const shared = openAt(statePath(), clock);
      const tables = new SharedTables();
      const fleet = [0, 1].map(() => depsOf({ memory: new LedgerMemory(shared, clock, tables), resumes: false }));
      const given: string[] = [];
      for (const { waitMs, verifier, dryRun, stops, batch } of history) {
        now += waitMs;
        stopped.standing =
          stops === null
            ? null
            : {
                subject: SUPPORT,
                status: stops,
                reason: 'test',
                changedAt: now,
                changedBy: null,
                suspendedUntil: stops === 'suspended' ? now + 60_000 : null,
                version: 1,
              };
        const texts = batch.map(({ action, amount, again, ageS }) => {
          const known = again === null ? undefined : given[again];
          const made =
            known ??
            line(intent(`h${drawn++}`, { action, params: { amount }, timestamp: Math.floor(now / 1000) - ageS }));
          given.push(made);
          return made;
        });
        const submissions = texts.map((bytes) => ({ bytes, source: null }));
        const options = { ...VERIFY, dryRun };
        const expected = await verifyIntents(alone, options, submissions);
        const found = await verifyIntents(fleet[verifier]!, options, submissions);
        const told = (judged: typeof found) => judged.map(({ decision }, i) => plain(decision, texts[i]!, now));
        expect(told(found)).toEqual(told(expected));
        for (const { decision } of found)
          seen.set(decision.error_code ?? 'accepted', (seen.get(decision.error_code ?? 'accepted') ?? 0) + 1);
      }
    }),
    { numRuns: 40 },
  );
  // The histories come to where memories differ.
  for (const code of ['accepted', 'AIP-E205', 'AIP-E212', 'AIP-E213', 'AIP-E301', 'AIP-E302', 'AIP-E401', 'AIP-E402'])
    expect(seen.get(code) ?? 0, code).toBeGreaterThan(0);
});
