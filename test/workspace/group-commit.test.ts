import { setImmediate } from 'node:timers';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../src/app/failure.js';
import type { Ledger } from '../../src/app/ports/state.js';
import type { Submission, VerifierDeps } from '../../src/app/verification/intents.js';
import type { Judgement } from '../../src/verify/judge.js';
import { GroupCommit, type GroupOptions } from '../../src/workspace/group-commit.js';
import { VERIFY, verifierDeps } from '../kit/native/verifier.js';
import { openAt, statePath } from '../kit/state/temporary.js';
import { AGENT, supportAgent, T0, workshop, type Workshop } from '../library/workshop.js';

/** A group commit on a real state file, with a place to break the world. */
async function grouped(
  aip: Workshop,
  breakOn: (batch: number, ledger: Ledger) => void = () => undefined,
  options: GroupOptions = {},
  hooks: VerifierDeps['hooks'] = () => null,
) {
  const passport = await supportAgent(aip, { constraints: {} });
  const { passportOf } = await import('../../src/protocol/passport.js');
  const { verifyKeyOf } = await import('../../src/protocol/ed25519/verify.js');
  const { parsePublicKey } = await import('../../src/protocol/identity/keys.js');
  const parsed = passportOf(JSON.parse(JSON.stringify(passport)) as never);
  const pin = { keyId: 'did:web:acme.com#key-1', key: verifyKeyOf(parsePublicKey(passport.principalPublicKey)!)! };
  const state = openAt(statePath());
  let batches = 0;
  const deps = verifierDeps({
    state: {
      transact: (work) =>
        state.transact((ledger) => {
          breakOn(++batches, ledger);
          return work(ledger);
        }),
      rehearse: (work) => state.rehearse(work),
      look: (work) => state.look(work),
      standingNow: (now) => state.standingNow(now),
    },
    clock: () => T0,
    passport: (agentId) => (agentId === AGENT ? { status: 'found', passport: parsed } : { status: 'unknown' }),
    pins: () => [pin],
    hooks,
  });
  const group = new GroupCommit(deps, (work) => void setImmediate(work), options);
  const intents = async (count: number): Promise<Submission[]> =>
    Promise.all(
      Array.from({ length: count }, async () => ({
        bytes: JSON.stringify(await aip.createIntent({ agentId: AGENT, action: 'issue_refund' })),
        source: null,
      })),
    );
  return { group, intents, state, batches: () => batches };
}

describe('a group commit', () => {
  test('puts 600 calls of one moment into three transactions, and one by one into one each', async () => {
    const { group, intents, batches } = await grouped(workshop());
    const all = await intents(603);
    const first = await Promise.all(all.slice(0, 600).map((submission) => group.verify(submission, VERIFY)));
    expect(first.every(({ decision }) => decision.success)).toBe(true);
    expect(batches()).toBe(3);
    for (const submission of all.slice(600)) await group.verify(submission, VERIFY);
    expect(batches()).toBe(6);
  });

  test('a state that fails refuses all of a batch an answer, and accepts none', async () => {
    const { group, intents, state } = await grouped(workshop(), (batch) => {
      if (batch === 1) throw new Failure('STATE', 'The disk is full.');
    });
    const all = await intents(20);
    const answers = await Promise.allSettled(all.map((submission) => group.verify(submission, VERIFY)));
    expect(answers.map(({ status }) => status)).toEqual(all.map(() => 'rejected'));
    expect([...state.entries({})]).toEqual([]);
    const again = await Promise.all(all.map((submission) => group.verify(submission, VERIFY)));
    expect(again.every(({ decision }) => decision.success)).toBe(true);
  });

  test('a bug that one call meets is not met by the others', async () => {
    let poisoned = '';
    const { group, intents, state } = await grouped(workshop(), (_, ledger) => {
      const { append } = ledger;
      ledger.append = (draft) => {
        if (draft.nonce === poisoned) throw new TypeError('a bug');
        return append(draft);
      };
    });
    const all = await intents(12);
    poisoned = (JSON.parse(all[5]!.bytes as string) as { nonce: string }).nonce;
    const answers = await Promise.allSettled(all.map((submission) => group.verify(submission, VERIFY)));
    expect(answers.map(({ status }) => status)).toEqual(all.map((_, i) => (i === 5 ? 'rejected' : 'fulfilled')));
    expect([...state.entries({})]).toHaveLength(11);
  });

  test('a bug before the transaction stays with its call as well', async () => {
    const { group, intents } = await grouped(workshop());
    const all: Submission[] = await intents(6);
    const broken: Submission = {
      ...all[2]!,
      trusting: () => {
        throw new RangeError('a bug');
      },
    };
    const answers = await Promise.allSettled(
      all.map((submission, i) => group.verify(i === 2 ? broken : submission, VERIFY)),
    );
    expect(answers.map(({ status }) => status)).toEqual(all.map((_, i) => (i === 2 ? 'rejected' : 'fulfilled')));
  });

  test('judges each call by its own policy, whatever is asked beside it', async () => {
    const { group, intents } = await grouped(workshop());
    const policies = [{}, { dialects: ['aip-1'] }, {}, { maxAgeMs: -1 }] as const;
    const all = await intents(policies.length);
    const answers = await Promise.all(
      policies.map((more, i) => group.verify(all[i]!, { ...VERIFY, policy: { ...VERIFY.policy, ...more } })),
    );
    expect(answers.map(({ decision }) => decision.success)).toEqual([true, false, true, false]);
  });

  test('is idle when all have their answers, also the failed ones', async () => {
    const { group, intents } = await grouped(workshop(), () => {
      throw new Failure('STATE', 'The disk is full.');
    });
    await group.idle();
    const [submission] = await intents(1);
    const answer = group.verify(submission!, VERIFY);
    const failed = expect(answer).rejects.toThrow('The disk is full.');
    await group.idle();
    await failed;
  });
});

describe('calls in order', () => {
  const turns = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
  };

  test('are committed as they were made, though a later one is prepared first', async () => {
    let answerHook: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => (answerHook = resolve));
    let first = '';
    const { group, intents, state } = await grouped(workshop(), undefined, { inOrder: true }, () => async (intent) => {
      if (intent.document.nonce === first) await slow;
      return [{ hook: 'slow', result: 'allow' }];
    });
    const [one, two] = await intents(2);
    first = (JSON.parse(one!.bytes as string) as { nonce: string }).nonce;
    const told: string[] = [];
    const tell = (name: string) => async (judgements: readonly Judgement[]) =>
      void told.push(...judgements.map(({ decision }) => `${name} ${decision.error_code ?? 'ok'}`));
    const answers = [[one!], [two!], [one!]].map((lines, i) => group.verifyAll(lines, VERIFY, tell(`${i}`)));
    await turns(20);
    expect(told).toEqual([]);
    answerHook();
    await Promise.all(answers);
    expect(told).toEqual(['0 ok', '1 ok', '2 AIP-E301']);
    expect([...state.entries({})]).toHaveLength(3);
  });

  test('commit nothing more until the answers before were taken', async () => {
    const { group, intents, batches } = await grouped(workshop(), undefined, { inOrder: true });
    const all = await intents(600);
    let take: () => void = () => undefined;
    const taken = new Promise<void>((resolve) => (take = resolve));
    const answers = [all.slice(0, 256), all.slice(256, 512), all.slice(512)].map((lines) =>
      group.verifyAll(lines, VERIFY, () => taken),
    );
    while (batches() === 0) await turns(1);
    await turns(50);
    expect(batches()).toBe(1);
    take();
    await Promise.all(answers);
    expect(batches()).toBe(3);
  });

  test.each(['STATE', 'bug'])('judge nothing behind a failure: %s', async (kind) => {
    const { group, intents, state } = await grouped(
      workshop(),
      (batch) => {
        if (batch === 2) throw kind === 'bug' ? new TypeError('a bug') : new Failure('STATE', 'The disk is full.');
      },
      { inOrder: true },
    );
    const all = await intents(600);
    const told: number[] = [];
    const answers = await Promise.allSettled(
      [all.slice(0, 256), all.slice(256, 512), all.slice(512)].map((lines) =>
        group.verifyAll(lines, VERIFY, async ({ length }) => void told.push(length)),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(told).toEqual([256]);
    expect([...state.entries({})]).toHaveLength(256);
    await group.idle();
  });

  test('judge nothing more once answers cannot be given', async () => {
    const { group, intents, state } = await grouped(workshop(), undefined, { inOrder: true });
    const all = await intents(600);
    const answers = await Promise.allSettled(
      [all.slice(0, 256), all.slice(256, 512), all.slice(512)].map((lines) =>
        group.verifyAll(lines, VERIFY, () => Promise.reject(new Error('the reader is gone'))),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect([...state.entries({})]).toHaveLength(256);
  });

  test('a bug before the transaction leaves those before it their answers', async () => {
    const { group, intents, state } = await grouped(workshop(), undefined, { inOrder: true });
    const all: Submission[] = await intents(3);
    const broken: Submission = {
      ...all[1]!,
      trusting: () => {
        throw new RangeError('a bug');
      },
    };
    const told: number[] = [];
    const answers = await Promise.allSettled(
      [[all[0]!], [broken], [all[2]!]].map((lines, i) =>
        group.verifyAll(lines, VERIFY, async () => {
          await turns(5);
          told.push(i);
        }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(told).toEqual([0]);
    expect([...state.entries({})]).toHaveLength(1);
  });
});
