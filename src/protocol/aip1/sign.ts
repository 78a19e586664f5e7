/** Writing envelopes as the reference writes them. Whether an agent may do what it signs is the verifier's question. */
import { signMessage } from '../ed25519/sign.js';
import { toHex } from '../hex.js';
import { toBase64url } from './encoding/base64.js';
import { CONTEXT, PROTOCOL_VERSION, type Tier } from './envelope.js';
import type { Value, ValueObject } from './encoding/numbers.js';
import { PROOF_PURPOSE, PROOF_TYPE } from './proof.js';
import { signedText } from './encoding/spellings.js';

/** What an envelope says of its agent: three members of the reference's passport. */
export interface EnvelopeAgent {
  readonly identity: ValueObject;
  readonly principal: ValueObject;
  readonly boundaries: ValueObject;
}

/** What a new envelope says. */
export interface EnvelopeContent {
  readonly action: string;
  readonly target: string;
  readonly parameters: ValueObject;
  readonly tier: Tier;
  /** Seconds, 1 to 86400. */
  readonly ttl: number;
  /** ms since the epoch. */
  readonly now: number;
  /** At least 16 bytes from a CSPRNG. */
  readonly nonce: Uint8Array;
}

/** An envelope without its proof, its members in the reference's order. */
export function envelopeOf({ identity, principal, boundaries }: EnvelopeAgent, request: EnvelopeContent): ValueObject {
  if (request.nonce.length < 16) throw new RangeError('a nonce has at least 16 bytes');
  const { action, target, parameters, ttl, now } = request;
  return {
    '@context': CONTEXT,
    '@type': 'IntentEnvelope',
    protocol_version: PROTOCOL_VERSION,
    agent: identity,
    principal,
    intent: { action, target, parameters },
    boundaries,
    verification_tier: `tier_${request.tier}`,
    entropy: `nonce:${toHex(request.nonce)}`,
    ttl,
    issued_at: referenceTime(now),
    expires_at: referenceTime(now + ttl * 1000),
  };
}

/** `document` with a proof by `seed`, made `now` (ms since the epoch) in the name of `signer`. */
export function signDocument(document: ValueObject, seed: Uint8Array, signer: string, now: number): ValueObject {
  return withProof(document, signMessage(seed, bytesToSign(document)), signer, now);
}

/** What a proof is over: the reference's own text, which its verifiers rebuild and ours try first. */
export function bytesToSign(document: ValueObject): Uint8Array {
  refuseInexact(document);
  return Buffer.from(signedText(document), 'latin1');
}

/**
 * A double beyond 2^53 has two texts, its exact digits and JavaScript's short ones, so JSON made from it may not say what was signed.
 */
function refuseInexact(value: Value): void {
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new RangeError('integers beyond 2^53 must be given as bigints or strings');
  }
  if (typeof value === 'object' && value !== null) for (const member of Object.values(value)) refuseInexact(member);
}

/** `document` with the signature or HMAC `proof` over `bytesToSign`, made `now` (ms since the epoch) in the name of `signer`. */
export function withProof(document: ValueObject, proof: Uint8Array, signer: string, now: number): ValueObject {
  return {
    ...document,
    proof: {
      type: PROOF_TYPE,
      created: referenceTime(now),
      verification_method: `${signer}#keys-1`,
      proof_purpose: PROOF_PURPOSE,
      proof_value: toBase64url(proof),
    },
  };
}

/** RFC 3339 as Pydantic writes it again when the reference verifies: no fraction, or six digits of it. */
export function referenceTime(ms: number): string {
  const text = new Date(ms).toISOString();
  return ms % 1000 === 0 ? `${text.slice(0, 19)}Z` : `${text.slice(0, 23)}000Z`;
}

/** JSON text of a document, bigints as the integers they are. */
export function documentText(value: Value, indent = ''): string {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    return `[\n${value.map((entry) => inner + documentText(entry, inner)).join(',\n')}\n${indent}]`;
  }
  const members = Object.entries(value).map(
    ([name, member]) => `${inner}${JSON.stringify(name)}: ${documentText(member, inner)}`,
  );
  return members.length === 0 ? '{}' : `{\n${members.join(',\n')}\n${indent}}`;
}
