/** Keys and signatures of the red team, by Node's own Ed25519: the verifier's code has no part in them. */
import { createHash, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import type { Json, JsonObject } from '../../protocol/json/values.js';

const PRIVATE = Buffer.from('302e020100300506032b657004220420', 'hex');
const PUBLIC = Buffer.from('302a300506032b6570032100', 'hex');

/** A throwaway key pair. */
export interface Pair {
  /** `ed25519:` and 64 hex digits. */
  readonly text: string;
  readonly raw: Uint8Array;
  readonly secret: KeyObject;
}

/** The pair of a name: the same in every run. */
export function pairOf(name: string): Pair {
  return pairFrom(createHash('sha256').update(`aip redteam: ${name}`).digest());
}

/** The pair of a seed of 32 bytes. */
export function pairFrom(seed: Uint8Array): Pair {
  const secret = createPrivateKey({ key: Buffer.concat([PRIVATE, seed]), format: 'der', type: 'pkcs8' });
  const raw = createPublicKey(secret).export({ format: 'der', type: 'spki' }).subarray(PUBLIC.length);
  return { text: `ed25519:${raw.toString('hex')}`, raw, secret };
}

/** RFC 8785 for what JSON.parse gives: members by UTF-16 units, numbers and texts as JSON.stringify writes them. */
export function jcs(value: Json): string {
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(jcs).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const object = value as JsonObject;
  const names = Object.keys(object).sort((a, b) => (a < b ? -1 : 1));
  return `{${names.map((name) => `${JSON.stringify(name)}:${jcs(object[name]!)}`).join(',')}}`;
}

/** The bytes that a signature of the document is over. */
function signedPart(document: JsonObject, member: string): Buffer {
  const rest = Object.fromEntries(Object.entries(document).filter(([name]) => name !== member));
  return Buffer.from(jcs(rest));
}

/** 128 hex digits. */
export function signatureBy({ secret }: Pair, document: JsonObject, member: string): string {
  return sign(null, signedPart(document, member), secret).toString('hex');
}

/** Few keys, and thousands of signatures. */
const imported = new Map<string, KeyObject>();

/** True where the key, `ed25519:` and hex, signed the document. */
export function isSignedUnder(key: string, document: JsonObject, member: string): boolean {
  const raw = Buffer.from(key.replace(/^ed25519:/, ''), 'hex');
  const signature = document[member];
  if (raw.length !== 32 || typeof signature !== 'string' || !/^[0-9a-f]{128}$/.test(signature)) return false;
  if (SMALL_ORDER.has(raw.toString('hex'))) return false;
  try {
    let object = imported.get(key);
    if (object === undefined) {
      object = createPublicKey({ key: Buffer.concat([PUBLIC, raw]), format: 'der', type: 'spki' });
      imported.set(key, object);
    }
    const bytes = Buffer.from(signature, 'hex');
    // S below the order of the group, as RFC 8032 demands.
    if (!belowOrder(bytes.subarray(32))) return false;
    return verify(null, signedPart(document, member), object, bytes);
  } catch {
    return false;
  }
}

/** The order of the group that Ed25519 signs in. */
export const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

function belowOrder(little: Uint8Array): boolean {
  return BigInt(`0x${Buffer.from(little).reverse().toString('hex')}`) < ORDER;
}

/** Keys under which one signature holds for many messages. */
export const SMALL_ORDER: ReadonlySet<string> = new Set([
  '0100000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
]);
