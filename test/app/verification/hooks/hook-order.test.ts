/** Hooks are asked before the transaction, and their step comes after four others that are judged inside it. */
import { expect, test } from 'vitest';
import { commitBatch, prepareBatch } from '../../../../src/app/verification/intents.js';
import { readPassport } from '../../../../src/protocol/passport.js';
import { refund } from '../../../kit/native/intent-parts.js';
import { line, NOW_S } from '../../../kit/native/parts.js';
import { fixtureBytes } from '../../../kit/native/vectors.js';
import { openAt, statePath } from '../../../kit/state/temporary.js';
import { Database } from '../../../../src/adapters/sqlite/engine/database.js';
import { knowing, VERIFY, verifierDeps } from '../../../kit/native/verifier.js';
import type { Judgement } from '../../../../src/verify/judge.js';

function verifier(window: { readonly maxAgeMs?: number } = {}) {
  const passport = readPassport(fixtureBytes('passport-support-agent.json'));
  let now = NOW_S * 1000;
  let asked = 0;
  const ask = async () => {
    asked++;
    return [];
  };
  const path = statePath();
  const deps = verifierDeps({
    ...knowing(passport),
    state: openAt(path, () => now),
    clock: () => now,
    hooks: () => ask,
  });
  const options = { ...VERIFY, policy: { ...VERIFY.policy, ...window } };
  return {
    prepare: (text: string, changes = {}) =>
      prepareBatch(deps, { ...options, ...changes }, [{ bytes: text, source: null }]),
    commit: (batch: Awaited<ReturnType<typeof prepareBatch>>, changes = {}) =>
      (commitBatch(deps, { ...options, ...changes }, batch) as Judgement[])[0]!.decision,
    /** Runs `work` while another connection holds the write lock. */
    locked: async (work: () => Promise<unknown>) => {
      const other = new Database(path, 0);
      other.exec('BEGIN IMMEDIATE');
      try {
        await work();
      } finally {
        other.rollback();
        other.close();
      }
    },
    /** What a busy verifier does for another agent. */
    others: (i: number) =>
      deps.state.transact((ledger) => {
        ledger.spendNonce(
          'another agent',
          String(i).padStart(32, '0'),
          now,
          'accepted',
          now + 2 * options.policy.maxAgeMs,
        );
        ledger.prune(now);
      }),
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

test('nobody is asked about an intent that the commit refuses because its nonce may be forgotten', async () => {
  const { prepare, commit, wait, asked, others } = verifier({ maxAgeMs: 24 * 3_600_000 });
  const captured = line(refund('captured', { params: { amount: 50 } }));
  expect(commit(await prepare(captured)).success).toBe(true);
  // As if others had been busy for days: its nonce is forgotten, and nothing else of its agent's refuses it.
  for (let hour = 1; hour <= 150; hour++) {
    wait(3_600_000);
    others(hour);
  }
  const before = asked();
  const again = await prepare(captured, { at: NOW_S * 1000 });
  expect(asked()).toBe(before);
  expect(commit(again, { at: NOW_S * 1000 }).error_code).toBe('AIP-E302');
});

test('what the earlier steps say is asked without a write lock', async () => {
  const { prepare, asked, locked } = verifier();
  const text = line(refund('busy', { params: { amount: 50 } }));
  await locked(() => prepare(text));
  expect(asked()).toBe(1);
});

test('an intent that was refused when the hooks would have been asked gets no yes when it no longer is', async () => {
  const { prepare, commit, wait, asked } = verifier();
  const ahead = line(refund('ahead', { params: { amount: 50 }, timestamp: NOW_S + 60 }));
  const batch = await prepare(ahead);
  expect(asked()).toBe(0);
  wait(60_000);
  expect(commit(batch)).toMatchObject({ success: false, error_code: 'HOOK_FAILED' });
});
