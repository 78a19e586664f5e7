/** What the native fixtures are made of: fixed seeds, a fixed time, and a way to sign that is not the program's own. */
import { createPublicKey, sign, type KeyObject } from 'node:crypto';
import { canonicalizeWithout } from '../../../src/protocol/json/canonical.js';
import { sha256Hex } from '../../../src/protocol/hash.js';
import type { Json, JsonObject } from '../../../src/protocol/json/values.js';
import { privateKeyOf } from '../keyring/ed25519.js';

/** The time of the guide's examples. */
export const AT = '2026-02-18T14:23:45Z';
export const NOW_S = Date.parse(AT) / 1000;
export const PRINCIPAL = 'did:web:acme.com';
export const SUPPORT = agent('support-agent-v1');

export type Signer =
  'principal' | 'agent' | 'agent key 2' | 'agent key 3' | 'stranger' | 'verifier' | 'alice' | 'bob' | 'carol';

/** Seeds that everybody may know: whatever they sign is a test. */
export function seedOf(signer: Signer): Uint8Array {
  return Buffer.from(sha256Hex(`aip fixtures: ${signer}`), 'hex');
}

export function agent(name: string): string {
  return `did:web:acme.com:agents:${name}`;
}

/** `ed25519:` and the public key's hex. */
export function publicKeyText(signer: Signer): string {
  const spki = createPublicKey(keyOf(signer)).export({ format: 'der', type: 'spki' });
  return `ed25519:${spki.subarray(-32).toString('hex')}`;
}

export function publicKeyBytes(signer: Signer): Uint8Array {
  return Buffer.from(publicKeyText(signer).slice('ed25519:'.length), 'hex');
}

/** The document with its signature member over everything else in it. */
export function withSignature(document: object, member: string, signer: Signer): JsonObject {
  const text = canonicalizeWithout(document as JsonObject, member);
  return { ...document, [member]: sign(null, Buffer.from(text), keyOf(signer)).toString('hex') };
}

/** As good as random for one document, and the same every time. */
export function nonceOf(name: string): string {
  return sha256Hex(`aip fixtures, nonce of ${name}`).slice(0, 32);
}

/** The document as `intent sign` writes it: one line. */
export function line(document: Json): string {
  return `${JSON.stringify(document)}\n`;
}

/** The document as `passport create` writes it: for people to review. */
export function page(document: Json): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}

const keys = new Map<Signer, KeyObject>();

function keyOf(signer: Signer): KeyObject {
  let key = keys.get(signer);
  if (key === undefined) {
    key = privateKeyOf(seedOf(signer));
    keys.set(signer, key);
  }
  return key;
}
