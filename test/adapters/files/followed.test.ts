import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { followed } from '../../../src/adapters/files/followed.js';
import { scratch } from '../../kit/scratch.js';

test('links are followed one name after the other, as the system does', () => {
  const root = scratch();
  mkdirSync(join(root, 'home/keys'), { recursive: true });
  mkdirSync(join(root, 'project'));
  const link = (name: string, to: string): void => symlinkSync(to, join(root, 'project', name));
  link('keys', join(root, 'home/keys'));
  link('near', '../home');
  link('new', '../home/new/file');
  link('twice', 'near/keys');
  link('round', 'round');
  const at = (path: string): string => followed(`${root}/project/${path}`);
  expect(at('a/./b')).toBe(join(root, 'project/a/b'));
  expect(at('keys/../config.json')).toBe(join(root, 'home/config.json'));
  expect(at('near/config.json')).toBe(join(root, 'home/config.json'));
  expect(at('twice/../x')).toBe(join(root, 'home/x'));
  // What is not there yet.
  expect(at('new')).toBe(join(root, 'home/new/file'));
  expect(at('none/deep/../../near/x')).toBe(join(root, 'home/x'));
  expect(at('round/x')).toBe(`${root}/project/round/x`);
  expect(followed('relative/../x')).toBe('relative/../x');
});

test.runIf(process.platform === 'linux')(
  'what leads every process elsewhere is kept as it is, steps up behind it too',
  () => {
    const kept = (path: string): string => followed(path).replace(`/${process.pid}/`, '/self/');
    expect(kept('/proc/self/cwd/../x')).toBe('/proc/self/cwd/../x');
    expect(kept('/proc/self/root/etc')).toBe('/proc/self/root/etc');
    expect(kept(`/proc/${process.pid}/task/${process.pid}/cwd`)).toContain(`task/${process.pid}/cwd`);
    expect(kept('/dev/fd/5/../x')).toBe('/proc/self/fd/5/../x');
    expect(kept('/proc/self/../self/cwd/x')).toMatch(/^\/proc\/[^/]+\/cwd\/x$/);
    expect(followed('/proc/self/status')).toBe(`/proc/${process.pid}/status`);
  },
);
