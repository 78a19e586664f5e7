/** `public.pem` of the reference's folder: SubjectPublicKeyInfo of an Ed25519 key (RFC 8410, section 4) in PEM. */
import { fromBase64url } from './encoding/base64.js';

const HEAD = Buffer.from('302a300506032b6570032100', 'hex');
const PEM = /^-----BEGIN PUBLIC KEY-----\r?\n([A-Za-z0-9+/=\r\n]{1,128})\r?\n-----END PUBLIC KEY-----\s*$/;

/** The raw 32 bytes, or null when the text is no Ed25519 public key. */
export function publicKeyOfPem(pem: string): Uint8Array | null {
  const match = PEM.exec(pem);
  if (match === null) return null;
  const text = match[1]!
    .replace(/[\r\n]/g, '')
    .replaceAll('+', '-')
    .replaceAll('/', '_');
  const der = fromBase64url(text);
  if (der === null || der.length !== 44 || !HEAD.equals(der.subarray(0, 12))) return null;
  return Uint8Array.from(der.subarray(12));
}

/** A raw public key of 32 bytes as SubjectPublicKeyInfo in PEM. @throws RangeError for another length */
export function publicKeyPem(publicKey: Uint8Array): string {
  if (publicKey.length !== 32) throw new RangeError('an Ed25519 key has 32 bytes');
  const der = Buffer.concat([HEAD, publicKey]);
  return `-----BEGIN PUBLIC KEY-----\n${der.toString('base64')}\n-----END PUBLIC KEY-----\n`;
}
