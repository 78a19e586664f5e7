import { DEFAULT_MAX_AGE_S, NONCE_RETENTION_WINDOWS } from '../protocol/limits.js';

/**
 * Until when (ms since the epoch) an intent must be remembered that was judged at `wallNow`, is dated `timestamp` (Unix seconds), and
 * may be presented for `windowMs` after its date.
 */
export function rememberedUntil(wallNow: number, timestamp: number, windowMs: number): number {
  // An intent may be dated ahead, and stays fresh for a whole window after its date: one that was refused for that must not be
  // held back until it comes into force.
  const from = Math.max(wallNow, timestamp * 1000);
  // Who is stricter than others with one state must not make them forget what they would still accept.
  return from + NONCE_RETENTION_WINDOWS * Math.max(windowMs, DEFAULT_MAX_AGE_S * 1000);
}
