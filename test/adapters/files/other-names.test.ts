import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isHardLink, placesBehind } from '../../../src/adapters/files/other-names.js';
import { scratch } from '../../kit/scratch.js';

function folder(): string {
  const root = scratch();
  return root;
}

test('a hard link to a file of a place is found, at any depth and behind a link', () => {
  const root = folder();
  mkdirSync(join(root, 'home/keys'), { recursive: true });
  writeFileSync(join(root, 'home/keys/k.pem'), 'k');
  writeFileSync(join(root, 'settings.json'), '{}');
  writeFileSync(join(root, 'mine'), 'm');
  linkSync(join(root, 'home/keys/k.pem'), join(root, 'hard'));
  linkSync(join(root, 'settings.json'), join(root, 'other.json'));
  linkSync(join(root, 'mine'), join(root, 'mine-too'));
  symlinkSync(join(root, 'hard'), join(root, 'soft'));
  const places = [join(root, 'home'), join(root, 'settings.json'), join(root, 'none')];
  const linked = ['hard', 'soft', 'other.json', 'mine', 'mine-too', 'none', 'home'].filter((name) =>
    isHardLink(join(root, name), places),
  );
  expect(linked).toEqual(['hard', 'soft', 'other.json']);
  expect(isHardLink('/a\0b', places)).toBe(false);
});

test('files behind links lie where these lead, also those that are yet to be made', () => {
  const root = folder();
  mkdirSync(join(root, 'project'));
  mkdirSync(join(root, 'dotfiles'));
  symlinkSync(join(root, 'dotfiles'), join(root, 'project/.claude'));
  expect(
    placesBehind([join(root, 'project'), root], ['.claude/settings.json', '.claude/other.json', '.codex/hooks.json']),
  ).toEqual([join(root, 'dotfiles/settings.json'), join(root, 'dotfiles/other.json')]);
});
