/** The mesh's embedded store answers denies in the process that looks through shipped logs: none of that may hold the process up. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { SqliteLogs } from '../../../src/adapters/mesh/sqlite/logs.js';
import type { ShippedEntry } from '../../../src/mesh/log/store.js';

const ENTRIES = 12_000;
const hashOf = (seq: number): string => String(seq).padStart(64, '0');

function entry(seq: number): ShippedEntry {
  const [agentId, code] = seq === 2 ? ['rare', 'AIP-E202'] : ['often', null];
  const status = code === null ? 'success' : 'failed';
  return { seq, hash: hashOf(seq), prevHash: hashOf(seq - 1), agentId, status, code, at: seq, text: `{"seq":${seq}}` };
}

async function ship(logs: SqliteLogs, from: number, to: number): Promise<void> {
  for (let seq = from; seq <= to; seq += 1_000) {
    const entries = Array.from({ length: Math.min(1_000, to - seq + 1) }, (_, i) => entry(seq + i));
    const shipment = { logId: 'ab'.repeat(16), verifier: 'v', keyId: 'k', at: 1_000, entries };
    expect(await logs.put(shipment)).toMatchObject({ kind: 'stored' });
  }
}

async function longLogs(): Promise<{ logs: SqliteLogs; path: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'aip-long-logs-'));
  const path = join(folder, 'shipped.db');
  const logs = new SqliteLogs(path, 2 ** 30, null);
  onTestFinished(() => {
    logs.close();
    rmSync(folder, { recursive: true, force: true });
  });
  await ship(logs, 1, ENTRIES);
  return { logs, path };
}

/** What `work` resolves to, and how often others had their turn meanwhile. */
async function turnsOf<T>(work: () => Promise<T>): Promise<[T, number]> {
  let [turns, over] = [0, false];
  const next = (): void => {
    turns++;
    if (!over) setImmediate(next);
  };
  setImmediate(next);
  const result = await work();
  over = true;
  return [result, turns];
}

test('what few entries have is looked for in many parts, and found in all of them', async () => {
  const { logs } = await longLogs();
  const rare = [{ row: 2, text: '{"seq":2}' }];
  for (const query of [
    { code: 'AIP-E202', limit: 5 },
    { code: 'AIP-E202', limit: 5, last: 5 },
    { agentId: 'often', code: 'AIP-E202', limit: 5, last: 5 },
  ]) {
    const [found, turns] = await turnsOf(() => logs.read(query));
    expect(found).toEqual('agentId' in query ? [] : rare);
    expect(turns).toBeGreaterThanOrEqual(2);
  }
  expect((await logs.read({ limit: 5_000, after: 3_000 })).map(({ row }) => row)).toEqual(
    Array.from({ length: 5_000 }, (_, i) => 3_001 + i),
  );
  expect((await logs.read({ limit: 1, last: 5_000 })).map(({ row }) => row)).toEqual(
    Array.from({ length: 5_000 }, (_, i) => ENTRIES - 4_999 + i),
  );
});

test('entries are erased from in parts, however far apart they stand', async () => {
  const { logs } = await longLogs();
  const [done, turns] = await turnsOf(() => logs.rewrite({ agentId: 'rare' }, () => '{"seq":0}'));
  expect([done.entries, turns >= 2]).toEqual([1, true]);
  expect(await logs.read({ agentId: 'rare', limit: 5 })).toEqual([{ row: 2, text: '{"seq":0}' }]);
});

test('old entries go in parts', async () => {
  const { logs } = await longLogs();
  const [gone, turns] = await turnsOf(() => logs.expire(2_000));
  expect([gone, turns >= 3]).toEqual([ENTRIES / 10, true]);
  expect((await logs.read({ limit: 1 }))[0]?.row).toBe(ENTRIES / 10 + 1);
});

test('for room no more than a thousand are shed at once', async () => {
  const { logs, path } = await longLogs();
  const { bytes } = await logs.usage();
  const full = new SqliteLogs(path, bytes, null);
  await ship(full, ENTRIES + 1, ENTRIES + 1);
  expect((await full.usage()).shed).toBe(1_000);
  full.close();
});
