import { expect, test } from 'vitest';
import { verifyIntents } from '../../../src/app/verification/intents.js';
import { refund } from '../../kit/native/intent-parts.js';
import { line, NOW_S } from '../../kit/native/parts.js';
import { fixtureBytes } from '../../kit/native/vectors.js';
import { knowing, VERIFY, verifierDeps } from '../../kit/native/verifier.js';
import { readPassport } from '../../../src/protocol/passport.js';

const passport = readPassport(fixtureBytes('passport-support-agent.json'));

test('what a strict verifier accepted is a replay to a lenient one with the same state', async () => {
  let now = NOW_S * 1000;
  const deps = verifierDeps({ ...knowing(passport), clock: () => now });
  const judge = async (text: string, maxAgeMs: number) => {
    const policy = { ...VERIFY.policy, maxAgeMs };
    const [judgement] = await verifyIntents(deps, { ...VERIFY, policy }, [{ bytes: text, source: null }]);
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
