/** Verification on the hot path: OpenSSL through node:crypto, about ten times as fast as arithmetic in JavaScript. */
import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import { formatPublicKey } from '../identity/keys.js';
import { acceptableKey, acceptableSignature } from './acceptance.js';

/** A public key that passed the acceptance rule, ready for any number of verifications. Keep it for as long as the key is in use. */
export class VerifyKey {
  /** Raw 32 bytes. */
  readonly publicKey: Uint8Array;
  /** `ed25519:` and 64 lower-case hex digits. */
  readonly text: string;
  /** @internal A KeyObject; unnamed, so that the library's declarations hold where Node's are not installed. */
  readonly handle: object;

  /** @internal Use `importKey`, which applies the rule. */
  constructor(publicKey: Uint8Array, handle: object) {
    this.publicKey = publicKey;
    this.text = formatPublicKey(publicKey);
    this.handle = handle;
  }
}

/** The key ready for use, or null when the acceptance rule refuses it. */
export function verifyKeyOf(publicKey: Uint8Array): VerifyKey | null {
  if (!acceptableKey(publicKey)) return null;
  const raw = Uint8Array.from(publicKey);
  // A JWK goes straight to the raw key (RFC 8037); DER passes through OpenSSL's decoders and takes ten times as long.
  const x = Buffer.from(raw).toString('base64url');
  return new VerifyKey(raw, createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }));
}

/** True when `signature` (64 bytes) holds over `message` under `key`; every doubt is false. */
export function verifySignature(key: VerifyKey, message: Uint8Array, signature: Uint8Array): boolean {
  return acceptableSignature(signature) && verify(null, message, key.handle as KeyObject, signature);
}

/** The same on the thread pool, for batches that should use every core. Rejects only when the thread pool fails. */
export function verifySignatureAsync(key: VerifyKey, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  if (!acceptableSignature(signature)) return Promise.resolve(false);
  return new Promise((resolve, reject) => {
    verify(null, message, key.handle as KeyObject, signature, (error, holds) => {
      if (error) reject(error);
      else resolve(holds);
    });
  });
}
