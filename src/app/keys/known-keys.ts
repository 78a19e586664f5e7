/** The keys that this machine holds or believes, under one roof: which id a key has, and which key an id means. */
import { parsePrincipalId } from '../../protocol/identity/did.js';
import { publicKeyOf } from '../../protocol/ed25519/sign.js';
import { toHex } from '../../protocol/hex.js';
import { passportIn } from '../../protocol/passport.js';
import { Failure } from '../failure.js';
import type { KeyRecord, State } from '../ports/state.js';
import { readSeed, type KeyringDeps } from './keyring.js';

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

/**
 * True when another owner's key is where this one was put: an env file has one line for a key, whichever agent's it is by now.
 * @throws Failure KEYSTORE_DENIED where the file may not be read
 */
export async function isReplaced(
  deps: KeyringDeps & { readonly state: KeySources },
  record: KeyRecord,
): Promise<boolean> {
  if (record.store !== 'env') return false;
  const seed = await readSeed(deps, record).catch((error: unknown) => {
    // Nothing that could be another's.
    if (error instanceof Failure && error.code !== 'KEYSTORE_DENIED') return null;
    throw error;
  });
  if (seed === null) return false;
  const [owner] = record.keyId.split('#', 1);
  const known = knownKeys(deps.state);
  const ids = withPublicKey(known, publicKeyOf(seed)).map(({ keyId }) => keyId);
  if (ids.length > 0) return !ids.some((keyId) => keyId.startsWith(`${owner}#`));
  return known.some(({ keyId, publicKey }) => keyId === record.keyId && publicKey !== null);
}

/** `agent` for `did:web:<domain>:agents:<name>#key-n`, `mesh` for the API key of a mesh. */
function keyKindOf(keyId: string): KnownKey['of'] {
  if (keyId.startsWith('mesh:')) return 'mesh';
  return parsePrincipalId(keyId.split('#', 1)[0]!) === null ? 'agent' : 'principal';
}
