import { createPublicKey } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  agentDidDocument,
  domainDidDocument,
  readDidKeys,
  toJwk,
  toPem,
} from '../../../src/protocol/identity/did-document.js';
import { formatPublicKey } from '../../../src/protocol/identity/keys.js';
import { fromMultibase, toMultibase } from '../../../src/protocol/identity/multibase.js';
import { ShapeError } from '../../../src/protocol/json/shape.js';
import type { Json, JsonObject } from '../../../src/protocol/json/values.js';

const DID = 'did:web:acme.com';
const AGENT = 'did:web:acme.com:agents:support-agent-v1';
// RFC 8032, section 7.1, TEST 1 and TEST 2: public keys.
const KEY = Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex');
const OTHER = Buffer.from('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c', 'hex');
const NOW = Date.parse('2026-02-18T14:23:45Z');
const MULTIBASE = toMultibase(Uint8Array.from([0xed, 1, ...KEY]));
const X = KEY.toString('base64url');

function doc(method: JsonObject, more: JsonObject = {}): JsonObject {
  const full = { id: `${DID}#key-1`, controller: DID, ...method };
  return { id: DID, verificationMethod: [full], assertionMethod: [full.id], ...more };
}
const multikey: JsonObject = { type: 'Multikey', publicKeyMultibase: MULTIBASE };
const keysIn = (json: Json, did: string, now?: number) => readDidKeys(json, did, now).keys;
const hex = (keys: readonly { keyId: string; publicKey: Uint8Array }[]) =>
  keys.map(({ keyId, publicKey }) => [keyId, Buffer.from(publicKey).toString('hex')]);

describe('base58btc', () => {
  // Vectors of the base58 draft (draft-msporny-base58, section 5).
  test.each([
    ['Hello World!', 'z2NEpo7TZRRrLZSi2U'],
    ['The quick brown fox jumps over the lazy dog.', 'zUSm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z'],
  ])('%s', (text, encoded) => {
    expect(toMultibase(Buffer.from(text))).toBe(encoded);
    expect(Buffer.from(fromMultibase(encoded)!).toString()).toBe(text);
  });

  test('keeps leading zero bytes', () => {
    expect(toMultibase(Buffer.from('0000287fb4cd', 'hex'))).toBe('z11233QC4');
    expect([...fromMultibase('z11233QC4')!]).toEqual([0, 0, 0x28, 0x7f, 0xb4, 0xcd]);
  });

  test.each(['', 'z', 'u2NEpo7TZRRrLZSi2U', 'z0', 'zO', 'zI', 'zl', 'z1 1', 'zä', `z${'2'.repeat(128)}`])(
    'refuses %j',
    (text) => {
      expect(fromMultibase(text)).toBeNull();
    },
  );

  test('comes back from every short byte string', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (bytes) => {
        expect(fromMultibase(toMultibase(bytes))).toEqual(bytes);
      }),
    );
  });
});

describe('documents we write', () => {
  const passport = {
    agent_id: AGENT,
    principal: DID,
    key_id: `${AGENT}#key-2`,
    public_key: formatPublicKey(KEY),
    previous_keys: [
      { key_id: `${AGENT}#key-1`, public_key: formatPublicKey(OTHER), valid_until: '2026-02-19T14:23:45Z' },
    ],
  };

  test("an agent's has its current key and the rotated one with its end", () => {
    expect(agentDidDocument(passport)).toEqual({
      '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'],
      id: AGENT,
      controller: DID,
      verificationMethod: [
        { id: `${AGENT}#key-2`, type: 'Multikey', controller: AGENT, publicKeyMultibase: MULTIBASE },
        {
          id: `${AGENT}#key-1`,
          type: 'Multikey',
          controller: AGENT,
          publicKeyMultibase: toMultibase(Uint8Array.from([0xed, 1, ...OTHER])),
          expires: '2026-02-19T14:23:45Z',
        },
      ],
      authentication: [`${AGENT}#key-2`, `${AGENT}#key-1`],
      assertionMethod: [`${AGENT}#key-2`, `${AGENT}#key-1`],
    });
    expect(MULTIBASE.startsWith('z6Mk')).toBe(true);
  });

  test('are read back: a rotated key only with a clock, and only before its end', () => {
    const written = agentDidDocument(passport);
    const ids = (now?: number) => keysIn(written, AGENT, now).map(({ keyId }) => keyId.split('#')[1]);
    expect(ids()).toEqual(['key-2']);
    expect(ids(NOW)).toEqual(['key-2', 'key-1']);
    expect(ids(Date.parse('2026-02-19T14:23:45Z'))).toEqual(['key-2']);
  });

  test("a domain's carries its keys", () => {
    const keys = [
      { keyId: `${DID}#key-1`, publicKey: OTHER },
      { keyId: `${DID}#key-2`, publicKey: KEY },
    ];
    expect(hex(keysIn(domainDidDocument(DID, keys), DID))).toEqual(hex(keys));
    expect(domainDidDocument(DID, [])).toMatchObject({ verificationMethod: [], assertionMethod: [] });
  });

  test('a passport whose key is none makes no document', () => {
    expect(() => agentDidDocument({ ...passport, public_key: 'ed25519:00' })).toThrow(ShapeError);
  });
});

describe('documents we read', () => {
  test.each<[string, JsonObject]>([
    ['Multikey', multikey],
    ['Ed25519VerificationKey2020', { type: 'Ed25519VerificationKey2020', publicKeyMultibase: MULTIBASE }],
    ['JsonWebKey2020', { type: 'JsonWebKey2020', publicKeyJwk: { kty: 'OKP', crv: 'Ed25519', x: X } }],
    [
      'JsonWebKey',
      { type: 'JsonWebKey', publicKeyJwk: { kty: 'OKP', crv: 'Ed25519', x: X, use: 'sig', alg: 'EdDSA' } },
    ],
    ['a relative id', { ...multikey, id: '#key-1' }],
  ])('%s', (_, method) => {
    expect(hex(keysIn(doc(method), DID))).toEqual([[`${DID}#key-1`, KEY.toString('hex')]]);
  });

  test.each([
    '2026-02-18T15:23:46+01:00',
    '2026-02-18T09:23:46-05:00',
    '2026-02-18T14:23:45.5z',
    '2026-02-18t14:24:00Z',
  ])('a key in force until %s', (expires) => {
    expect(hex(keysIn(doc({ ...multikey, expires }), DID, NOW))).toHaveLength(1);
  });

  test.each<[string, JsonObject]>([
    ['a short key', { type: 'Ed25519VerificationKey2020', publicKeyMultibase: 'z11' }],
    ['a JWK that is text', { type: 'JsonWebKey2020', publicKeyJwk: 'x' }],
    ['a key of small order', { type: 'JsonWebKey', publicKeyJwk: { kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) } }],
  ])('%s beside the key, unused, takes nothing down', (_, unused) => {
    const document = doc(multikey) as { verificationMethod: Json[] } & JsonObject;
    const more = {
      ...document,
      verificationMethod: [...document.verificationMethod, { id: '#other', controller: DID, ...unused }],
    };
    expect(hex(keysIn(more, DID, NOW))).toEqual([[`${DID}#key-1`, KEY.toString('hex')]]);
    expect(() => keysIn({ ...more, assertionMethod: ['#key-1', '#other'] }, DID, NOW)).toThrow(ShapeError);
  });

  test('a method may stand inside assertionMethod', () => {
    const embedded = { id: '#key-1', controller: DID, ...multikey };
    expect(hex(keysIn({ id: DID, assertionMethod: [embedded] }, DID))).toEqual([[`${DID}#key-1`, KEY.toString('hex')]]);
  });

  test.each<[string, JsonObject]>([
    ['a key for another purpose', doc(multikey, { assertionMethod: [], authentication: [`${DID}#key-1`] })],
    ['no purpose at all', doc(multikey, { assertionMethod: [`${DID}#key-9`] })],
    ["another controller's key", doc({ ...multikey, controller: 'did:web:evil.com' })],
    ['a controller that is not said', doc({ ...multikey, controller: null })],
    ['a key of another document', doc({ ...multikey, id: 'did:web:evil.com#key-1' })],
    ['an id that only starts like the DID', doc({ ...multikey, id: 'did:web:acme.com.evil.com#key-1' })],
    ['a revoked key', doc({ ...multikey, revoked: '2026-01-01T00:00:00Z' })],
    ['a key that has expired', doc({ ...multikey, expires: '2026-02-18T14:23:45Z' })],
    ['an expiry that is no time', doc({ ...multikey, expires: 'never' })],
    ['a type that is not known', doc({ ...multikey, type: 'Ed25519VerificationKey2018' })],
    ['a P-256 JWK', doc({ type: 'JsonWebKey2020', publicKeyJwk: { kty: 'EC', crv: 'P-256', x: X, y: X } })],
    ['an X25519 JWK', doc({ type: 'JsonWebKey2020', publicKeyJwk: { kty: 'OKP', crv: 'X25519', x: X } })],
    [
      'a JWK for encryption',
      doc({ type: 'JsonWebKey', publicKeyJwk: { kty: 'OKP', crv: 'Ed25519', x: X, use: 'enc' } }),
    ],
    ['an X25519 Multikey', doc({ ...multikey, publicKeyMultibase: toMultibase(Uint8Array.from([0xec, 1, ...KEY])) })],
    ['a long Multikey of another kind', doc({ ...multikey, publicKeyMultibase: `z${'4'.repeat(400)}` })],
    ['a document without keys', { id: DID }],
    ['a method that is no object', { id: DID, verificationMethod: ['x', 7, null] }],
    [
      'a damaged key that nothing is asserted with',
      doc({ ...multikey, publicKeyMultibase: 'z6MkX' }, { assertionMethod: [] }),
    ],
    ['an expiry with an offset, passed', doc({ ...multikey, expires: '2026-02-18T15:23:45+01:00' })],
  ])('passes over %s', (_, document) => {
    expect(keysIn(document, DID, NOW)).toEqual([]);
  });

  test.each<[string, Json, string]>([
    ['not an object', [], 'not an object'],
    ['null', null, 'not an object'],
    ["another DID's document", { ...doc(multikey), id: 'did:web:evil.com' }, 'not that of did:web:acme.com'],
    ['a document without an id', { ...doc(multikey), id: null }, 'not that of'],
    ['another case of the id', { ...doc(multikey), id: 'did:web:ACME.com' }, 'not that of'],
    ['verificationMethod that is no list', { id: DID, verificationMethod: {} }, 'not a list'],
    ['assertionMethod that is no list', doc(multikey, { assertionMethod: 'x' }), 'not a list'],
    ['a purpose that is a number', doc(multikey, { assertionMethod: [7] }), 'not an object'],
    ['too many methods', { id: DID, verificationMethod: Array<Json>(65).fill({}) }, 'more than 64'],
    ['two keys of one id', { id: DID, verificationMethod: Array<Json>(2).fill({ id: '#a', ...multikey }) }, 'two'],
    ['a key listed and embedded', doc(multikey, { assertionMethod: [{ id: '#key-1', ...multikey }] }), 'two'],
    [
      'a short key',
      doc({ ...multikey, publicKeyMultibase: toMultibase(Uint8Array.from([0xed, 1, 2])) }),
      'not an Ed25519',
    ],
    ['another base', doc({ type: 'Ed25519VerificationKey2020', publicKeyMultibase: 'f00' }), 'not base58btc'],
    ['no multibase', doc({ type: 'Multikey' }), 'not base58btc'],
    [
      'a 2020 key of another kind',
      doc({ type: 'Ed25519VerificationKey2020', publicKeyMultibase: 'z11' }),
      'not an Ed25519',
    ],
    ['a damaged z6Mk key', doc({ ...multikey, publicKeyMultibase: `${MULTIBASE}0` }), 'not base58btc'],
    ['a JWK that is text', doc({ type: 'JsonWebKey2020', publicKeyJwk: 'x' }), 'not an object'],
    ['a JWK without x', doc({ type: 'JsonWebKey', publicKeyJwk: { kty: 'OKP', crv: 'Ed25519' } }), 'not an Ed25519'],
    [
      'a padded x',
      doc({ type: 'JsonWebKey', publicKeyJwk: { kty: 'OKP', crv: 'Ed25519', x: `${X}=` } }),
      'not an Ed25519',
    ],
    [
      'a second spelling of x',
      doc({ type: 'JsonWebKey', publicKeyJwk: { kty: 'OKP', crv: 'Ed25519', x: `${X.slice(0, -1)}p` } }),
      'not an Ed25519',
    ],
    [
      'a key of small order',
      doc({
        ...multikey,
        publicKeyMultibase: toMultibase(Uint8Array.from([0xed, 1, 1, ...Array<number>(31).fill(0)])),
      }),
      'not an acceptable',
    ],
  ])('refuses %s', (_, document, reason) => {
    expect(() => keysIn(document, DID, NOW)).toThrow(ShapeError);
    expect(() => keysIn(document, DID, NOW)).toThrow(reason);
  });

  test.each<[string, JsonObject]>([
    ['secretKeyMultibase', { ...multikey, secretKeyMultibase: 'z3u2-SECRET' }],
    ['privateKeyJwk', { ...multikey, privateKeyJwk: { d: 'SECRET' } }],
    ['privateKeyMultibase', { ...multikey, privateKeyMultibase: 'SECRET' }],
    ['d of a JWK', { type: 'JsonWebKey', publicKeyJwk: { kty: 'OKP', crv: 'Ed25519', x: X, d: 'SECRET' } }],
  ])('refuses a document that publishes %s, without repeating it', (_, method) => {
    let message = '';
    try {
      keysIn(doc(method), DID);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toContain('publishes the private key');
    expect(message).not.toContain('SECRET');
  });

  test('never fails with anything but a reason, whatever JSON it is given', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.jsonValue({ maxDepth: 3 }), (a, b) => {
        const document = { id: DID, verificationMethod: [a], assertionMethod: [b] } as Json;
        try {
          expect(keysIn(document, DID)).toEqual([]);
        } catch (error) {
          expect(error).toBeInstanceOf(ShapeError);
        }
      }),
    );
  });
});

describe('other forms of a public key', () => {
  test('JWK and PEM are read by node:crypto as the same key', () => {
    const jwk = toJwk(KEY, `${DID}#key-1`);
    expect(jwk).toEqual({ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig', kid: `${DID}#key-1`, x: X });
    const fromPem = createPublicKey(toPem(KEY));
    expect(fromPem.asymmetricKeyType).toBe('ed25519');
    expect(fromPem.export({ format: 'jwk' })).toEqual({ kty: 'OKP', crv: 'Ed25519', x: X });
    expect(fromPem.export({ format: 'der', type: 'spki' })).toHaveLength(44);
    expect(createPublicKey({ key: jwk as Record<string, string>, format: 'jwk' }).equals(fromPem)).toBe(true);
  });
});
