import { describe, expect, test } from 'vitest';
import { verifyIntents, type VerifyOptions } from '../../../src/app/verification/intents.js';
import { passportOf } from '../../../src/protocol/passport.js';
import { refund } from '../../kit/native/intent-parts.js';
import { line, NOW_S } from '../../kit/native/parts.js';
import { passport as passportDocument } from '../../kit/native/passport-cases.js';
import { knowing, VERIFY, verifierDeps } from '../../kit/native/verifier.js';

const MINUTE = 60;

/** A verifier in use: `at(s)` is what it says of an intent s seconds into its life. */
function verifier() {
  const passport = passportOf(passportDocument('support-agent-v1'));
  let now = NOW_S * 1000;
  const deps = verifierDeps({ ...knowing(passport), clock: () => now });
  const judge = async (text: string, changes: Partial<VerifyOptions> & { maxAge?: number } = {}) => {
    const policy = { ...VERIFY.policy, maxAgeMs: (changes.maxAge ?? 300) * 1000 };
    const options = { ...VERIFY, policy, ...changes };
    const [judgement] = await verifyIntents(deps, options, [{ bytes: text, source: null }]);
    return judgement!.decision.error_code ?? 'ok';
  };
  const fresh = (s: number) => line(refund(`${s}`, { timestamp: NOW_S + s, params: { amount: 0, s } }));
  /** Lets time pass, with an intent every few minutes. */
  const until = async (s: number) => {
    while (now < (NOW_S + s) * 1000) {
      now = Math.min(now + 4 * MINUTE * 1000, (NOW_S + s) * 1000);
      expect(await judge(fresh(now / 1000 - NOW_S))).toBe('ok');
    }
  };
  /** Lets time pass in which nothing comes. */
  const quiet = (s: number) => {
    now = (NOW_S + s) * 1000;
  };
  return { judge, fresh, until, quiet };
}

describe('an intent that was accepted, once its nonce is forgotten', () => {
  test.each([
    ['as of its own time', { at: NOW_S * 1000 }],
    ['within a window that was made longer', { maxAge: 24 * 60 * MINUTE }],
  ])('is not accepted again %s', async (_, changes) => {
    const { judge, fresh, until } = verifier();
    const captured = fresh(0);
    expect(await judge(captured)).toBe('ok');
    await until(20 * MINUTE);
    expect(await judge(captured, changes)).toMatch(/^AIP-E30[12]$/);
    await until(80 * MINUTE);
    expect(await judge(captured, changes)).toBe('AIP-E302');
    expect(await judge(captured)).toBe('AIP-E302');
  });

  test.each([
    ['as of its own time', { at: (NOW_S + 25) * 1000 }],
    ['within a window that was made longer', { maxAge: 60 * MINUTE }],
  ])('is not accepted again %s, though it was dated after it came', async (_, changes) => {
    const { judge, fresh, quiet } = verifier();
    const captured = fresh(25);
    expect(await judge(captured)).toBe('ok');
    quiet(15 * MINUTE);
    expect(await judge(fresh(15 * MINUTE))).toBe('ok');
    expect(await judge(captured, changes)).toBe('AIP-E302');
  });

  test('can still be judged without being accepted', async () => {
    const { judge, fresh, until } = verifier();
    const captured = fresh(0);
    await until(80 * MINUTE);
    expect(await judge(captured, { at: NOW_S * 1000, dryRun: true })).toBe('ok');
    expect(await judge(captured, { at: NOW_S * 1000 })).toBe('AIP-E302');
  });
});

test('long windows are remembered for as long as they are', async () => {
  const { judge, fresh, until } = verifier();
  const maxAge = 120 * MINUTE;
  expect(await judge(fresh(1), { maxAge })).toBe('ok');
  await until(10 * MINUTE);
  expect(await judge(fresh(1), { maxAge })).toBe('AIP-E301');
});

test('nothing fresh is refused, however much is forgotten', async () => {
  const { judge, fresh, until } = verifier();
  await until(120 * MINUTE);
  expect(await judge(fresh(115 * MINUTE + 1))).toBe('ok');
  expect(await judge(fresh(120 * MINUTE + 30))).toBe('ok');
});

test('an intent refused for its date cannot be held back until it comes into force', async () => {
  const { judge, fresh, quiet } = verifier();
  const captured = fresh(120 * MINUTE);
  expect(await judge(captured)).toBe('AIP-E303');
  for (const s of [15, 30, 60, 90]) {
    quiet(s * MINUTE);
    expect(await judge(fresh(s * MINUTE))).toBe('ok');
  }
  quiet(120 * MINUTE);
  expect(await judge(captured)).toBe('AIP-E301');
});

test('no date is too far ahead to be remembered', async () => {
  const { judge } = verifier();
  const dated = line(refund('far', { timestamp: Number.MAX_SAFE_INTEGER, params: { amount: 0 } }));
  expect(await judge(dated)).toBe('AIP-E303');
  expect(await judge(dated)).toBe('AIP-E301');
});
