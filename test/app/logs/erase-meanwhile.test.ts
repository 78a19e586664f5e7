/** What happens to a log while another process erases from it. */
import { expect, test } from 'vitest';
import { eraseEntries, planErasure, type ErasableLog, type ErasureWish } from '../../../src/app/logs/erase.js';
import { ErasureCheck } from '../../../src/app/logs/erasures.js';
import { checkTree, type NoteSigner } from '../../../src/app/proof/checkpoint.js';
import type { SqliteState } from '../../../src/adapters/sqlite/open.js';
import { publicKeyOf, signMessage } from '../../../src/protocol/ed25519/sign.js';
import { toHex } from '../../../src/protocol/hex.js';
import { formatPublicKey } from '../../../src/protocol/identity/keys.js';
import { AGENT, draft, T0 } from '../../kit/state/drafts.js';
import { openAt, statePath } from '../../kit/state/temporary.js';

const seed = new Uint8Array(32).fill(7);
const KEY: NoteSigner = {
  publicKey: formatPublicKey(publicKeyOf(seed)),
  sign: (text) => toHex(signMessage(seed, Buffer.from(text))),
};
const ENTRIES = 600;

function twoOpenings(): readonly [SqliteState, SqliteState] {
  const path = statePath();
  const one = openAt(path);
  one.transact((ledger) => {
    for (let i = 0; i < ENTRIES; i++)
      ledger.append(draft({ params: { email: `${i}@acme.com`, phone: `+1 555 ${i}` } }));
  });
  return [one, openAt(path)];
}

function eraseNow(log: ErasableLog, param: string): Promise<unknown> {
  const wish: ErasureWish = { agentId: AGENT, param, before: null };
  return eraseEntries(log, planErasure(log, wish), KEY, T0, () => Promise.resolve());
}

/** The log of `state`, in which `before` happens between what was read of it and the writing. */
function interrupted({ archive, ...log }: ErasableLog, before: () => void): ErasableLog {
  return {
    ...log,
    archive: new Proxy(archive, {
      get(target, name: keyof typeof archive) {
        if (name === 'erase') before();
        return (target[name] as (...given: unknown[]) => unknown).bind(target);
      },
    }),
  };
}

function erasable(state: SqliteState): ErasableLog {
  return {
    records: (query) => state.records(query),
    outcomesOf: (seq) => state.outcomesOf(seq),
    decision: (seq) => state.decision(seq),
    archive: state.archive,
  };
}

test('what one of two that erase at once has taken does not come back with the other', async () => {
  const [one, other] = twoOpenings();
  let done = false;
  await eraseNow(
    interrupted(erasable(one), () => {
      if (!done) void eraseNow(erasable(other), 'phone');
      done = true;
    }),
    'email',
  );
  expect([...one.entries({})].flatMap(({ params }) => Object.keys(params!))).toEqual([]);
});

test('an erasure is seen by who reads the tree meanwhile', async () => {
  const [one, other] = twoOpenings();
  const check = new ErasureCheck([publicKeyOf(seed)]);
  let erased: Promise<unknown> | null = null;
  const tree = await checkTree(
    one,
    [],
    () => Promise.resolve(),
    (record) => {
      erased ??= eraseNow(erasable(other), 'email');
      check.see(record);
    },
  );
  expect(tree).toEqual({ ok: true, size: ENTRIES });
  expect(check.problem()).toBeNull();
});
