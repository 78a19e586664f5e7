import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { MemoryMeshStore } from '../../kit/mesh/memory/store.js';
import { SqliteMeshStore } from '../../../src/adapters/mesh/sqlite/store.js';
import { meshStoreContract, type StoreUnderTest } from '../../contract/mesh-store.js';
import { AGENT, LOG_ID } from '../../kit/mesh/server.js';

function memory(store = new MemoryMeshStore(LOG_ID)): StoreUnderTest {
  return {
    store,
    beside: async () => store.reopened(),
    reopen: async () => memory(store.reopened()),
    dispose: async () => store.close(),
  };
}

function sqlite(folder = mkdtempSync(join(tmpdir(), 'aip-mesh-'))): StoreUnderTest {
  const store = new SqliteMeshStore(join(folder, 'mesh.db'), () => LOG_ID);
  let open = true;
  return {
    store,
    beside: async () => new SqliteMeshStore(join(folder, 'mesh.db'), () => LOG_ID, { shared: true }),
    reopen: async () => {
      open = false;
      await store.close();
      return sqlite(folder);
    },
    dispose: async () => {
      if (open) await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

meshStoreContract('memory', async () => memory());
meshStoreContract('SQLite', async () => sqlite());

test('keys are read again where one was changed, here or by another opening, and only there', async () => {
  const under = sqlite();
  const { store } = under;
  const other = await under.beside();
  const key = { role: 'admin', hash: 'ab', label: null, publicKey: null, createdAt: 1, revokedAt: null } as const;
  const listed = async (): Promise<string[]> =>
    (await store.keys.list()).map(({ keyId, revokedAt }) => `${keyId} ${revokedAt}`);
  expect(await listed()).toEqual([]);
  await store.keys.add({ ...key, keyId: 'k1' });
  expect(await listed()).toEqual(['k1 null']);
  await other.keys.add({ ...key, keyId: 'k2' });
  expect(await listed()).toEqual(['k1 null', 'k2 null']);
  await store.keys.revoke('k1', 5);
  expect(await listed()).toEqual(['k1 5', 'k2 null']);
  await other.keys.put({ ...key, keyId: 'k2', revokedAt: 6 });
  expect(await listed()).toEqual(['k1 5', 'k2 6']);
  await store.keys.put({ ...key, keyId: 'k2' });
  expect(await listed()).toEqual(['k1 5', 'k2 null']);
  expect(await store.keys.list()).toBe(await store.keys.list());
  await other.close();
  await under.dispose();
});

describe('the file of a SQLite mesh store', () => {
  function folder(work: (path: string) => void): void {
    const dir = mkdtempSync(join(tmpdir(), 'aip-mesh-'));
    try {
      work(join(dir, 'deeper', 'mesh.db'));
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }
  const open = (path: string) => new SqliteMeshStore(path, () => LOG_ID);

  test('holds all once it is closed, and so do the shipped logs, for who copies them without their write-ahead logs', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'aip-mesh-'));
    const store = open(join(dir, 'mesh.db'));
    await store.notes.put('drill', 'done');
    const entry = {
      seq: 1,
      hash: 'a'.repeat(64),
      prevHash: 'b'.repeat(64),
      agentId: AGENT,
      status: 'success',
      code: null,
    };
    const shipped = { logId: 'l', verifier: 'v', keyId: 'k', at: 1, entries: [{ ...entry, at: 1, text: '{}' }] };
    expect(await store.logs.put(shipped)).toMatchObject({ kind: 'stored' });
    await store.close();
    mkdirSync(join(dir, 'copy'));
    for (const name of ['mesh.db', 'shipped.db']) copyFileSync(join(dir, name), join(dir, 'copy', name));
    const copy = open(join(dir, 'copy', 'mesh.db'));
    expect(await copy.notes.get('drill')).toBe('done');
    expect(await copy.logs.put({ ...shipped, verifier: 'other' })).toEqual({ kind: 'taken' });
    await copy.close();
    rmSync(dir, { recursive: true });
  });

  test('is for its owner only', () =>
    folder((path) => {
      const store = open(path);
      expect(statSync(path).mode & 0o777).toBe(0o600);
      void store.close();
    }));

  test('is opened by one server at a time', () =>
    folder((path) => {
      const first = open(path);
      expect(() => open(path)).toThrow(/Another server has the mesh store/);
      void first.close();
      const second = open(path);
      expect(second.term).toBe(1);
      void second.close();
    }));

  test('is never made anew over an emptied one', () =>
    folder((path) => {
      void open(path).close();
      truncateSync(path, 0);
      expect(() => open(path)).toThrow(/is empty/);
    }));

  test('is never made anew beside a write-ahead log', () =>
    folder((path) => {
      void open(path).close();
      rmSync(path);
      writeFileSync(`${path}-wal`, 'x');
      expect(() => open(path)).toThrow(/write-ahead log/);
      expect(existsSync(path)).toBe(false);
    }));

  test('is refused when it is another database, or none', () =>
    folder((path) => {
      void open(path).close();
      writeFileSync(path, 'not a database at all, but long enough to be looked at '.repeat(100));
      expect(() => open(path)).toThrow(/damaged|not a mesh store/);
    }));

  test('is refused when it cannot be written', (context) =>
    folder((path) => {
      void open(path).close();
      chmodSync(path, 0o400);
      if (process.getuid?.() === 0) context.skip('root may write every file');
      expect(() => open(path)).toThrow();
    }));
});

describe('the file of shipped logs', () => {
  const entries = (from: number, count: number, size: number) =>
    Array.from({ length: count }, (_, i) => ({
      seq: from + i,
      prevHash: `h${from + i - 1}`,
      hash: `h${from + i}`,
      agentId: 'did:web:acme.com:agents:a',
      status: 'success',
      code: null,
      at: 1,
      text: JSON.stringify({ seq: from + i, fill: 'x'.repeat(size) }),
    }));
  const ship = (store: SqliteMeshStore, from: number, count: number) =>
    store.logs.put({ logId: 'l1', verifier: 'v1', keyId: 'k', at: 1, entries: entries(from, count, 1_000) });

  test('stays within its quota: the oldest are shed, rows go on counting, and no event is touched', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'aip-mesh-'));
    const quota = 4 * 1024 * 1024;
    const store = new SqliteMeshStore(join(folder, 'mesh.db'), () => LOG_ID, { logQuota: quota });
    try {
      for (let i = 0; i < 60; i++) expect(await ship(store, 1 + i * 100, 100)).toMatchObject({ kind: 'stored' });
      const { bytes, shed } = await store.logs.usage();
      expect(bytes).toBeLessThanOrEqual(quota);
      expect(shed).toBeGreaterThan(1_000);
      expect(await store.logs.head()).toBe(6_000);
      const [last] = await store.logs.read({ last: 1, limit: 1 });
      expect(last).toMatchObject({ row: 6_000 });
      // What was shed is not taken for a fork when it comes again.
      expect(await ship(store, 1, 10)).toMatchObject({ kind: 'stored', seq: 6_000 });
      expect(statSync(join(folder, 'mesh.db')).size).toBeLessThan(1024 * 1024);
      expect(statSync(join(folder, 'shipped.db')).mode & 0o777).toBe(0o600);
    } finally {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
