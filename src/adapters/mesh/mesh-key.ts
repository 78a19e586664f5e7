/** The mesh's own key at work: OpenSSL signs ten times as fast as arithmetic in JavaScript, and every event is signed. */
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { verifyKeyOf, verifySignature } from '../../protocol/ed25519/verify.js';
import { fromHex, toHex } from '../../protocol/hex.js';
import { formatPublicKey, parsePublicKey } from '../../protocol/identity/keys.js';
import type { SignatureCheck, Signer } from '../../mesh/log/signing.js';

/** PrivateKeyInfo of an Ed25519 seed up to the seed itself (RFC 8410, section 7). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

/** A signer for the 32-byte seed, and the public key as text. */
export function signerOf(seed: Uint8Array): { readonly sign: Signer; readonly publicKey: string } {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' });
  const { x } = createPublicKey(key).export({ format: 'jwk' });
  return {
    sign: (text) => toHex(sign(null, Buffer.from(text), key)),
    publicKey: formatPublicKey(Buffer.from(x!, 'base64url')),
  };
}

/** The check of a pinned public key `ed25519:<64 hex>`; null when the text is no acceptable key. */
export function checkOf(publicKey: string): SignatureCheck | null {
  const raw = parsePublicKey(publicKey);
  const key = raw === null ? null : verifyKeyOf(raw);
  if (key === null) return null;
  return (text, signature) => {
    const bytes = fromHex(signature);
    return bytes !== null && verifySignature(key, Buffer.from(text), bytes);
  };
}

const MAX_OPERATORS = 10_000;
const operators = new Map<string, SignatureCheck | null>();

/** Verifies an operator's signature; keys are kept, because making one costs more than using it. */
export function verifyOperator(publicKey: string, text: string, signature: string): boolean {
  let check = operators.get(publicKey);
  if (check === undefined) {
    if (operators.size >= MAX_OPERATORS) operators.clear();
    operators.set(publicKey, (check = checkOf(publicKey)));
  }
  return check?.(text, signature) ?? false;
}
