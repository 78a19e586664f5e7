/** Hooks are asked before the transaction, and their step comes after four others that are judged inside it. */
import { expect, test } from 'vitest';
import { commitBatch, prepareBatch } from '../../../src/app/verification/intents.js';
import { readPassport } from '../../../src/protocol/passport.js';
import { refund } from '../../kit/native/intent-parts.js';
import { line, NOW_S } from '../../kit/native/parts.js';
import { fixtureBytes } from '../../kit/native/vectors.js';
import { knowing, VERIFY, verifierDeps } from '../../kit/native/verifier.js';

function verifier() {
  const passport = readPassport(fixtureBytes('passport-support-agent.json'));
  let now = NOW_S * 1000;
  let asked = 0;
  const ask = async () => {
    asked++;
    return [];
  };
  const deps = verifierDeps({ ...knowing(passport), clock: () => now, hooks: () => ask });
  return {
    prepare: (text: string) => prepareBatch(deps, VERIFY, [{ bytes: text, source: null }]),
    commit: (batch: Awaited<ReturnType<typeof prepareBatch>>) => commitBatch(deps, VERIFY, batch)[0]!.decision,
    wait: (ms: number) => void (now += ms),
    asked: () => asked,
  };
}

test('asking what the earlier steps say spends nothing', async () => {
  const { prepare, commit, asked } = verifier();
  const text = line(refund('one', { params: { amount: 50 } }));
  const [first, second] = [await prepare(text), await prepare(text)];
  expect(asked()).toBe(2);
  expect([commit(first).success, commit(second).error_code]).toEqual([true, 'AIP-E301']);
});

test('an intent that was refused when the hooks would have been asked gets no yes when it no longer is', async () => {
  const { prepare, commit, wait, asked } = verifier();
  const ahead = line(refund('ahead', { params: { amount: 50 }, timestamp: NOW_S + 60 }));
  const batch = await prepare(ahead);
  expect(asked()).toBe(0);
  wait(60_000);
  expect(commit(batch)).toMatchObject({ success: false, error_code: 'HOOK_FAILED' });
});
