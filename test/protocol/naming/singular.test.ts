import fc from 'fast-check';
import { expect, test } from 'vitest';
import { singular } from '../../../src/protocol/naming/names.js';

test.each([
  ['amounts', 'amount'],
  ['caches', 'cach'],
  ['cache', 'cach'],
  ['statuses', 'statu'],
  ['status', 'statu'],
  ['address', 'address'],
  ['addresses', 'address'],
  ['currencies', 'currency'],
  ['currency', 'currency'],
  ['prices', 'price'],
  ['us', 'us'],
  ['gas', 'ga'],
  ['', ''],
])('%s folds to %s', (word, key) => {
  expect(singular(word)).toBe(key);
});

test('both numbers of a word fold to one key', () => {
  const word = fc.stringMatching(/^[a-z]{2,12}[a-rt-xz]$/).filter((text) => !/(?:[sxz]|[cs]h)e?$|ie$|i$/.test(text));
  fc.assert(
    fc.property(word, (text) => {
      expect(singular(`${text}s`)).toBe(singular(text));
    }),
  );
});
