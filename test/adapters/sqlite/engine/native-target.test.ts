import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { currentTarget, familySync, GLIBC, load, MUSL } from '../../../../src/adapters/sqlite/engine/native-target.js';

const require = createRequire(import.meta.url);

test('the stand-ins in the bundle say what the packages say that they stand in for', () => {
  const loader = require('@neon-rs/load') as { currentTarget(): string };
  const libc = require('detect-libc') as { familySync(): string | null; GLIBC: string; MUSL: string };
  expect(currentTarget()).toBe(loader.currentTarget());
  expect(familySync()).toBe(libc.familySync());
  expect([GLIBC, MUSL]).toEqual([libc.GLIBC, libc.MUSL]);
});

test('the target names a package that is installed', () => {
  expect(existsSync(require.resolve(`@libsql/${currentTarget()}/package.json`))).toBe(true);
});

test('what is loaded is what libsql works with', () => {
  expect(load()).toBe(require(`@libsql/${currentTarget()}`));
});
