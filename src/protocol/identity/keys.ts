/**
 * Keys as text. A text that is not a key gives null, never an error that could carry it: a seed pasted into the wrong place must
 * not end up in a log.
 */
import { fromHex, toHex } from '../hex.js';

const PREFIX = 'ed25519:';
const HEX_KEY = /^[0-9A-Fa-f]{64}$/;
/** 43 digits hold 258 bits; the last two must be zero, or several texts would spell one key. */
const BASE64URL_KEY = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]=?$/;

/**
 * The raw 32-byte public key in `text`: `ed25519:` and 64 hex digits, or base64url with or without that prefix.
 * Whether the key may be used is another question: see `acceptableKey`.
 */
export function parsePublicKey(text: string): Uint8Array | null {
  return parse32(text);
}

/** `ed25519:` and 64 lower-case hex digits. */
export function formatPublicKey(publicKey: Uint8Array): string {
  return format32(publicKey);
}

/** The 32-byte seed in `text`, in the forms of a public key. */
export function parseSeed(text: string): Uint8Array | null {
  return parse32(text);
}

/** `ed25519:` and 64 lower-case hex digits: private key text, for `AGENT_PRIVATE_KEY` only. */
export function formatSeed(seed: Uint8Array): string {
  return format32(seed);
}

function parse32(text: string): Uint8Array | null {
  const prefixed = text.startsWith(PREFIX);
  const digits = prefixed ? text.slice(PREFIX.length) : text;
  if (prefixed && HEX_KEY.test(digits)) return fromHex(digits);
  // A copy, so that the bytes do not lie in Buffer's shared pool.
  return BASE64URL_KEY.test(digits) ? new Uint8Array(Buffer.from(digits, 'base64url')) : null;
}

function format32(bytes: Uint8Array): string {
  if (bytes.length !== 32) throw new RangeError('an Ed25519 key has 32 bytes');
  return PREFIX + toHex(bytes);
}
