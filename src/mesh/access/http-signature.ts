/**
 * HTTP Message Signatures (RFC 9421) with Ed25519, narrowed to what a command needs: one signature over method, path and content
 * digest, with creation time and nonce. Whatever else a message carries is not covered and not believed. What the RFC leaves to
 * the signer is the signer's: the label, the order, what it calls its key.
 */
import { sha256 } from '../../protocol/hash.js';
import { fromHex, toHex } from '../../protocol/hex.js';
import { SIGNATURE_HEX } from '../log/signing.js';

const LABEL = 'aip';
const COMPONENTS = ['@method', '@path', 'content-digest'];
/** Label, covered components, parameters; only the canonical spelling of RFC 8941, because these very bytes are signed. */
const INPUT =
  /^([a-z*][a-z0-9_.*-]{0,63})=(\(("[a-z@-]+"(?: "[a-z@-]+")*)\)((?:;[a-z]+=(?:[0-9]{1,15}|"[\x20\x21\x23-\x5b\x5d-\x7e]*"))*))$/;
const PARAM = /;([a-z]+)=(?:([0-9]+)|"([^"]*)")/g;
/** Longest parameters: they stand in the event. */
const MAX_PARAMS = 400;
const NONCE = /^[\x21-\x7e]{16,128}$/;
const SIGNATURE = /^:([A-Za-z0-9+/]{86}==):$/;

/** What a signature covers beside the message (RFC 9421). */
export interface SignatureParams {
  /** Unix seconds. */
  readonly created: number;
  readonly nonce: string;
  /** Unix seconds after which it must not be carried out; null when the signer names none. */
  readonly expires: number | null;
  /** What the signer calls its key; null when it does not say. */
  readonly keyId: string | null;
  /** As sent: part of the signed bytes. */
  readonly text: string;
}

/** The headers of a signed request. */
export interface SignedHeaders {
  readonly 'content-digest': string;
  readonly 'signature-input': string;
  readonly signature: string;
}

/** The `Content-Digest` of a body (RFC 9530): `sha-256=:<base64>:`. */
function contentDigest(body: Uint8Array): string {
  return `sha-256=:${Buffer.from(sha256(body)).toString('base64')}:`;
}

const COVERED = /^\(([^)]*)\)/;

/** What is signed (RFC 9421, section 2.5). `path` is without the query; `params` name what is covered, in its order. */
export function signatureBase(method: string, path: string, digest: string, params: string): string {
  const values: Record<string, string> = { '@method': method, '@path': path, 'content-digest': digest };
  const covered = COVERED.exec(params)?.[1]?.split(' ') ?? [];
  const lines = covered.map((name) => `${name}: ${values[name.slice(1, -1)] ?? ''}`);
  return [...lines, `"@signature-params": ${params}`].join('\n');
}

/** The headers that sign a request. `sign` gives 128 hex digits over the UTF-8 bytes of its text. */
export async function signRequest(
  request: { readonly method: string; readonly path: string; readonly body: Uint8Array },
  params: { readonly created: number; readonly nonce: string; readonly keyId: string },
  sign: (text: string) => Promise<string>,
): Promise<SignedHeaders> {
  const digest = contentDigest(request.body);
  const text = `(${COMPONENTS.map((name) => `"${name}"`).join(' ')});created=${params.created};nonce="${params.nonce}";keyid="${params.keyId}"`;
  const signature = fromHex(await sign(signatureBase(request.method, request.path, digest, text)))!;
  return {
    'content-digest': digest,
    'signature-input': `${LABEL}=${text}`,
    signature: `${LABEL}=:${Buffer.from(signature).toString('base64')}:`,
  };
}

/** The signature of a request as read; nothing of it is believed. */
export type ReadSignature =
  | { readonly kind: 'none' }
  | { readonly kind: 'malformed'; readonly reason: string }
  | { readonly kind: 'signed'; readonly params: SignatureParams; /** 128 hex digits. */ readonly signature: string };

/** The signature of a request, if it has one; judges its form and the body's digest, not the signature itself. */
export function readSignature(headers: Readonly<Record<string, string>>, body: Uint8Array): ReadSignature {
  const input = headers['signature-input'];
  const value = headers['signature'];
  if (input === undefined && value === undefined) return { kind: 'none' };
  if (input === undefined || value === undefined) return malformed('One of Signature and Signature-Input is missing');
  const match = INPUT.exec(input);
  if (match === null) return malformed('Signature-Input is not one canonical signature of RFC 9421');
  const [, label, text, components] = match;
  if (components!.split(' ').toSorted().join() !== COMPONENTS.map((name) => `"${name}"`).join()) {
    return malformed(`Signature-Input does not cover ${COMPONENTS.join(', ')} and nothing else`);
  }
  const params = paramsOf(text!);
  if (typeof params === 'string') return malformed(params);
  const encoded = value.startsWith(`${label}=`) ? SIGNATURE.exec(value.slice(label!.length + 1)) : null;
  if (encoded === null) return malformed('Signature does not hold one Ed25519 signature of the same label');
  const bytes = Buffer.from(encoded[1]!, 'base64');
  const signature = toHex(bytes);
  // Several spellings of the last base64 digit decode to the same bytes; only one is a signature.
  if (bytes.toString('base64') !== encoded[1] || !SIGNATURE_HEX.test(signature))
    return malformed('Signature is not canonical base64');
  if (headers['content-digest'] !== contentDigest(body))
    return malformed('Content-Digest is not the digest of the body');
  return { kind: 'signed', params, signature };
}

/** The parameters in `text`, or what is wrong with them. */
function paramsOf(text: string): SignatureParams | string {
  if (text.length > MAX_PARAMS) return `The parameters of the signature are longer than ${MAX_PARAMS} characters`;
  const found = new Map<string, string | number>();
  for (const [, name, number, string] of text.matchAll(PARAM)) {
    if (found.has(name!)) return `The signature has two parameters "${name}"`;
    found.set(name!, number === undefined ? string! : Number(number));
  }
  const { created, expires, nonce, keyid, alg, ...unknown } = Object.fromEntries(found);
  const [strange] = Object.keys(unknown);
  if (strange !== undefined) return `The signature has a parameter "${strange}", which is not understood here`;
  if (typeof created !== 'number') return 'The signature does not say when it was created';
  if (expires !== undefined && typeof expires !== 'number') return '"expires" of the signature is not a time';
  if (typeof nonce !== 'string' || !NONCE.test(nonce)) return 'The signature has no nonce of 16 to 128 characters';
  if (keyid !== undefined && typeof keyid !== 'string') return '"keyid" of the signature is not a text';
  if (alg !== undefined && alg !== 'ed25519') return 'The signature is not of the algorithm ed25519';
  return { created, expires: expires ?? null, nonce, keyId: keyid ?? null, text };
}

function malformed(reason: string): ReadSignature {
  return { kind: 'malformed', reason };
}
