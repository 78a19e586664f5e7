/** The keys that this machine holds or believes, under one roof: which id a key has, and which key an id means. */
import { parsePrincipalId } from '../../protocol/identity/did.js';
import { toHex } from '../../protocol/hex.js';
import { passportIn } from '../../protocol/passport.js';
import type { KeyRecord, State } from '../ports/state.js';

/** A key that this machine knows of. */
export interface KnownKey {
  readonly keyId: string;
  /** Raw 32 bytes; null where only the private key is known and it was not opened. */
  readonly publicKey: Uint8Array | null;
  readonly of: 'agent' | 'principal' | 'mesh';
  /** Where its private half is; null when it is not here. */
  readonly record: KeyRecord | null;
}

/** Where this machine knows keys from. */
export type KeySources = Pick<State, 'keys' | 'pins' | 'passports'>;

/** Every key by id: pinned ones, those of known passports, and those that are held and belong to neither. */
export function knownKeys(state: KeySources): KnownKey[] {
  const records = new Map(state.keys().map((record) => [record.keyId, record]));
  const found = new Map<string, KnownKey>();
  const add = (keyId: string, publicKey: Uint8Array | null): void => {
    if (!found.has(keyId))
      found.set(keyId, { keyId, publicKey, of: keyKindOf(keyId), record: records.get(keyId) ?? null });
  };
  for (const pin of state.pins()) add(pin.keyId, pin.publicKey);
  for (const known of state.passports()) {
    // One that does not read: it is not this list that has to say so.
    const passport = passportIn(known.text);
    if (passport === null) continue;
    for (const { keyId, key } of [passport.currentKey, ...passport.previousKeys]) add(keyId, key.publicKey);
  }
  for (const keyId of records.keys()) add(keyId, null);
  return [...found.values()].sort((a, b) => (a.keyId < b.keyId ? -1 : 1));
}

/** The known keys that `publicKey` is. */
export function withPublicKey(keys: readonly KnownKey[], publicKey: Uint8Array): KnownKey[] {
  const hex = toHex(publicKey);
  return keys.filter((key) => key.publicKey !== null && toHex(key.publicKey) === hex);
}

/** `agent` for `did:web:<domain>:agents:<name>#key-n`, `mesh` for the API key of a mesh. */
function keyKindOf(keyId: string): KnownKey['of'] {
  if (keyId.startsWith('mesh:')) return 'mesh';
  return parsePrincipalId(keyId.split('#', 1)[0]!) === null ? 'agent' : 'principal';
}
