/**
 * bcrypt_pbkdf of OpenBSD, with which OpenSSH encrypts private keys. No package is worth its place for one rarely read format, and
 * node:crypto has none. Blowfish's tables are the digits of pi (Schneier 1993), so they are computed instead of printed.
 */
import { createHash } from 'node:crypto';

const WORDS = 18 + 4 * 256;
const MAGIC = 'OxychromaticBlowfishSwatDynamite';

let digits: Uint32Array | null = null;

/** `bytes` bytes of key. A round takes about 10 ms for each 32 bytes. */
export function bcryptPbkdf(passphrase: Uint8Array, salt: Uint8Array, rounds: number, bytes: number): Buffer {
  const stride = Math.ceil(bytes / 32);
  const each = Math.ceil(bytes / stride);
  const pass = sha512(passphrase);
  const key = Buffer.alloc(bytes);
  for (let block = 0; block < stride; block++) {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(block + 1);
    let last = bcryptHash(pass, sha512(salt, count));
    const mixed = Buffer.from(last);
    for (let round = 1; round < rounds; round++) {
      last = bcryptHash(pass, sha512(last));
      for (let i = 0; i < 32; i++) mixed[i]! ^= last[i]!;
    }
    for (let i = 0; i < each && i * stride + block < bytes; i++) key[i * stride + block] = mixed[i]!;
  }
  return key;
}

function sha512(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha512');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function bcryptHash(pass: Buffer, salt: Buffer): Buffer {
  const state = Uint32Array.from((digits ??= piDigits()));
  const [passWords, saltWords] = [wordsOf(pass), wordsOf(salt)];
  expand(state, passWords, saltWords);
  for (let i = 0; i < 64; i++) {
    expand(state, saltWords, null);
    expand(state, passWords, null);
  }
  const data = wordsOf(Buffer.from(MAGIC, 'latin1'));
  for (let at = 0; at < data.length; at += 2) for (let i = 0; i < 64; i++) encipher(state, data, at);
  const out = Buffer.alloc(32);
  data.forEach((word, i) => out.writeUInt32LE(word, i * 4));
  return out;
}

/** Big-endian words. */
function wordsOf(bytes: Buffer): Uint32Array {
  return Uint32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readUInt32BE(i * 4));
}

/** The key schedule: `key` into the subkeys, then every word replaced by what the cipher makes of `salt` (of zeros without one). */
function expand(state: Uint32Array, key: Uint32Array, salt: Uint32Array | null): void {
  for (let i = 0; i < 18; i++) state[i]! ^= key[i % key.length]!;
  const block = new Uint32Array(2);
  for (let at = 0; at < WORDS; at += 2) {
    if (salt !== null) {
      block[0]! ^= salt[at % salt.length]!;
      block[1]! ^= salt[(at + 1) % salt.length]!;
    }
    encipher(state, block, 0);
    state[at] = block[0]!;
    state[at + 1] = block[1]!;
  }
}

/** One block of two words, in place. The subkeys are the first 18 words of the state, the four boxes follow. */
function encipher(state: Uint32Array, block: Uint32Array, at: number): void {
  let left = block[at]! ^ state[0]!;
  let right = block[at + 1]!;
  for (let round = 1; round <= 16; round += 2) {
    right ^= mix(state, left) ^ state[round]!;
    left ^= mix(state, right) ^ state[round + 1]!;
  }
  block[at] = right ^ state[17]!;
  block[at + 1] = left;
}

function mix(state: Uint32Array, word: number): number {
  const high = (state[18 + (word >>> 24)]! + state[274 + ((word >>> 16) & 255)]!) | 0;
  return ((high ^ state[530 + ((word >>> 8) & 255)]!) + state[786 + (word & 255)]!) | 0;
}

/** The fraction of pi in words, by Machin's formula: 16 atan(1/5) - 4 atan(1/239). */
function piDigits(): Uint32Array {
  const spare = 64n;
  const one = 1n << (BigInt(WORDS * 32) + spare);
  const arctan = (inverse: bigint): bigint => {
    const square = inverse * inverse;
    let term = one / inverse;
    let sum = term;
    for (let odd = 3n, sign = -1n; term !== 0n; odd += 2n, sign = -sign) {
      term /= square;
      sum += (sign * term) / odd;
    }
    return sum;
  };
  const pi = 16n * arctan(5n) - 4n * arctan(239n);
  const fraction = (pi - 3n * one) >> spare;
  const hex = fraction.toString(16).padStart(WORDS * 8, '0');
  return Uint32Array.from({ length: WORDS }, (_, i) => parseInt(hex.slice(i * 8, i * 8 + 8), 16));
}
