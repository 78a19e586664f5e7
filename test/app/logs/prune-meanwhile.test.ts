/** What happens to the check of a log while another process prunes it. */
import { expect, test } from 'vitest';
import { readUnpruned } from '../../../src/app/logs/check.js';
import { checkAgainstStatements } from '../../../src/app/logs/checkpoint.js';
import { planPruning } from '../../../src/app/logs/prune.js';
import { signStatement, type PruningSummary } from '../../../src/app/logs/statements.js';
import { publicKeyOf, signMessage } from '../../../src/protocol/ed25519/sign.js';
import { toHex } from '../../../src/protocol/hex.js';
import { formatPublicKey } from '../../../src/protocol/identity/keys.js';
import { canonicalize } from '../../../src/protocol/json/canonical.js';
import { formatTime } from '../../../src/protocol/time.js';
import { draft, T0 } from '../../kit/state/drafts.js';
import { openAt, statePath } from '../../kit/state/temporary.js';

const seed = new Uint8Array(32).fill(7);
const publicKey = publicKeyOf(seed);
const KEY = {
  keyId: 'this machine',
  publicKey,
  sign: (bytes: Uint8Array) => Promise.resolve(signMessage(seed, bytes)),
};
const pause = (): Promise<void> => Promise.resolve();

test('what is pruned when the statements are read already is not called missing', async () => {
  const path = statePath();
  const [one, other] = [openAt(path), openAt(path)];
  one.transact((ledger) => {
    for (let i = 0; i < 20; i++) ledger.append(draft({ at: T0 + i }));
  });
  const { plan } = await planPruning(other, { before: T0 + 10, now: T0 + 10 }, pause, null, null);
  const { after, until, firstTime, lastTime, codes, agents } = plan!;
  const text = await signStatement<PruningSummary>(
    {
      ...{ type: 'log-pruning', log_id: other.logId, after, until, first_time: firstTime, last_time: lastTime },
      ...{ successful: 10, failed: 0, unattributed: 0, codes, agents, time: formatTime(T0) },
    },
    KEY,
  );
  let pruned = false;
  const log = {
    logId: one.logId,
    archive: one.archive,
    records: (query: Parameters<typeof one.records>[0]) => one.records(query),
    bounds: () => {
      if (!pruned) other.archive.moveBase(after, until, text, []);
      pruned = true;
      return one.bounds();
    },
  };
  const { check } = await checkAgainstStatements(log, { keys: [publicKey], given: [], pause });
  expect(check).toMatchObject({ ok: true, count: 10 });
});

test('of what the mesh has countersigned in a year, the newest is looked at', async () => {
  const state = openAt(statePath());
  state.transact((ledger) => {
    for (let i = 0; i < 20; i++) ledger.append(draft({ at: T0 + i }));
  });
  for (const { seq, hash } of state.records({})) {
    if (seq > 15) break;
    const body = { type: 'log-checkpoint', log_id: state.logId, seq, hash, time: formatTime(T0) };
    const whole = { ...body, mesh_public_key: formatPublicKey(publicKey) };
    const signature = toHex(signMessage(seed, Buffer.from(canonicalize(whole))));
    state.archive.addCheckpoint(seq, JSON.stringify({ ...whole, signature }));
  }
  let looked = 0;
  const log = {
    archive: state.archive,
    records: (query: Parameters<typeof state.records>[0]) => state.records(query),
    bounds: () => state.bounds(),
    get logId() {
      looked += 1;
      return state.logId;
    },
  };
  const { plan } = await planPruning(log, { before: T0 + 20, now: T0 + 20 }, pause, publicKey, null);
  expect([plan?.until.seq, looked]).toEqual([15, 1]);
});

test('an export that is pruned under its reader fails, and one of a log from which somebody deleted goes on', () => {
  const log = (): ReturnType<typeof openAt> => {
    const state = openAt(statePath());
    state.transact((ledger) => {
      for (let i = 0; i < 600; i++) ledger.append(draft({ at: T0 + i }));
    });
    return state;
  };
  const pruned = log();
  expect(() => {
    for (const { seq, hash } of readUnpruned(pruned, pruned.records({}))) {
      if (seq !== 300) continue;
      pruned.archive.moveBase(pruned.bounds().after, { seq, hash }, '{}', []);
      pruned.archive.sweep();
    }
  }).not.toThrow();
  const ahead = log();
  const [until] = [...ahead.records({ afterSeq: 399 })];
  expect(() => {
    for (const { seq } of readUnpruned(ahead, ahead.records({}))) {
      if (seq !== 2) continue;
      ahead.archive.moveBase(ahead.bounds().after, until!, '{}', []);
      ahead.archive.sweep();
    }
  }).toThrow('pruned while it was read');
  const emptied = log();
  expect(() => {
    for (const { seq } of readUnpruned(emptied, emptied.records({}))) {
      if (seq !== 2) continue;
      emptied.archive.moveBase(emptied.bounds().after, emptied.bounds().head, '{}', []);
      emptied.archive.sweep();
    }
  }).toThrow('pruned while it was read');
  const holed = log();
  const left = [...holed.records({})].filter(({ seq }) => seq !== 7);
  expect([...readUnpruned(holed, left)]).toEqual(left);
});
