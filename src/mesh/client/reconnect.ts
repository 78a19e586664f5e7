import { backoff } from '../../protocol/backoff.js';
import { RECONNECT_FIRST_MS, RECONNECT_MAX_MS, RECONNECT_MIN_MS } from '../limits.js';

/**
 * How long to wait before the next attempt, in ms. The first comes at once, spread so that a crowd does not arrive in one
 * moment; later ones have full jitter under a doubling ceiling. `random` is in [0, 1), `failures` counts those in a row.
 */
export function reconnectDelay(failures: number, random: number): number {
  if (failures <= 0) return random * RECONNECT_FIRST_MS;
  return backoff(failures, random, {
    firstMs: RECONNECT_FIRST_MS,
    leastMs: RECONNECT_MIN_MS,
    mostMs: RECONNECT_MAX_MS,
  });
}
