/** HMAC-SHA256 (RFC 2104), which tier 0 may use instead of a signature when both sides hold the key. */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** RFC-001, section 7.2 asks for 256 bits; shorter keys are no keys. */
export const MIN_HMAC_KEY_BYTES = 32;

/** HMAC-SHA256 of `message`: 32 bytes. */
export function hmacOf(key: Uint8Array, message: Uint8Array): Uint8Array {
  return Uint8Array.from(createHmac('sha256', key).update(message).digest());
}

/** Compares in constant time. */
export function hmacHolds(key: Uint8Array, message: Uint8Array, mac: Uint8Array): boolean {
  return mac.length === 32 && timingSafeEqual(hmacOf(key, message), mac);
}
