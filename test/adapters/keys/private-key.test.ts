import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { bcryptPbkdf } from '../../../src/adapters/keys/file/bcrypt-pbkdf.js';
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
});

test('bcrypt_pbkdf gives what OpenBSD gives', () => {
  // From the tests of OpenBSD's regress/lib/libutil/bcrypt_pbkdf.
  expect(bcryptPbkdf(Buffer.from('password'), Buffer.from('salt'), 4, 32).toString('hex')).toBe(
    '5bbf0cc293587f1c3635555c27796598d47e579071bf427e9d8fbe842aba34d9',
  );
});
