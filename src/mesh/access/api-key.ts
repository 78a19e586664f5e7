/** API keys `aipm_<role>_<keyid>_<secret>`: shown once, kept as a hash. The prefix lets secret scanners find a leaked one. */
import { Refused } from '../refusal.js';
import { toHex } from '../../protocol/hex.js';
import { sha256Hex } from '../../protocol/hash.js';
import { isRole, type Role } from './roles.js';

const KEY = /^aipm_([a-z]+)_([0-9a-f]{12})_([0-9a-f]{64})$/;

/** An API key in its parts. Its text is a secret. */
export interface ApiKey {
  readonly role: Role;
  readonly keyId: string;
  /** The whole text. */
  readonly text: string;
}

/** What the store keeps of a key. */
export interface ApiKeyRecord {
  readonly keyId: string;
  readonly role: Role;
  /** SHA-256 of the whole key text: the secret has 256 bits, so a slow hash would only slow the server down. */
  readonly hash: string;
  /** What it is for, for people. */
  readonly label: string | null;
  /** The operator's Ed25519 key that signs commands given with this API key: `ed25519:<64 hex>`. */
  readonly publicKey: string | null;
  /** Most verifiers that may listen under it; null or missing where none is set. */
  readonly maxVerifiers?: number | null;
  /** True where its verifiers end by themselves when they are not seen: build machines, containers. */
  readonly ephemeral?: boolean;
  /** ms since the epoch. */
  readonly createdAt: number;
  readonly revokedAt: number | null;
}

/** @throws Refused FORBIDDEN where `keyId` is the last admin key in force: nobody could make another */
export function requireAdminBeside(keys: readonly ApiKeyRecord[], keyId: string): void {
  const admins = keys.filter(({ role, revokedAt }) => role === 'admin' && revokedAt === null);
  if (admins.length === 1 && admins[0]!.keyId === keyId)
    throw new Refused('FORBIDDEN', 'This is the last admin key: create another before revoking it.');
}

/** The key in `text`, or null. Never part of an error: a mistyped key is still half a secret. */
export function parseApiKey(text: string): ApiKey | null {
  const match = KEY.exec(text);
  const role = match?.[1] ?? '';
  return match === null || !isRole(role) ? null : { role, keyId: match[2]!, text };
}

/** A new key of `role` from 38 random bytes. */
export function newApiKey(role: Role, random: Uint8Array): ApiKey {
  if (random.length !== 38) throw new RangeError('an API key is made of 38 random bytes');
  const hex = toHex(random);
  const keyId = hex.slice(0, 12);
  return { role, keyId, text: `aipm_${role}_${keyId}_${hex.slice(12)}` };
}

/** What the server keeps of a key: SHA-256 in hex. */
export function hashApiKey(key: ApiKey): string {
  return sha256Hex(key.text);
}

/** True when `key` is the one that the record was made for and has not been revoked. Takes the same time for every wrong key. */
export function keyMatches(key: ApiKey, record: ApiKeyRecord): boolean {
  const given = hashApiKey(key);
  let difference = given.length ^ record.hash.length;
  for (let i = 0; i < given.length; i++) difference |= given.charCodeAt(i) ^ record.hash.charCodeAt(i);
  return difference === 0 && record.role === key.role && record.revokedAt === null;
}
