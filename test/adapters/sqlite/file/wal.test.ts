/** The write-ahead log: each start reads the whole of it, so that it must not grow with the history. */
import { statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Database } from '../../../../src/adapters/sqlite/engine/database.js';
import { verifyChain } from '../../../../src/protocol/log/chain.js';
import { crowd } from '../../../kit/state/crowd.js';
import { AGENT, draft, T0 } from '../../../kit/state/drafts.js';
import { openAt, statePath } from '../../../kit/state/temporary.js';

const MB = 2 ** 20;
const logSize = (path: string): number => statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;

function whole(path: string, count: number): void {
  const state = openAt(path);
  expect(verifyChain(state.entries({}), state.bounds())).toMatchObject({ ok: true, count });
}

/** One short command: opens the state, commits one verification, closes. */
function verifyOnce(path: string, n: number): void {
  const state = openAt(path);
  state.transact((ledger) => {
    ledger.spendNonce(AGENT, n.toString(16).padStart(32, '0'), T0, 'accepted', T0 + 1000);
    ledger.append(draft());
  });
  state.close();
}

test('processes one after the other leave a log under 4 MB, and everything they wrote', async () => {
  const path = statePath();
  let most = 0;
  for (let n = 0; n < 16; n++) {
    await crowd(1, ['entries', path, '400']);
    most = Math.max(most, logSize(path));
  }
  expect(most).toBeLessThan(4 * MB);
  whole(path, 16 * 400);
}, 240_000);

test('processes all at once leave a log under 4 MB to the next command, and everything they wrote', async () => {
  const path = statePath();
  for (let round = 0; round < 2; round++) await crowd(16, ['entries', path, '250']);
  verifyOnce(path, 0);
  expect(logSize(path)).toBeLessThan(4 * MB);
  whole(path, 32 * 250 + 1);
}, 240_000);

test('a log under 1 MB is left alone: copying it back would cost every command a second sync', () => {
  const path = statePath();
  verifyOnce(path, 0);
  const before = logSize(path);
  expect(before).toBeGreaterThan(0);
  verifyOnce(path, 1);
  expect(logSize(path)).toBeGreaterThan(before);
});

test('a command that ends while another process reads or writes waits for neither, and fails for neither', () => {
  const path = statePath();
  const big = openAt(path);
  const filler = new Database(path, 0);
  const fill = (): void => {
    filler.exec('CREATE TABLE IF NOT EXISTS filler (bytes BLOB)');
    filler.exec('INSERT INTO filler VALUES (randomblob(3000000))');
  };
  const reader = new Database(path, 0);
  reader.exec('BEGIN');
  reader.query(['number'], 'SELECT seq FROM head').first([]);
  fill();
  verifyOnce(path, 0);
  expect(logSize(path)).toBeGreaterThan(MB);
  reader.exec('COMMIT');
  reader.exec('BEGIN IMMEDIATE');
  // Opening needs no write lock; the log is long and another process holds the lock.
  openAt(path).close();
  expect(logSize(path)).toBeGreaterThan(MB);
  reader.exec('COMMIT');
  openAt(path).close();
  expect(logSize(path)).toBe(0);
  for (const each of [reader, filler, big]) each.close();
  whole(path, 1);
});
