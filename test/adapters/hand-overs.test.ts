import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { handOversIn } from '../../src/adapters/files/hand-overs.js';
import { HAND_OVER_MS } from '../../src/app/ports/hand-overs.js';
import { scratch } from '../kit/scratch.js';

const NOW = 1_800_000_000_000;
const [KEY, OTHER] = ['a'.repeat(64), 'b'.repeat(64)];
const left = (n: number) => ({ intentHash: `sha256:${n}`, token: String(n) });

let folder: string;
beforeEach(() => {
  folder = join(scratch(), 'hand-overs');
});

test('what was left is taken once, the oldest first, under its own key', () => {
  const hook = handOversIn(folder);
  expect(hook.take(KEY, NOW)).toBeNull();
  hook.leave(KEY, left(2), NOW + 2);
  hook.leave(KEY, left(1), NOW + 1);
  const guard = handOversIn(folder);
  expect(guard.take(OTHER, NOW + 3)).toBeNull();
  expect([guard.take(KEY, NOW + 3), guard.take(KEY, NOW + 3), guard.take(KEY, NOW + 3)]).toEqual([
    left(1),
    left(2),
    null,
  ]);
});

test('what is too old, or ahead of the clock, is not taken and goes away', () => {
  const hook = handOversIn(folder);
  hook.leave(KEY, left(1), NOW);
  expect(hook.take(KEY, NOW + HAND_OVER_MS + 1)).toBeNull();
  expect(hook.take(KEY, NOW - HAND_OVER_MS - 1)).toBeNull();
  hook.leave(OTHER, left(2), NOW + HAND_OVER_MS + 1);
  expect(readdirSync(folder)).toHaveLength(1);
});

test('what others can write, or no hook wrote, is no decision', () => {
  const hook = handOversIn(folder);
  hook.leave(KEY, left(1), NOW);
  chmodSync(join(folder, readdirSync(folder)[0]!), 0o666);
  writeFileSync(join(folder, `${OTHER}.${NOW}.${'0'.repeat(16)}`), '{"intentHash":1}', { mode: 0o600 });
  writeFileSync(join(folder, 'x'), '', { mode: 0o600 });
  expect([hook.take(KEY, NOW), hook.take(OTHER, NOW)]).toEqual([null, null]);
});
