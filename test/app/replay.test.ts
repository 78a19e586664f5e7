import { expect, test } from 'vitest';
import { LocalTrust } from '../../src/app/local-trust.js';
import { verifyIntents, type VerifierDeps } from '../../src/app/verify-intents.js';
import { refund } from '../kit/native/intent-parts.js';
import { line, NOW_S } from '../kit/native/parts.js';
import { fixtureBytes, pinsOf } from '../kit/native/vectors.js';
import { readPassport } from '../../src/protocol/passport.js';
import { openAt, statePath } from '../kit/state/temporary.js';

const passport = readPassport(fixtureBytes('passport-support-agent.json'));

test('what a strict verifier accepted is a replay to a lenient one with the same state', async () => {
  let now = NOW_S * 1000;
  const state = openAt(statePath(), () => now);
  const deps: VerifierDeps = {
    state,
    clock: () => now,
    ticks: () => 0,
    passport: (id) => (id === passport.agent.id ? { status: 'found', passport } : new LocalTrust(state).passport(id)),
    pins: pinsOf,
    loadSchemaCheck: () => expect.unreachable(),
    freshness: () => ({ mesh: false, ageMs: null, maxAgeMs: 30_000, onStale: 'last-known' }),
    hooks: () => null,
    approved: () => false,
    trust: () => null,
  };
  const judge = async (text: string, maxAgeMs: number) => {
    const policy = { maxAgeMs, maxSkewMs: 30_000, minTrust: null };
    const options = { policy, at: null, dryRun: false, geo: null, logParams: 'masked', parallel: false } as const;
    const [judgement] = await verifyIntents(deps, options, [{ bytes: text, source: null }]);
    return judgement!.decision.error_code ?? 'ok';
  };

  const captured = line(refund('captured', { timestamp: NOW_S }));
  expect(await judge(captured, 5000)).toBe('ok');
  for (let s = 6; s < 290; s += 6) {
    now = (NOW_S + s) * 1000;
    const fresh = line(refund(`at ${s}`, { timestamp: NOW_S + s, params: { amount: 0 } }));
    expect(['ok', 'AIP-E205']).toContain(await judge(fresh, 5000));
  }
  expect(await judge(captured, 300_000)).toBe('AIP-E301');
});
