import { execFileSync, spawnSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { element, integerElement, DerReader, TAG } from '../../../src/adapters/keys/file/der.js';
import {
  decodePem,
  encodeEncryptedPem,
  openKeyFile,
  requireEncryptedPem,
} from '../../../src/adapters/keys/file/pem.js';
import { Failure } from '../../../src/app/failure.js';
import { seedOf } from '../../contract/key-store.js';

// What ships, and not what the other tests take.
vi.unmock('../../../src/adapters/keys/file/rounds.js');

const SALT = new Uint8Array(16).fill(1);
const IV = new Uint8Array(16).fill(2);
/** One file for the tests that only look at its form: 600,000 rounds take a moment. */
const PEM = encodeEncryptedPem(seedOf(7), 'pass', SALT, IV);

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (cause) {
    return cause instanceof Failure ? cause.code : `not a Failure: ${String(cause)}`;
  }
  return 'accepted';
}

function derOf(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----.*-----|\n/g, ''), 'base64');
}

function pemOf(der: Uint8Array, label = 'ENCRYPTED PRIVATE KEY'): string {
  return `-----BEGIN ${label}-----\n${Buffer.from(der).toString('base64')}\n-----END ${label}-----\n`;
}

const openssl = spawnSync('openssl', ['version']).status === 0;
if (!openssl) console.log('skipped: the tests against the openssl program, which is not installed');

describe.skipIf(!openssl)('with the openssl program', () => {
  test('openssl reads our files, and finds the same key', () => {
    const text = execFileSync('openssl', ['pkey', '-passin', 'env:P', '-text', '-noout'], {
      input: PEM,
      env: { ...process.env, P: 'pass' },
      encoding: 'utf8',
    });
    expect(text).toContain('ED25519 Private-Key');
    expect(text.split('pub:')[0]!.match(/07/g)).toHaveLength(32);
  });

  test('openssl does not read them with another passphrase', () => {
    const run = spawnSync('openssl', ['pkey', '-passin', 'env:P', '-noout'], {
      input: PEM,
      env: { ...process.env, P: 'past' },
    });
    expect(run.status).not.toBe(0);
  });

  test.each(['-aes256', '-aes128'])('we read what openssl genpkey %s writes', (cipher) => {
    const pem = execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519', cipher, '-pass', 'pass:gr\u00fc\u00df'], {
      encoding: 'utf8',
    });
    const plain = execFileSync('openssl', ['pkey', '-passin', 'pass:gr\u00fc\u00df'], { input: pem, encoding: 'utf8' });
    expect(decodePem(pem, 'gr\u00fc\u00df')).toEqual(decodePem(plain, null, { allowPlain: true }));
  });

  test('scrypt opens; keys of other kinds are refused with a reason', () => {
    const key = execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519'], { encoding: 'utf8' });
    const scrypt = execFileSync('openssl', ['pkcs8', '-topk8', '-scrypt', '-passout', 'pass:pass'], {
      input: key,
      encoding: 'utf8',
    });
    expect(decodePem(scrypt, 'pass')).toEqual(decodePem(key, null, { allowPlain: true }));
    expect(codeOf(() => decodePem(scrypt, 'word'))).toBe('WRONG_PASSPHRASE');
    const rsa = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'pass' },
    }).privateKey;
    expect(codeOf(() => decodePem(rsa, 'pass'))).toBe('UNREADABLE');
  });
});

describe('an encrypted PEM', () => {
  test('gives the seed back, for any passphrase OpenSSL can take', () => {
    for (const passphrase of ['x', 'pass word', 'p\u00e4ss \u{1F511}', '-----END', 'y'.repeat(1024)]) {
      const seed = new Uint8Array(randomBytes(32));
      expect(decodePem(encodeEncryptedPem(seed, passphrase, randomBytes(16), randomBytes(16)), passphrase)).toEqual(
        seed,
      );
    }
  });

  test('is the same bytes for the same input', () => {
    expect(encodeEncryptedPem(seedOf(7), 'pass', SALT, IV)).toBe(PEM);
  });

  test('says how it is made: PBES2, 600,000 rounds of PBKDF2-HMAC-SHA256, AES-256-CBC', () => {
    const scheme = new DerReader(derOf(PEM)).enter().enter();
    scheme.take(TAG.oid);
    const params = scheme.enter();
    const kdf = params.enter();
    kdf.take(TAG.oid);
    const inner = kdf.enter();
    expect(inner.take(TAG.octets)).toEqual(Buffer.from(SALT));
    expect(inner.takeInteger()).toBe(600_000);
    expect(Buffer.from(inner.enter().take(TAG.oid)).toString('hex')).toBe('2a864886f70d0209');
    expect(Buffer.from(params.enter().take(TAG.oid)).toString('hex')).toBe('60864801650304012a');
  });

  test.each([
    ['another passphrase', 'past'],
    ['the passphrase with a newline', 'pass\n'],
    ['another case', 'Pass'],
    ['none', null],
  ])('does not open with %s', (_, passphrase) => {
    expect(codeOf(() => decodePem(PEM, passphrase))).toBe('WRONG_PASSPHRASE');
  });

  test.each(['', 'z'.repeat(1025)])('is neither made nor opened with an empty or endless passphrase', (passphrase) => {
    expect(codeOf(() => encodeEncryptedPem(seedOf(7), passphrase, SALT, IV))).toBe('USAGE');
    expect(codeOf(() => decodePem(PEM, passphrase))).toBe('USAGE');
  });

  test.each([0, 4_000_001, 0x7fffffff])('asking for %i rounds is refused before any work', (rounds) => {
    const der = derOf(PEM);
    const at = der.indexOf(integerElement(600_000));
    const other = Buffer.concat([Buffer.from([0x02, 0x04]), Buffer.alloc(4)]);
    other.writeUInt32BE(rounds, 2);
    const grown = Buffer.concat([der.subarray(0, at), other, der.subarray(at + integerElement(600_000).length)]);
    // Each of the enclosing lengths grows by one.
    for (const offset of enclosing(der, at)) grown[offset]! += 1;
    expect(() => decodePem(pemOf(grown), 'pass')).toThrow(
      expect.objectContaining({ code: 'UNREADABLE', hint: expect.stringContaining('openssl pkcs8 -topk8') as string }),
    );
  });

  test('lengths that claim more than there is are refused', () => {
    expect(codeOf(() => decodePem(pemOf(Buffer.from('3082ffff', 'hex')), 'pass'))).toBe('UNREADABLE');
    expect(codeOf(() => decodePem(pemOf(Buffer.from('3084ffffffff00', 'hex')), 'pass'))).toBe('UNREADABLE');
    expect(codeOf(() => decodePem(pemOf(Buffer.from('3080', 'hex')), 'pass'))).toBe('UNREADABLE');
  });

  test.each([
    ['two keys', PEM + PEM],
    ['two keys', `${PEM}${PEM}`],
    ['a mixed label', PEM.replace('END ENCRYPTED PRIVATE', 'END PRIVATE')],
    ['a traditional key', PEM.replaceAll('ENCRYPTED PRIVATE KEY', 'EC PRIVATE KEY')],
    ['bytes after the key', pemOf(Buffer.concat([derOf(PEM), Buffer.from([0])]))],
    ['a plain key under the encrypted label', PEM.replaceAll('ENCRYPTED ', '')],
    ['65 KiB', PEM + ' '.repeat(65 * 1024)],
  ])('%s is UNREADABLE', (_, pem) => expect(codeOf(() => decodePem(pem, 'pass'))).toBe('UNREADABLE'));

  test('cut or changed anywhere never gives a key without complaint, and always a Failure', () => {
    const der = derOf(PEM);
    const seen = new Set<string>();
    // The last 64 bytes are the ciphertext: a change there costs the full derivation, so few of them.
    for (let at = 0; at < der.length - 64; at += 3) {
      const changed = Buffer.from(der);
      changed[at]! ^= 0xff;
      seen.add(codeOf(() => requireEncryptedPem(pemOf(changed))));
      seen.add(codeOf(() => requireEncryptedPem(pemOf(der.subarray(0, at)))));
    }
    // Salt and IV can be anything.
    expect([...seen].sort()).toEqual(['UNREADABLE', 'accepted']);
    for (const at of [der.length - 1, der.length - 20, der.indexOf(Buffer.from(SALT))]) {
      const changed = Buffer.from(der);
      changed[at]! ^= 1;
      expect(codeOf(() => decodePem(pemOf(changed), 'pass'))).toBe('WRONG_PASSPHRASE');
    }
  });

  test('any text gives a Failure', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200, unit: 'binary' }), (text) => {
        expect(codeOf(() => decodePem(text, 'pass'))).toBe('UNREADABLE');
        expect(codeOf(() => decodePem(pemOf(Buffer.from(text)), 'pass'))).toBe('UNREADABLE');
        expect(codeOf(() => decodePem(pemOf(Buffer.from(text), 'PRIVATE KEY'), null, { allowPlain: true }))).toBe(
          'UNREADABLE',
        );
      }),
    );
  });
});

describe('a plain PEM', () => {
  const plain = generateKeyPairSync('ed25519').privateKey;
  const pem = plain.export({ type: 'pkcs8', format: 'pem' }).toString();

  test('is read only where that is asked for', () => {
    expect(codeOf(() => decodePem(pem, null))).toBe('UNREADABLE');
    expect(codeOf(() => decodePem(pem, 'pass'))).toBe('UNREADABLE');
    expect(codeOf(() => requireEncryptedPem(pem))).toBe('UNREADABLE');
    expect(Buffer.from(decodePem(pem, null, { allowPlain: true })).toString('base64url')).toBe(
      plain.export({ format: 'jwk' }).d,
    );
  });

  test('of another kind is refused', () => {
    const other = generateKeyPairSync('x25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    expect(codeOf(() => decodePem(other, null, { allowPlain: true }))).toBe('UNREADABLE');
  });

  test('is told from an encrypted one by its label', async () => {
    const asked: string[] = [];
    const open = (name: string, text: string): Promise<Uint8Array> =>
      openKeyFile(name, text, () => (asked.push(name), Promise.resolve('pass')), { allowPlain: true });
    await open('encrypted', PEM);
    await open('plain', pem);
    await expect(open('empty', '')).rejects.toMatchObject({ code: 'UNREADABLE' });
    expect(asked).toEqual(['encrypted']);
  });
});

describe('DER', () => {
  test('integers and lengths are the shortest', () => {
    expect([0, 127, 128, 255, 256, 600_000].map((n) => integerElement(n).toString('hex'))).toEqual([
      '020100',
      '02017f',
      '02020080',
      '020200ff',
      '02020100',
      '02030927c0',
    ]);
    expect(element(TAG.octets, new Uint8Array(128)).subarray(0, 3).toString('hex')).toBe('048180');
    expect(element(TAG.octets, new Uint8Array(256)).subarray(0, 4).toString('hex')).toBe('04820100');
    expect(() => element(TAG.octets, new Uint8Array(65_536))).toThrow(RangeError);
  });

  test.each(['', '04', '0402ff', '048101ff', '04820001ff', '0480', '0483000001ff', '0201ff', '02020001'.slice(0, 4)])(
    '%s is refused',
    (hex) => {
      const reader = new DerReader(Buffer.from(hex, 'hex'));
      expect(() => (reader.next(TAG.integer) ? reader.takeInteger() : reader.take(TAG.octets))).toThrow(RangeError);
    },
  );

  test('what is written is read back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(0x7fffffff), (bytes, n) => {
        const reader = new DerReader(element(TAG.sequence, element(TAG.octets, bytes), integerElement(n))).enter();
        expect(Buffer.from(reader.take(TAG.octets))).toEqual(Buffer.from(bytes));
        expect(reader.takeInteger()).toBe(n);
        expect(reader.ended).toBe(true);
      }),
    );
  });
});

/** Offsets of the last length byte of every SEQUENCE around `at`. */
function enclosing(der: Buffer, at: number): number[] {
  const offsets: number[] = [];
  for (let start = 0; start < at;) {
    const long = der[start + 1]! === 0x81;
    const lengthAt = start + (long ? 2 : 1);
    const contentAt = lengthAt + 1;
    const end = contentAt + der[lengthAt]!;
    if (at < end && der[start] === TAG.sequence) {
      offsets.push(lengthAt);
      start = contentAt;
    } else {
      start = end;
    }
  }
  return offsets;
}
