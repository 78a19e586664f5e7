/** Keys and signatures with @noble/ed25519, and a second, independent verification to hold OpenSSL's against. */
import { createHash } from 'node:crypto';
import { getPublicKey, hashes, Point, sign } from '@noble/ed25519';
import { acceptable } from './acceptance.js';

const sha512 = (...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => {
  const hash = createHash('sha512');
  for (const part of parts) hash.update(part);
  return Uint8Array.from(hash.digest());
};
hashes.sha512 = (message) => sha512(message);

/** The raw 32-byte public key of a 32-byte seed. Throws on any other length. */
export function publicKeyOf(seed: Uint8Array): Uint8Array {
  return getPublicKey(seed);
}

/** The 64-byte signature of `message` (RFC 8032, section 5.1.6): the same seed and message give the same bytes. */
export function signMessage(seed: Uint8Array, message: Uint8Array): Uint8Array {
  return sign(message, seed);
}

/**
 * The verdict of `verifySignature`, reached without OpenSSL. It uses OpenSSL's cofactorless equation, comparing the encoding of
 * SB - kA with R; noble's own `verify` multiplies by the cofactor and so accepts signatures that OpenSSL refuses.
 */
export function verifyWithNoble(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  return holds(publicKey, [], message, signature);
}

/** The prefix of Ed25519ph without a context: dom2(1, "") of RFC 8032, section 2. */
const PREHASHED = Buffer.from('SigEd25519 no Ed25519 collisions\x01\x00', 'latin1');

/** True for a signature that holds as Ed25519ph, the variant that signs a hash: to say so, never to accept it. */
export function isPrehashed(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  return holds(publicKey, [PREHASHED], sha512(message), signature);
}

function holds(
  publicKey: Uint8Array,
  prefix: readonly Uint8Array[],
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (!acceptable(publicKey, signature)) return false;
  const a = decode(publicKey);
  if (a === null) return false;
  const r = signature.subarray(0, 32);
  const s = littleEndian(signature.subarray(32));
  const k = littleEndian(sha512(...prefix, r, publicKey, message)) % Point.CURVE().n;
  const expected = Point.BASE.multiplyUnsafe(s).add(a.negate().multiplyUnsafe(k)).toBytes();
  return expected.every((byte, i) => byte === r[i]);
}

/** True for every public key that was made from a seed, and for one in sixteen of other 32 bytes: a point of the prime-order group. */
export function mayBePublicKey(bytes: Uint8Array): boolean {
  return decode(bytes)?.isTorsionFree() === true;
}

/** Null for a y that belongs to no point of the curve. */
function decode(publicKey: Uint8Array): Point | null {
  try {
    return Point.fromBytes(publicKey);
  } catch {
    return null;
  }
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}
