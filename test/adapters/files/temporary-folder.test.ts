import { spawnSync } from 'node:child_process';
import fs, { existsSync, mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { temporaryFolder } from '../../../src/adapters/files/temporary-folder.js';
import { scratch } from '../../kit/scratch.js';

test('what a process left behind that was killed is removed after a day, and nothing else', () => {
  const place = scratch();
  vi.stubEnv('TMPDIR', place);
  onTestFinished(() => void vi.unstubAllEnvs());
  const gone = spawnSync(process.execPath, ['-e', '0']).pid;
  const old = (name: string, days = 2): void => {
    mkdirSync(join(place, name));
    writeFileSync(join(place, name, 'intent.json'), '{}', { mode: 0o400 });
    const then = Date.now() / 1000 - days * 86_400;
    utimesSync(join(place, name), then, then);
  };
  old(`aip-intent-${gone}-abcDEF`);
  old(`aip-intent-${gone}-abcDE1`, 0.5);
  old(`aip-intent-${process.pid}-abcDEF`);
  old(`aip-other-${gone}-abcDEF`);
  old(`aip-intent-mine`);
  symlinkSync(join(place, 'aip-intent-mine'), join(place, `aip-intent-${gone}-abcDE2`));
  const { path, remove } = temporaryFolder('aip-intent-');
  expect(existsSync(path)).toBe(true);
  remove();
  expect(readdirSync(place).sort()).toEqual(
    [
      `aip-intent-${gone}-abcDE1`,
      `aip-intent-${gone}-abcDE2`,
      `aip-intent-${process.pid}-abcDEF`,
      'aip-intent-mine',
      `aip-other-${gone}-abcDEF`,
    ].sort(),
  );
});

test('what Windows holds open is left for a later run, and does not end a command', () => {
  const { path, remove } = temporaryFolder('aip-demo-');
  const { rmSync: real } = fs;
  const failing = (code: string): void => {
    fs.rmSync = () => {
      throw Object.assign(new Error(code), { code });
    };
    syncBuiltinESMExports();
  };
  onTestFinished(() => {
    fs.rmSync = real;
    syncBuiltinESMExports();
    real(path, { recursive: true });
  });
  for (const code of ['EBUSY', 'EPERM', 'ENOTEMPTY']) {
    failing(code);
    remove();
  }
  failing('EIO');
  expect(remove).toThrow('EIO');
});
