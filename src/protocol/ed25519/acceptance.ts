/**
 * The one strict rule for the bytes of keys and signatures, applied before any library does arithmetic. RFC 8032 leaves room
 * that libraries fill differently ("Taming the many EdDSAs", SSR 2020); whatever lies in that room is refused here, so that a
 * signature means the same everywhere and a key that signs everything (small order) is no key.
 */
import { fromHex } from '../hex.js';

/** The group order L = 2^252 + 27742317777372353535851937790883648493, little-endian. */
const ORDER = fromHex('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010')!;

/**
 * The y-coordinates of the eight points whose order divides 8, little-endian. Either sign of x belongs to a small-order point or,
 * where x is 0 (y = 1 and y = -1), to the negative zero that RFC 8032, section 5.1.3 forbids; so the sign bit is ignored.
 */
const SMALL_ORDER_Y = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
].map((hex) => fromHex(hex)!);

/** True when both may take part in a verification: 32 and 64 bytes, S < L, A and R canonical and not of small order. */
export function acceptable(publicKey: Uint8Array, signature: Uint8Array): boolean {
  return acceptableKey(publicKey) && acceptableSignature(signature);
}

/** The part of the rule that concerns the key alone, so that it is paid once a key. */
export function acceptableKey(publicKey: Uint8Array): boolean {
  return publicKey.length === 32 && acceptablePoint(publicKey);
}

/** The part of the rule that concerns the signature alone. */
export function acceptableSignature(signature: Uint8Array): boolean {
  return signature.length === 64 && belowOrder(signature, 32) && acceptablePoint(signature);
}

/** S < L: otherwise S + L is a second signature of the same message (RFC 8032, section 8.4). */
function belowOrder(bytes: Uint8Array, from: number): boolean {
  for (let i = 31; i >= 0; i--) {
    const difference = bytes[from + i]! - ORDER[i]!;
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** A key, or the R that a signature begins with. */
function acceptablePoint(bytes: Uint8Array): boolean {
  return belowPrime(bytes) && !SMALL_ORDER_Y.some((y) => sameY(bytes, y));
}

/** y < p = 2^255 - 19; the sign bit of x is not part of y. */
function belowPrime(bytes: Uint8Array): boolean {
  if (bytes[0]! < 0xed || (bytes[31]! & 0x7f) !== 0x7f) return true;
  for (let i = 1; i < 31; i++) if (bytes[i] !== 0xff) return true;
  return false;
}

function sameY(bytes: Uint8Array, y: Uint8Array): boolean {
  if ((bytes[31]! & 0x7f) !== y[31]) return false;
  for (let i = 0; i < 31; i++) if (bytes[i] !== y[i]) return false;
  return true;
}
