import { expect, test } from 'vitest';
import { nearest, nearestOf } from '../../../src/protocol/naming/nearest.js';

test.each<[word: string, candidates: readonly string[], near: string | null]>([
  ['send_emial', ['read', 'send_email', 'send_emails'], 'send_email'],
  ['refnud', ['refund', 'refunds'], 'refund'],
  ['ab', ['ba'], 'ba'],
  ['abcdef', ['badcfe'], null],
  ['REFUND', ['refund'], 'refund'],
  ['refund', ['deploy', 'r'], null],
])('%s of %j is %j', (word, candidates, near) => {
  expect(nearest(word, candidates)).toBe(near);
  expect(nearestOf(word, candidates, 1)).toEqual(near === null ? [] : [near]);
});

test('a candidate that cannot be near is not read through', () => {
  const far = Array.from({ length: 100 }, (_, i) => `${'x'.repeat(120_000)}${i}`);
  for (let i = 0; i < 100; i++) expect(nearest('y'.repeat(64), far)).toBeNull();
});
