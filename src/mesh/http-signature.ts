/**
 * HTTP Message Signatures (RFC 9421) with Ed25519, narrowed to one shape: one signature over method, path and content digest,
 * with creation time, nonce and key. Whatever else a message carries is not covered and not believed.
 */
import { sha256 } from '../protocol/hash.js';
import { fromHex, toHex } from '../protocol/hex.js';
import { SIGNATURE_HEX } from './signing.js';

const LABEL = 'aip';
const COMPONENTS = '("@method" "@path" "content-digest")';
/** The parameters in the one order that we write and read, so that there is nothing to interpret. */
const PARAMS =
  /^\("@method" "@path" "content-digest"\);created=([1-9][0-9]{0,10});nonce="([0-9a-f]{32,64})";keyid="([\x21\x23-\x5b\x5d-\x7e]{1,120})"$/;
const SIGNATURE = /^aip=:([A-Za-z0-9+/]{86}==):$/;

export interface SignatureParams {
  /** Unix seconds. */
  readonly created: number;
  readonly nonce: string;
  /** The operator's public key, `ed25519:<64 hex>`. */
  readonly keyId: string;
  /** As sent: part of the signed bytes. */
  readonly text: string;
}

export interface SignedHeaders {
  readonly 'content-digest': string;
  readonly 'signature-input': string;
  readonly signature: string;
}

/** The `Content-Digest` of a body (RFC 9530): `sha-256=:<base64>:`. */
export function contentDigest(body: Uint8Array): string {
  return `sha-256=:${Buffer.from(sha256(body)).toString('base64')}:`;
}

/** What is signed (RFC 9421, section 2.5). `path` is without the query. */
export function signatureBase(method: string, path: string, digest: string, params: string): string {
  return [
    `"@method": ${method}`,
    `"@path": ${path}`,
    `"content-digest": ${digest}`,
    `"@signature-params": ${params}`,
  ].join('\n');
}

/** The headers that sign a request. `sign` gives 128 hex digits over the UTF-8 bytes of its text. */
export function signRequest(
  request: { readonly method: string; readonly path: string; readonly body: Uint8Array },
  params: { readonly created: number; readonly nonce: string; readonly keyId: string },
  sign: (text: string) => string,
): SignedHeaders {
  const digest = contentDigest(request.body);
  const text = `${COMPONENTS};created=${params.created};nonce="${params.nonce}";keyid="${params.keyId}"`;
  const signature = fromHex(sign(signatureBase(request.method, request.path, digest, text)))!;
  return {
    'content-digest': digest,
    'signature-input': `${LABEL}=${text}`,
    signature: `${LABEL}=:${Buffer.from(signature).toString('base64')}:`,
  };
}

export type ReadSignature =
  | { readonly kind: 'none' }
  | { readonly kind: 'malformed'; readonly reason: string }
  | { readonly kind: 'signed'; readonly params: SignatureParams; /** 128 hex digits. */ readonly signature: string };

/** The signature of a request, if it has one; judges its form and the body's digest, not the signature itself. */
export function readSignature(headers: Readonly<Record<string, string>>, body: Uint8Array): ReadSignature {
  const input = headers['signature-input'];
  const value = headers['signature'];
  if (input === undefined && value === undefined) return { kind: 'none' };
  if (input === undefined || value === undefined) return malformed('one of Signature and Signature-Input is missing');
  if (!input.startsWith(`${LABEL}=`)) return malformed(`the signature's label is not ${LABEL}`);
  const text = input.slice(LABEL.length + 1);
  const match = PARAMS.exec(text);
  if (match === null) return malformed('Signature-Input does not have the one form that is understood');
  const encoded = SIGNATURE.exec(value);
  if (encoded === null) return malformed('Signature does not hold one Ed25519 signature');
  const bytes = Buffer.from(encoded[1]!, 'base64');
  const signature = toHex(bytes);
  // Several spellings of the last base64 digit decode to the same bytes; only one is a signature.
  if (bytes.toString('base64') !== encoded[1] || !SIGNATURE_HEX.test(signature))
    return malformed('Signature is not canonical base64');
  if (headers['content-digest'] !== contentDigest(body))
    return malformed('Content-Digest is not the digest of the body');
  return {
    kind: 'signed',
    params: { created: Number(match[1]), nonce: match[2]!, keyId: match[3]!, text },
    signature,
  };
}

function malformed(reason: string): ReadSignature {
  return { kind: 'malformed', reason };
}
