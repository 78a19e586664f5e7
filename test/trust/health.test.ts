import { expect, test } from 'vitest';
import { scoreBelow } from '../../src/trust/health.js';

test.each([
  [0.697, '0.69'],
  [0.7, '0.70'],
  [0.57, '0.57'],
  [0.29, '0.29'],
  [0.4999, '0.49'],
  [0, '0.00'],
])('the score %d under a limit is shown as %s', (score, shown) => {
  expect(scoreBelow(score)).toBe(shown);
});
