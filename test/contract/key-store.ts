import { describe, expect, test } from 'vitest';
import type { FailureCode } from '../../src/app/failure.js';
import { Failure } from '../../src/app/failure.js';
import type { KeyStore } from '../../src/app/ports/state.js';
import { formatSeed } from '../../src/protocol/identity/keys.js';

export interface KeyStoreSubject {
  /** An empty store. */
  readonly store: KeyStore;
  /** The same place, opened again, as the next command would. */
  readonly reopened: KeyStore;
  /** A ref of the right form under which nothing is stored. */
  readonly strayRef: string;
  /** False for a store with room for one key. */
  readonly holdsMany: boolean;
}

export const KEY_ID = 'did:web:acme.com:agents:support-agent-v1#key-1';
const OTHER_ID = 'did:web:acme.com:agents:support-agent-v1#key-2';

/** A seed that is easy to find in any text that should not hold it. */
export function seedOf(byte: number): Uint8Array {
  return new Uint8Array(32).fill(byte);
}

/** The failure that `work` ends with; an error of another kind, or none, fails the test. */
export async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const outcome = await work.then(
    () => 'no failure',
    (cause: unknown) => cause,
  );
  expect(outcome).toBeInstanceOf(Failure);
  return outcome as Failure;
}

export async function expectFailure(work: Promise<unknown>, code: FailureCode): Promise<Failure> {
  const failure = await failureOf(work);
  expect({ code: failure.code, message: failure.message }).toEqual({ code, message: failure.message });
  return failure;
}

/** Everything a failure could say to anybody. */
export function wordsOf(failure: Failure): string {
  return [failure.message, failure.hint, failure.stack, String(failure.cause), JSON.stringify(failure)].join('\n');
}

/** What every KeyStore does. `open` gives a new empty store for each test. */
export function keyStoreContract(open: () => Promise<KeyStoreSubject> | KeyStoreSubject): void {
  describe('as any key store', () => {
    test('gives back the seed it was given, also to the next process', async () => {
      const { store, reopened } = await open();
      const ref = await store.create(KEY_ID, seedOf(7));
      expect(await store.read(ref)).toEqual(seedOf(7));
      expect(await reopened.read(ref)).toEqual(seedOf(7));
    });

    test('a ref holds no key', async () => {
      const { store } = await open();
      const ref = await store.create(KEY_ID, seedOf(7));
      expect(ref).not.toContain('07070707');
      expect(ref.length).toBeGreaterThan(0);
    });

    test('hands out copies: changing one changes nothing stored', async () => {
      const { store } = await open();
      const given = seedOf(9);
      const ref = await store.create(KEY_ID, given);
      given.fill(0);
      (await store.read(ref)).fill(1);
      expect(await store.read(ref)).toEqual(seedOf(9));
    });

    test('a key that is not there is KEY_NOT_FOUND, and is not made', async () => {
      const { store, strayRef } = await open();
      await expectFailure(store.read(strayRef), 'KEY_NOT_FOUND');
      await expectFailure(store.read(strayRef), 'KEY_NOT_FOUND');
    });

    test('says beforehand under which ref a key will be', async () => {
      const { store } = await open();
      const foretold = store.refOf(KEY_ID);
      expect(await store.create(KEY_ID, seedOf(7))).toBe(foretold);
    });

    test('never overwrites', async () => {
      const { store, reopened } = await open();
      const ref = await store.create(KEY_ID, seedOf(7));
      const failure = await expectFailure(reopened.create(KEY_ID, seedOf(8)), 'EXISTS');
      expect(wordsOf(failure)).not.toContain(formatSeed(seedOf(7)).slice(8));
      expect(wordsOf(failure)).not.toContain(formatSeed(seedOf(8)).slice(8));
      expect(await store.read(ref)).toEqual(seedOf(7));
    });

    test('keeps two keys apart, or refuses the second', async () => {
      const { store, holdsMany } = await open();
      const first = await store.create(KEY_ID, seedOf(1));
      if (!holdsMany) {
        await expectFailure(store.create(OTHER_ID, seedOf(2)), 'EXISTS');
        expect(await store.read(first)).toEqual(seedOf(1));
        return;
      }
      const second = await store.create(OTHER_ID, seedOf(2));
      expect(second).not.toBe(first);
      expect([await store.read(first), await store.read(second)]).toEqual([seedOf(1), seedOf(2)]);
      expect(await store.delete(first)).toBe(true);
      expect(await store.read(second)).toEqual(seedOf(2));
    });

    test('forgets what is deleted, and says whether it was there', async () => {
      const { store, reopened, strayRef } = await open();
      expect(await store.delete(strayRef)).toBe(false);
      const ref = await store.create(KEY_ID, seedOf(7));
      expect(await store.delete(ref)).toBe(true);
      expect(await store.delete(ref)).toBe(false);
      await expectFailure(reopened.read(ref), 'KEY_NOT_FOUND');
    });

    test('takes a new key in the place of a deleted one', async () => {
      const { store } = await open();
      await store.delete(await store.create(KEY_ID, seedOf(7)));
      const ref = await store.create(KEY_ID, seedOf(8));
      expect(await store.read(ref)).toEqual(seedOf(8));
    });

    test('of several creations at once at most one wins, and its key is the one stored', async () => {
      const { store, reopened } = await open();
      const outcomes = await Promise.allSettled(
        [1, 2, 3, 4].map((n) => (n % 2 ? store : reopened).create(KEY_ID, seedOf(n))),
      );
      const winners = outcomes.flatMap((outcome, i) =>
        outcome.status === 'fulfilled' ? [{ n: i + 1, ref: outcome.value }] : [],
      );
      expect(winners).toHaveLength(1);
      expect(await store.read(winners[0]!.ref)).toEqual(seedOf(winners[0]!.n));
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'EXISTS' });
      }
    });
  });
}
