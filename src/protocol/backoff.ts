/** Bounds of the pauses between tries, in ms. */
export interface Pauses {
  /** The ceiling of the first pause; each next one doubles it. */
  readonly firstMs: number;
  /** No pause is shorter. Default: 0. */
  readonly leastMs?: number;
  /** No pause is longer. */
  readonly mostMs: number;
}

/**
 * How long to wait before the next try, in ms: full jitter under a doubling ceiling, so that many who lost the same server do not
 * come back together. `failures` counts those before in a row, from 0; `random` is in [0, 1).
 */
export function backoff(failures: number, random: number, { firstMs, leastMs = 0, mostMs }: Pauses): number {
  const ceiling = Math.min(mostMs, firstMs * 2 ** Math.min(Math.max(failures, 0), 16));
  return leastMs + random * Math.max(0, ceiling - leastMs);
}
