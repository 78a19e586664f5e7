import { mkdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeFolder } from '../../../src/adapters/files/folders.js';
import { world } from '../../kit/world.js';

describe('making a folder', () => {
  test('makes those above it, all with the mode', () => {
    const { cwd } = world();
    makeFolder(join(cwd, 'a/b/c'), 0o700);
    for (const folder of ['a', 'a/b', 'a/b/c']) expect(statSync(join(cwd, folder)).mode & 0o777).toBe(0o700);
    makeFolder(join(cwd, 'a/b/c'), 0o755);
    expect(statSync(join(cwd, 'a/b/c')).mode & 0o777).toBe(0o700);
  });

  test('follows a link to a folder above it', () => {
    const { cwd } = world();
    mkdirSync(join(cwd, 'real'));
    symlinkSync('real', join(cwd, 'link'));
    makeFolder(join(cwd, 'link/inner'));
    expect(statSync(join(cwd, 'real/inner')).isDirectory()).toBe(true);
  });

  test.each([
    ['a file in its place', 'file', 'ENOTDIR'],
    ['a file above it', 'file/inner', 'ENOTDIR'],
    ['a link to nothing', 'dangling', 'ENOTDIR'],
  ])('fails with %s', (_, path, code) => {
    const made = world();
    made.file('file', 'x');
    symlinkSync('nothing', join(made.cwd, 'dangling'));
    expect(() => makeFolder(join(made.cwd, path))).toThrow(expect.objectContaining({ code }));
  });

  test.runIf(process.platform === 'linux')('ends where the file system takes no folder', () => {
    expect(() => makeFolder('/proc/aip/inner')).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });
});

test.runIf(process.platform === 'linux')('no command hangs where the home folder is /proc', async () => {
  const here = world({ env: { AIP_HOME: '/proc/aip', AIP_KEY_PASSPHRASE: 'x' } });
  const { code, err } = await here.run('init', '--domain', 'acme.com', '--key-store', 'file', '--yes');
  expect(code).toBeGreaterThan(1);
  expect(err).toMatch(/^error: .*\/proc\/aip.*\[[A-Z_]+\]$/m);
  expect(err).toContain('hint: ');
  expect(err).not.toContain('bug');
});
