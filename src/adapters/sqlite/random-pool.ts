import type { Random } from '../../app/ports/state.js';

/** Bytes drawn at once: each entry takes some hundred. */
const DRAWN = 8192;

/** Random bytes out of larger draws: each call of the system costs more than what an entry takes. */
export function pooled(random: Random): Random {
  let pool: Uint8Array = new Uint8Array();
  return (n) => {
    if (n > DRAWN) return random(n);
    if (pool.length < n) pool = random(DRAWN);
    const drawn = pool.subarray(0, n);
    pool = pool.subarray(n);
    return drawn;
  };
}
