/**
 * DID documents as did:web publishes them (W3C Decentralized Identifiers v1.0). Keys are written as Multikey (W3C Controlled
 * Identifiers v1.0), which every current resolver reads; three older forms are read as well.
 */
import { parsePublicKey } from './keys.js';
import type { PassportDocument } from '../passport.js';
import { ShapeError } from '../json/shape.js';
import { formatSeconds, parseOffsetTime } from '../time.js';
import { isObject, type Json, type JsonObject } from '../json/values.js';
import { method, methodKeyOf, publishesPrivateKey } from './verification-method.js';

/** A key of a DID document that may assert. */
export interface DidKey {
  /** Absolute: `<did>#<fragment>`. */
  readonly keyId: string;
  /** Raw 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** SubjectPublicKeyInfo of RFC 8410 up to the 32 bytes of the key. */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const CONTEXT = ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'];

/** Most verification methods one document may list. */
const MAX_METHODS = 64;
const FRAGMENT = /^#[A-Za-z0-9._~%-]{1,128}$/;

type KeyHolder = Pick<PassportDocument, 'agent_id' | 'principal' | 'key_id' | 'public_key' | 'previous_keys'>;

/**
 * The `did.json` of an agent: its current key, and rotated ones with the end of their overlap in `expires`.
 * @throws ShapeError when the passport holds a text that is no Ed25519 key.
 */
export function agentDidDocument(passport: KeyHolder): JsonObject {
  const current = method(passport.agent_id, passport.key_id, bytesOf(passport.public_key));
  const previous = passport.previous_keys.map((key) => ({
    ...method(passport.agent_id, key.key_id, bytesOf(key.public_key)),
    expires: key.valid_until,
  }));
  return document(passport.agent_id, [current, ...previous], { controller: passport.principal });
}

/** The `did.json` of a domain: the keys with which its principal signs passports. */
export function domainDidDocument(did: string, keys: readonly DidKey[]): JsonObject {
  return document(
    did,
    keys.map((key) => method(did, key.keyId, key.publicKey)),
  );
}

/** What a DID document gives: keys, and what was passed over of that which it asserts with, as sentences without a full stop. */
export interface DidKeys {
  readonly keys: readonly DidKey[];
  readonly passedOver: readonly string[];
}

/**
 * The Ed25519 keys that the document of `did` gives for assertions (what signing a passport or an intent is), in its order.
 * Keys of other kinds, other controllers and other purposes are passed over. So are revoked keys, and keys that carry
 * `expires` unless `now` (ms since the epoch) lies before it. Others write these documents, too: what is damaged and serves no assertion is
 * passed over as well.
 * @throws ShapeError when it is not the document of `did`, when a key that it asserts with is damaged or weak, when two have one id, or when it
 * publishes a private key.
 */
export function readDidKeys(json: Json, did: string, now?: number): DidKeys {
  if (!isObject(json)) throw new ShapeError('the DID document is not an object');
  if (json.id !== did) throw new ShapeError(`the DID document is not that of ${did}`);
  const listed = list(json, 'verificationMethod');
  const purposes = list(json, 'assertionMethod');
  const wanted = new Set(purposes.filter((entry) => typeof entry === 'string').map((ref) => absolute(ref, did)));
  const passedOver: string[] = [];
  for (const ref of purposes) {
    if (typeof ref === 'string' && absolute(ref, did) === null)
      passedOver.push(
        `${ref.slice(0, 200)} is no key of this document: its id is ${did}# and letters, digits or . _ ~ % -`,
      );
  }
  const keys = new Map<string, DidKey | null>();
  const read = (entry: Json, embedded: boolean): void => {
    if (!isObject(entry)) {
      if (!embedded) return;
      throw new ShapeError('a verification method is not an object');
    }
    const keyId = absolute(entry.id, did);
    if (keyId === null) return;
    if (keys.has(keyId)) throw new ShapeError(`two verification methods have the id of ${keyId}`);
    const asked = embedded || wanted.has(keyId);
    const publicKey = keyOf(entry, keyId, asked);
    const why = !asked ? null : publicKey === null ? kindOf(entry) : whyUnusable(entry, did, now);
    if (why !== null) passedOver.push(`${keyId} ${why}`);
    keys.set(keyId, asked && publicKey !== null && why === null ? { keyId, publicKey } : null);
  };
  for (const entry of listed) read(entry, false);
  // A method may stand inside the purpose itself (DID Core, 5.3); it then serves that purpose only.
  for (const entry of purposes) if (typeof entry !== 'string') read(entry, true);
  const unasked = [...keys.keys()].filter((keyId) => !wanted.has(keyId));
  if (purposes.length === 0 && unasked.length > 0)
    passedOver.push(`${unasked[0]} is not listed under assertionMethod, which is what signing is`);
  for (const ref of wanted) if (ref !== null && !keys.has(ref)) passedOver.push(`${ref} is listed and not there`);
  return { keys: [...keys.values()].filter((key) => key !== null), passedOver };
}

/** Null for another kind of key, and for a damaged entry that nothing is asserted with. */
function keyOf(entry: JsonObject, keyId: string, asked: boolean): Uint8Array | null {
  try {
    return methodKeyOf(entry, keyId);
  } catch (error) {
    // A document that publishes a private key can be anybody's, whatever the key serves.
    if (asked || !(error instanceof ShapeError) || publishesPrivateKey(entry)) throw error;
    return null;
  }
}

function kindOf({ type }: JsonObject): string {
  const named = typeof type === 'string' ? `of type ${type.slice(0, 60)}` : 'of no type';
  return `is ${named} and holds no Ed25519 key that is read: Multikey, Ed25519VerificationKey2020 and JsonWebKey are`;
}

/** Null where it may be used. */
function whyUnusable(entry: JsonObject, did: string, now: number | undefined): string | null {
  if (entry.controller !== did) return `is controlled by another than ${did}`;
  if (entry.revoked !== undefined) return 'is revoked';
  if (entry.expires === undefined) return null;
  const until = typeof entry.expires === 'string' ? parseOffsetTime(entry.expires) : null;
  if (until === null) return 'has an "expires" that is no time of RFC 3339 (2026-12-31T00:00:00Z)';
  if (now === undefined) return 'has an end, and no clock was given';
  return now < until ? null : `expired at ${formatSeconds(until)}`;
}

/** The public key as a JSON Web Key (RFC 8037). */
export function toJwk(publicKey: Uint8Array, keyId: string): JsonObject {
  const x = Buffer.from(publicKey).toString('base64url');
  return { kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig', kid: keyId, x };
}

/** The public key as SubjectPublicKeyInfo in PEM (RFC 8410), as OpenSSL reads it. */
export function toPem(publicKey: Uint8Array): string {
  const der = Buffer.concat([SPKI_PREFIX, publicKey]).toString('base64');
  return `-----BEGIN PUBLIC KEY-----\n${der}\n-----END PUBLIC KEY-----\n`;
}

function document(did: string, methods: readonly JsonObject[], more: JsonObject = {}): JsonObject {
  const ids = methods.map((entry) => entry.id!);
  return {
    '@context': CONTEXT,
    id: did,
    ...more,
    verificationMethod: methods,
    authentication: ids,
    assertionMethod: ids,
  };
}

function bytesOf(text: string): Uint8Array {
  const bytes = parsePublicKey(text);
  if (bytes === null) throw new ShapeError('a public key of the passport is not an Ed25519 key');
  return bytes;
}

function list(document: JsonObject, name: string): readonly Json[] {
  const value = document[name] ?? [];
  if (!Array.isArray(value)) throw new ShapeError(`"${name}" of the DID document is not a list`);
  if (value.length > MAX_METHODS)
    throw new ShapeError(`"${name}" of the DID document has more than ${MAX_METHODS} entries`);
  return value;
}

/** A relative or absolute DID URL of a key of `did`; null for anything else, such as a key in another document. */
function absolute(id: Json | undefined, did: string): string | null {
  if (typeof id !== 'string') return null;
  const fragment = id.startsWith(`${did}#`) ? id.slice(did.length) : id;
  return FRAGMENT.test(fragment) ? did + fragment : null;
}
