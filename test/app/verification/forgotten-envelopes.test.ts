import { expect, test } from 'vitest';
import { verifyIntents, type VerifyOptions } from '../../../src/app/verification/intents.js';
import { verifyKeyOf } from '../../../src/protocol/ed25519/verify.js';
import { fromHex } from '../../../src/protocol/hex.js';
import { KEYS, NOW, signed, text } from '../../kit/conformance/parts.js';
import { VERIFY, verifierDeps } from '../../kit/native/verifier.js';

const MINUTE = 60_000;

/** A verifier in use, whose clock the test moves. */
function verifier() {
  const clock = { now: NOW };
  const deps = verifierDeps({
    clock: () => clock.now,
    pins: () => [],
    envelopes: {
      publicKey: verifyKeyOf(fromHex(KEYS.agent)!),
      sharedKey: () => null,
      mandate: () => ({ status: 'none' }),
      requireMandate: false,
      minTier: 0,
      registry: null,
    },
  });
  const judge = async (document: string, changes: Partial<VerifyOptions> = {}) => {
    const [judgement] = await verifyIntents(deps, { ...VERIFY, ...changes }, [{ bytes: document, source: null }]);
    return judgement!.decision.error_code ?? 'ok';
  };
  /** Lets time pass, with an envelope every few minutes. */
  const until = async (minute: number) => {
    while (clock.now < NOW + minute * MINUTE) {
      clock.now = Math.min(clock.now + 4 * MINUTE, NOW + minute * MINUTE);
      expect(await judge(issued(clock.now))).toBe('ok');
    }
  };
  return { judge, until, clock };
}

function issued(at: number, lifetime = 300_000): string {
  return text(
    signed(`forgotten ${at} ${lifetime}`, {
      'intent.parameters': {},
      issued_at: new Date(at).toISOString(),
      expires_at: new Date(at + lifetime).toISOString(),
      ttl: Math.min(86_400, Math.ceil(lifetime / 1000)),
    }),
  );
}

test('an envelope that was accepted is not accepted again as of its own time, once its nonce is forgotten', async () => {
  const { judge, until } = verifier();
  const captured = issued(NOW);
  expect(await judge(captured)).toBe('ok');
  await until(8);
  expect(await judge(captured, { at: NOW })).toBe('AIP-E102');
  await until(80);
  expect(await judge(captured, { at: NOW })).toBe('AIP-E101');
  expect(await judge(captured)).toBe('AIP-E101');
});

test('it can still be judged without being accepted', async () => {
  const { judge, until } = verifier();
  const captured = issued(NOW);
  await until(80);
  expect(await judge(captured, { at: NOW, dryRun: true })).toBe('ok');
  expect(await judge(captured, { at: NOW })).toBe('AIP-E101');
});

test('an envelope in force is not refused, however much of its time is forgotten, and counts once', async () => {
  const { judge, until } = verifier();
  const long = issued(NOW, 24 * 60 * MINUTE);
  const other = issued(NOW + 1, 24 * 60 * MINUTE);
  expect(await judge(other)).toBe('ok');
  await until(120);
  expect(await judge(long)).toBe('ok');
  expect(await judge(long)).toBe('AIP-E102');
  expect(await judge(other)).toBe('AIP-E102');
});

test('an envelope accepted ahead of its time is remembered until that time is over', async () => {
  const { judge, until } = verifier();
  const ahead = issued(NOW + 60 * MINUTE + 1);
  expect(await judge(ahead, { at: NOW + 60 * MINUTE })).toBe('ok');
  await until(61);
  expect(await judge(ahead)).toBe('AIP-E102');
});

test('an envelope that lives for a day is not accepted again after a clock that was hours ahead', async () => {
  const { judge, clock } = verifier();
  const captured = issued(NOW, 24 * 60 * MINUTE);
  expect(await judge(captured)).toBe('ok');
  for (const ahead of [25, 30, 40]) {
    clock.now = NOW + ahead * 60 * MINUTE;
    expect(await judge(issued(clock.now))).toBe('ok');
  }
  clock.now = NOW + 10 * MINUTE;
  expect(await judge(captured)).toBe('AIP-E102');
});
