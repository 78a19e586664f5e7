/**
 * DID documents as did:web publishes them (W3C Decentralized Identifiers v1.0). Keys are written as Multikey (W3C Controlled
 * Identifiers v1.0), which every current resolver reads; three older forms are read as well.
 */
import { parsePublicKey } from './keys.js';
import type { PassportDocument } from '../passport.js';
import { ShapeError } from '../json/shape.js';
import { parseTime } from '../time.js';
import { isObject, type Json, type JsonObject } from '../json/values.js';
import { method, publicKeyOf } from './verification-method.js';

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
 * @throws ShapeError when the passport holds a key that is none.
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

/**
 * The Ed25519 keys that the document of `did` gives for assertions (what signing a passport or an intent is), in its order.
 * Keys of other kinds, other controllers and other purposes are passed over. So are revoked keys, and keys that carry
 * `expires` unless `now` (ms since the epoch) lies before it.
 * @throws ShapeError when it is not the document of `did`, when a key in it is damaged or weak, or two have one id.
 */
export function keysInDidDocument(json: Json, did: string, now?: number): DidKey[] {
  if (!isObject(json)) throw new ShapeError('the DID document is not an object');
  if (json.id !== did) throw new ShapeError(`the DID document is not that of ${did}`);
  const listed = list(json, 'verificationMethod');
  const purposes = list(json, 'assertionMethod');
  const wanted = new Set(purposes.filter((entry) => typeof entry === 'string').map((ref) => absolute(ref, did)));
  const keys = new Map<string, DidKey | null>();
  const read = (entry: Json, asked: boolean): void => {
    if (!isObject(entry)) throw new ShapeError('a verification method is not an object');
    const keyId = absolute(entry.id, did);
    if (keyId === null) return;
    if (keys.has(keyId)) throw new ShapeError(`two verification methods have the id of ${keyId}`);
    const publicKey = publicKeyOf(entry, keyId);
    const usable = publicKey !== null && entry.controller === did && inForce(entry, now);
    keys.set(keyId, usable && (asked || wanted.has(keyId)) ? { keyId, publicKey } : null);
  };
  for (const entry of listed) read(entry, false);
  // A method may stand inside the purpose itself (DID Core, 5.3); it then serves that purpose only.
  for (const entry of purposes) if (typeof entry !== 'string') read(entry, true);
  return [...keys.values()].filter((key) => key !== null);
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

function inForce(entry: JsonObject, now: number | undefined): boolean {
  if (entry.revoked !== undefined) return false;
  if (entry.expires === undefined) return true;
  const until = typeof entry.expires === 'string' ? parseTime(entry.expires) : null;
  return until !== null && now !== undefined && now < until;
}
