import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { bcryptPbkdf } from '../../../src/adapters/keys/file/bcrypt-pbkdf.js';
import { element, integerElement, TAG } from '../../../src/adapters/keys/file/der.js';
import { readPrivateKey } from '../../../src/adapters/keys/file/private-key.js';
import { publicKeyOf } from '../../../src/protocol/ed25519/sign.js';
import { formatPublicKey } from '../../../src/protocol/identity/keys.js';
import { expectFailure } from '../../contract/key-store.js';

interface Vectors {
  readonly private: {
    readonly accepted: readonly {
      readonly name: string;
      readonly text: string;
      readonly public_key: string;
      readonly passphrase: string | null;
    }[];
    readonly refused: readonly { readonly name: string; readonly text: string; readonly what: string }[];
  };
}
const path = fileURLToPath(new URL('../../vectors/keys.json', import.meta.url));
const vectors = (JSON.parse(readFileSync(path, 'utf8')) as Vectors).private;
const attempt = async (read: () => unknown): Promise<unknown> => read();

describe('a private key', () => {
  test.each(vectors.accepted)('is read: $name', async ({ text, public_key, passphrase }) => {
    const key = readPrivateKey(text);
    expect(key.encrypted).toBe(passphrase !== null);
    const seed = key.encrypted ? key.open(Buffer.from(passphrase!)) : key.seed;
    expect(formatPublicKey(publicKeyOf(seed))).toBe(public_key);
    if (key.encrypted)
      await expectFailure(
        attempt(() => key.open(Buffer.from('another'))),
        'WRONG_PASSPHRASE',
      );
  });

  test.each(vectors.refused)('is named for what it is: $name', async ({ text, what }) => {
    const failure = await expectFailure(
      attempt(() => readPrivateKey(text)),
      'UNREADABLE',
    );
    expect(failure.message).toContain(what);
  });

  test('of OpenSSH that asks for years of work is refused before any', async () => {
    const sealed = vectors.accepted.find(({ name }) => name === 'OpenSSH, encrypted')!.text;
    const der = Buffer.from(sealed.replace(/-----[^-]+-----/g, ''), 'base64');
    der.writeUInt32BE(4_000_000_000, der.indexOf(Buffer.from([0, 0, 0, 16, 0, 0, 0, 1])));
    const text = `-----BEGIN OPENSSH PRIVATE KEY-----\n${der.toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`;
    expect(
      (
        await expectFailure(
          attempt(() => readPrivateKey(text)),
          'UNREADABLE',
        )
      ).message,
    ).toContain('rounds');
  });

  // N = 2^20 with r = 1 is no scrypt, and a million of r is memory that N does not show.
  test.each([
    [2, 1_000_000, 16],
    [2 ** 20, 1, 1],
  ])('whose scrypt cannot be done is refused before a passphrase: N %i, r %i, p %i', async (...numbers) => {
    const parameters = element(TAG.sequence, element(TAG.octets, Buffer.alloc(16)), ...numbers.map(integerElement));
    const oid = (hex: string): Buffer => element(TAG.oid, Buffer.from(hex, 'hex'));
    const derivation = element(TAG.sequence, oid('2b06010401da47040b'), parameters);
    const cipher = element(TAG.sequence, oid('60864801650304012a'), element(TAG.octets, Buffer.alloc(16)));
    const scheme = element(TAG.sequence, oid('2a864886f70d01050d'), element(TAG.sequence, derivation, cipher));
    const der = element(TAG.sequence, scheme, element(TAG.octets, Buffer.alloc(64)));
    const text = `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${der.toString('base64')}\n-----END ENCRYPTED PRIVATE KEY-----\n`;
    const failure = await expectFailure(
      attempt(() => readPrivateKey(text)),
      'UNREADABLE',
    );
    expect(failure.message).toContain('scrypt');
  });
});

test('bcrypt_pbkdf gives what OpenBSD gives', () => {
  // From the tests of OpenBSD's regress/lib/libutil/bcrypt_pbkdf.
  expect(bcryptPbkdf(Buffer.from('password'), Buffer.from('salt'), 4, 32).toString('hex')).toBe(
    '5bbf0cc293587f1c3635555c27796598d47e579071bf427e9d8fbe842aba34d9',
  );
});
