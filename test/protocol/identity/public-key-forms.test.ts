import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { acceptableKey } from '../../../src/protocol/ed25519/acceptance.js';
import { publicKeyOf } from '../../../src/protocol/ed25519/sign.js';
import { formatPublicKey } from '../../../src/protocol/identity/keys.js';
import { multikeyText, readPublicKey, sshPublicKey } from '../../../src/protocol/identity/public-key-forms.js';
import { toJwk, toPem } from '../../../src/protocol/identity/did-document.js';

interface Vectors {
  readonly public: {
    readonly key: string;
    readonly accepted: readonly { readonly name: string; readonly text: string }[];
    readonly named: readonly { readonly name: string; readonly text: string; readonly what: string }[];
    readonly notKeys: readonly string[];
  };
}
const path = fileURLToPath(new URL('../../vectors/keys.json', import.meta.url));
const vectors = (JSON.parse(readFileSync(path, 'utf8')) as Vectors).public;

describe('a public key', () => {
  test.each(vectors.accepted)('is read: $name', ({ text }) => {
    const reading = readPublicKey(text);
    expect(reading.kind === 'key' ? formatPublicKey(reading.publicKey) : reading).toBe(vectors.key);
  });

  test.each(vectors.named)('is named for what it is: $name', ({ text, what }) => {
    const reading = readPublicKey(text);
    expect(reading).toMatchObject({ kind: 'other', what: expect.stringContaining(what) as string });
  });

  test.each(vectors.notKeys)('is not seen in %j', (text) => expect(readPublicKey(text)).toEqual({ kind: 'none' }));

  test('of any seed comes back from every form that is written', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (seed) => {
        const key = publicKeyOf(seed);
        fc.pre(acceptableKey(key));
        for (const text of [
          formatPublicKey(key),
          toPem(key),
          JSON.stringify(toJwk(key, 'did:web:acme.com#key-1')),
          sshPublicKey(key, 'did:web:acme.com#key-1'),
          multikeyText(key),
          `did:key:${multikeyText(key)}`,
        ])
          expect(readPublicKey(text)).toEqual({ kind: 'key', publicKey: Uint8Array.from(key) });
      }),
      { numRuns: 30 },
    );
  });

  test('is never found in rubbish, which fails nothing either', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        fc.pre(!/^[A-Za-z0-9_=-]{43,44}$/.test(text.trim()));
        expect(readPublicKey(text).kind).not.toBe('key');
      }),
    );
  });
});
