import { RECONNECT_FIRST_MS, RECONNECT_MAX_MS, RECONNECT_MIN_MS } from '../limits.js';

/**
 * How long to wait before the next attempt, in ms. The first comes at once, spread so that a crowd does not arrive in one
 * moment; later ones have full jitter under a doubling ceiling. `random` is in [0, 1), `failures` counts those in a row.
 */
export function reconnectDelay(failures: number, random: number): number {
  if (failures <= 0) return random * RECONNECT_FIRST_MS;
  const ceiling = Math.min(RECONNECT_MAX_MS, RECONNECT_FIRST_MS * 2 ** Math.min(failures, 16));
  return RECONNECT_MIN_MS + random * (ceiling - RECONNECT_MIN_MS);
}
