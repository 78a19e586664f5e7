/** What puts a database on the disk on systems other than Linux. */
import { randomBytes } from 'node:crypto';
import fs, { readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openStoreFile } from '../../../../src/adapters/mesh/sqlite/store-file.js';
import { ensureStateFile } from '../../../../src/adapters/sqlite/file/create.js';
import { Database } from '../../../../src/adapters/sqlite/engine/database.js';
import { scratch } from '../../../kit/scratch.js';

test.runIf(process.platform === 'linux')('a new database is flushed by a file that was opened to be written', () => {
  const folder = scratch();
  const { fsyncSync } = fs;
  onTestFinished(() => {
    fs.fsyncSync = fsyncSync;
    syncBuiltinESMExports();
  });
  const writable: boolean[] = [];
  fs.fsyncSync = (fd) => {
    const [, flags = ''] = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1')) ?? [];
    if (fs.fstatSync(fd).isFile()) writable.push((Number.parseInt(flags, 8) & fs.constants.O_RDWR) !== 0);
    fsyncSync(fd);
  };
  syncBuiltinESMExports();
  ensureStateFile(join(folder, 'state.db'), randomBytes);
  const { database, release } = openStoreFile(join(folder, 'mesh.db'), () => 'log', false);
  database.close();
  release();
  expect(writable).toEqual([true, true]);
});

test('a commit waits on macOS until the disk has written it', () => {
  const database = new Database(join(scratch(), 'any.db'), 0);
  expect(database.query(['number'], 'PRAGMA fullfsync').first([])).toEqual([1]);
  database.close();
});
