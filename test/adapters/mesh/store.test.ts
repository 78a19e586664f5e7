import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { MemoryMeshStore } from '../../../src/adapters/mesh/memory-store.js';
import { SqliteMeshStore } from '../../../src/adapters/mesh/sqlite-store.js';
import { meshStoreContract, type StoreUnderTest } from '../../contract/mesh-store.js';
import { LOG_ID } from '../../kit/mesh/server.js';

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
