import { createPublicKey, verify } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { acceptable, acceptableKey } from '../../../src/protocol/ed25519/acceptance.js';
import { publicKeyOf, signMessage, verifyWithNoble } from '../../../src/protocol/ed25519/sign.js';
import { verifyKeyOf, verifySignature, verifySignatureAsync } from '../../../src/protocol/ed25519/verify.js';
import { fromHex, toHex } from '../../../src/protocol/hex.js';
import { formatPublicKey } from '../../../src/protocol/identity/keys.js';
import rfc8032 from '../../vectors/ed25519-rfc8032.json' with { type: 'json' };
import wycheproof from '../../vectors/wycheproof-ed25519.json' with { type: 'json' };

const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const bytes = (hex: string): Uint8Array => fromHex(hex)!;
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The verdict of every way to verify; they must be one. */
async function verdict(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  const key = verifyKeyOf(publicKey);
  const sync = key !== null && verifySignature(key, message, signature);
  const pooled = key !== null && (await verifySignatureAsync(key, message, signature));
  const noble = verifyWithNoble(publicKey, message, signature);
  expect({ pooled, noble }).toEqual({ pooled: sync, noble: sync });
  return sync;
}

describe('RFC 8032, section 7.1', () => {
  test.each(rfc8032.tests)('$name', async ({ seed, public_key, message, signature }) => {
    expect(toHex(publicKeyOf(bytes(seed)))).toBe(public_key);
    expect(toHex(signMessage(bytes(seed), bytes(message)))).toBe(signature);
    expect(await verdict(bytes(public_key), bytes(message), bytes(signature))).toBe(true);
    expect(await verdict(bytes(public_key), bytes(`${message}00`), bytes(signature))).toBe(false);
  });
});

describe('Wycheproof', () => {
  const tests = wycheproof.groups.flatMap((group) => group.tests.map((item) => ({ ...item, key: group.public_key })));

  test('all 151 tests are here, and most are refusals of one kind or another', () => {
    expect(tests).toHaveLength(151);
    expect(tests.filter((item) => !item.valid).length).toBeGreaterThan(60);
  });

  test.each(tests)('$id $flags $comment', async (item) => {
    expect(await verdict(bytes(item.key), bytes(item.message), bytes(item.signature))).toBe(item.valid);
  });
});

describe('keys and signatures', () => {
  test('the AIP-1 vector: seed aa x 32', () => {
    expect(formatPublicKey(publicKeyOf(new Uint8Array(32).fill(0xaa)))).toBe(
      'ed25519:e734ea6c2b6257de72355e472aa05a4c487e6b463c029ed306df2f01b5636b58',
    );
  });

  test('what is signed verifies; any flipped bit of key, message or signature does not', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.nat(),
        async (seed, message, position) => {
          const parts = [publicKeyOf(seed), message, signMessage(seed, message)];
          expect(await verdict(parts[0]!, parts[1]!, parts[2]!)).toBe(true);
          for (const [i, part] of parts.entries()) {
            const at = position % (part.length * 8);
            const changed = Uint8Array.from(part);
            changed[at >> 3]! ^= 1 << (at & 7);
            const [key, text, signature] = parts.with(i, changed);
            expect(await verdict(key!, text!, signature!)).toBe(false);
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  test.each([0, 31, 33, 64])('a seed of %i bytes is an error that does not hold it', (length) => {
    const seed = new Uint8Array(length).fill(0xab);
    for (const use of [() => publicKeyOf(seed), () => signMessage(seed, utf8('m'))]) {
      expect(use).toThrow();
      expect(use).not.toThrow(/abab|171/);
    }
  });

  test('an imported key does not follow later changes of the bytes it came from', () => {
    const publicKey = publicKeyOf(new Uint8Array(32).fill(1));
    const signature = signMessage(new Uint8Array(32).fill(1), utf8('m'));
    const key = verifyKeyOf(publicKey)!;
    publicKey.fill(0);
    expect(verifySignature(key, utf8('m'), signature)).toBe(true);
    expect(toHex(key.publicKey)).not.toBe(toHex(publicKey));
  });

  test('a key that is no point of the curve verifies nothing', async () => {
    const offCurve = new Uint8Array(32).fill(0);
    offCurve[0] = 2;
    const signature = signMessage(new Uint8Array(32).fill(1), utf8('m'));
    expect(await verdict(offCurve, utf8('m'), signature)).toBe(false);
  });
});

describe('the acceptance rule', () => {
  const seed = new Uint8Array(32).fill(7);
  const message = utf8('message');
  let publicKey: Uint8Array;
  let signature: Uint8Array;

  beforeAll(() => {
    publicKey = publicKeyOf(seed);
    signature = signMessage(seed, message);
  });

  test('takes an ordinary key and signature', () => {
    expect(acceptable(publicKey, signature)).toBe(true);
    expect(acceptableKey(publicKey)).toBe(true);
  });

  test.each([0, 1, 31, 33, 64])('refuses a key of %i bytes', (length) => {
    const key = new Uint8Array(length).fill(5);
    expect(acceptableKey(key)).toBe(false);
    expect(acceptable(key, signature)).toBe(false);
    expect(verifyKeyOf(key)).toBeNull();
    expect(verifyWithNoble(key, message, signature)).toBe(false);
  });

  test.each([0, 1, 32, 63, 65, 128])('refuses a signature of %i bytes', async (length) => {
    const wrong = new Uint8Array(length);
    wrong.set(signature.subarray(0, length));
    expect(acceptable(publicKey, wrong)).toBe(false);
    expect(await verdict(publicKey, message, wrong)).toBe(false);
  });

  test('refuses S + n L for every n that fits: a second signature of the same message', async () => {
    const s = fromLittleEndian(signature.subarray(32));
    let refused = 0;
    for (let n = 1n; s + n * L < 2n ** 256n; n++) {
      const again = Uint8Array.from(signature);
      again.set(littleEndian(s + n * L), 32);
      expect(acceptable(publicKey, again)).toBe(false);
      expect(await verdict(publicKey, message, again)).toBe(false);
      refused++;
    }
    expect(refused).toBeGreaterThanOrEqual(14);
  });

  test.each([
    ['0', 0n, true],
    ['L - 1', L - 1n, true],
    ['L', L, false],
    ['L + 1', L + 1n, false],
    ['2^252', 2n ** 252n, true],
    ['2^253', 2n ** 253n, false],
    ['2^256 - 1', 2n ** 256n - 1n, false],
  ])('judges S = %s by S < L', (_name, s, expected) => {
    const made = Uint8Array.from(signature);
    made.set(littleEndian(s), 32);
    expect(acceptable(publicKey, made)).toBe(expected);
  });

  const p = 2n ** 255n - 19n;
  test.each<[string, bigint, boolean]>([
    ['2', 2n, true],
    ['3', 3n, true],
    ['p - 2', p - 2n, true],
    ['p - 19 (low byte 0xda)', p - 19n, true],
    ['p - 2^8', p - 256n, true],
    ['0', 0n, false],
    ['1', 1n, false],
    ['p - 1', p - 1n, false],
    ...Array.from({ length: 19 }, (_, i) => [`p + ${i}`, p + BigInt(i), false] as [string, bigint, boolean]),
  ])('judges y = %s, with either sign, as key and as R', (_name, y, expected) => {
    for (const sign of [0n, 1n]) {
      const point = littleEndian(y + (sign << 255n));
      const made = Uint8Array.from(signature);
      made.set(point);
      expect(acceptableKey(point)).toBe(expected);
      expect(acceptable(publicKey, made)).toBe(expected);
      expect(verifyKeyOf(point) !== null).toBe(expected);
    }
  });

  test('refuses the identity as a key, which plain OpenSSL takes as one that signs everything up to Node 22', async () => {
    const identity = littleEndian(1n);
    const forged = new Uint8Array(64);
    forged.set(identity);
    const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), identity]);
    const plain = verify(null, message, createPublicKey({ key: der, format: 'der', type: 'spki' }), forged);
    expect(plain).toBe(Number(process.versions.node.split('.')[0]) < 24);
    expect(await verdict(identity, message, forged)).toBe(false);
  });
});

function littleEndian(value: bigint): Uint8Array {
  return bytes(value.toString(16).padStart(64, '0')).reverse();
}

function fromLittleEndian(value: Uint8Array): bigint {
  return BigInt(`0x${toHex(Uint8Array.from(value).reverse())}`);
}
