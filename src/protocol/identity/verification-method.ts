/** One verification method of a DID document: written as Multikey, read in the four forms that Ed25519 keys are published in. */
import { acceptableKey } from '../ed25519/acceptance.js';
import { parsePublicKey } from './keys.js';
import { fromMultibase, toMultibase } from './multibase.js';
import { ShapeError } from '../json/shape.js';
import { isObject, type Json, type JsonObject } from '../json/values.js';

/** Multicodec `ed25519-pub`, as an unsigned varint. */
const ED25519_PUB = [0xed, 0x01] as const;
const JWK_X = /^[A-Za-z0-9_-]{43}$/;
const PRIVATE_MEMBERS = [
  'secretKeyMultibase',
  'privateKeyMultibase',
  'privateKeyJwk',
  'privateKeyBase58',
  'secretKeyJwk',
];

/** The Multikey entry of a key that `did` controls. */
export function method(did: string, keyId: string, publicKey: Uint8Array): JsonObject {
  const publicKeyMultibase = toMultibase(Uint8Array.from([...ED25519_PUB, ...publicKey]));
  return { id: keyId, type: 'Multikey', controller: did, publicKeyMultibase };
}

/**
 * The Ed25519 key of a verification method; null when it is a key of another kind.
 * @throws ShapeError when it claims to be one and is damaged, weak, or comes with its private half.
 */
export function methodKeyOf(entry: JsonObject, keyId: string): Uint8Array | null {
  if (publishesPrivateKey(entry)) throw exposed(keyId);
  const bytes = readKey(entry, keyId);
  if (bytes !== null && !acceptableKey(bytes)) throw new ShapeError(`${keyId} is not an acceptable Ed25519 public key`);
  return bytes;
}

/** True for an entry with the private half of its key, whatever kind of key it is. */
export function publishesPrivateKey(entry: JsonObject): boolean {
  if (PRIVATE_MEMBERS.some((name) => entry[name] !== undefined)) return true;
  return isObject(entry.publicKeyJwk) && entry.publicKeyJwk.d !== undefined;
}

function readKey(entry: JsonObject, keyId: string): Uint8Array | null {
  switch (entry.type) {
    case 'Multikey':
      return multikey(entry.publicKeyMultibase, keyId, true);
    case 'Ed25519VerificationKey2020':
      return multikey(entry.publicKeyMultibase, keyId, false);
    case 'JsonWebKey':
    case 'JsonWebKey2020':
      return jwk(entry.publicKeyJwk, keyId);
    default:
      return null;
  }
}

function multikey(text: Json | undefined, keyId: string, otherKinds: boolean): Uint8Array | null {
  const bytes = typeof text === 'string' ? fromMultibase(text) : null;
  if (bytes === null) {
    // Long keys of other kinds (RSA, post-quantum) run past what is decoded here, and are not ours to judge.
    if (otherKinds && typeof text === 'string' && !text.startsWith('z6Mk')) return null;
    throw new ShapeError(`"publicKeyMultibase" of ${keyId} is not base58btc`);
  }
  const ed25519 = bytes[0] === ED25519_PUB[0] && bytes[1] === ED25519_PUB[1];
  if (!ed25519 && otherKinds) return null;
  if (!ed25519 || bytes.length !== 34) throw new ShapeError(`"publicKeyMultibase" of ${keyId} is not an Ed25519 key`);
  return bytes.slice(2);
}

function jwk(key: Json | undefined, keyId: string): Uint8Array | null {
  if (!isObject(key)) throw new ShapeError(`"publicKeyJwk" of ${keyId} is not an object`);
  if (key.kty !== 'OKP' || key.crv !== 'Ed25519') return null;
  if (key.use !== undefined && key.use !== 'sig') return null;
  const bytes = typeof key.x === 'string' && JWK_X.test(key.x) ? parsePublicKey(key.x) : null;
  if (bytes === null) throw new ShapeError(`"publicKeyJwk" of ${keyId} is not an Ed25519 key`);
  return bytes;
}

function exposed(keyId: string): ShapeError {
  return new ShapeError(`the DID document publishes the private key of ${keyId}: nothing it says can be trusted`);
}
