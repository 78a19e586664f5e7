import { expect, test } from 'vitest';
import { ShippingRate } from '../../src/mesh/server/shipping.js';

test('a key may ship a burst, then 1 MiB a second; another key is not held up by it', () => {
  const rate = new ShippingRate();
  const half = 512 * 1024;
  let taken = 0;
  while (rate.takes('k1', half, 0)) taken++;
  expect(taken * half).toBe(32 * 1024 * 1024);
  expect(rate.limited).toBe(1);
  expect(rate.takes('k2', half, 0)).toBe(true);
  expect(rate.takes('k1', half, 400)).toBe(false);
  expect(rate.takes('k1', half, 500)).toBe(true);
  expect(rate.takes('k1', half, 600)).toBe(false);
});
