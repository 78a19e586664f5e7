/** Takes a private key that was made elsewhere into a key store of this machine. */
import { acceptableKey } from '../../protocol/ed25519/acceptance.js';
import { publicKeyOf } from '../../protocol/ed25519/sign.js';
import { toHex } from '../../protocol/hex.js';
import { keyNumber, parseAgentId, parsePrincipalId } from '../../protocol/identity/did.js';
import type { KeyAddressText } from '../../protocol/identity/key-address.js';
import { formatPublicKey } from '../../protocol/identity/keys.js';
import { Failure } from '../failure.js';
import type { KeyRecord, KeyStoreName, Pin, State } from '../ports/state.js';
import { createKey, openKey, readSeed, type KeyringDeps } from './keyring.js';
import { knownKeys, withPublicKey, type KeySources, type KnownKey } from './known-keys.js';

/** What importing a key needs: the keyring, and what this machine knows of keys. */
export interface ImportKeyDeps extends KeyringDeps {
  readonly state: KeyringDeps['state'] & KeySources & Pick<State, 'pin'>;
}

/** Which key is imported, and what it becomes. */
export interface ImportRequest {
  /** The key itself and the store it goes to, or the address where it lives and stays. */
  readonly from: { readonly seed: Uint8Array; readonly store: KeyStoreName } | { readonly address: KeyAddressText };
  /** The id it gets; null where this machine knows the public key, and so the id. */
  readonly keyId: string | null;
  /** Asked before a principal that is pinned with other keys gets another one; rejects to stop. */
  readonly secondPin: (principal: string, pins: readonly Pin[]) => Promise<void>;
}

/** What importing came to. */
export interface ImportedKey {
  readonly keyId: string;
  readonly publicKey: Uint8Array;
  readonly record: KeyRecord;
  /** True when the principal's key was pinned by this. */
  readonly pinned: boolean;
  /** False when it was held here already. */
  readonly changed: boolean;
  /** Where it was before, when it is elsewhere now; null otherwise. */
  readonly before: KeyRecord | null;
}

/** Fails with USAGE where the id is missing or of no key, and with EXISTS where it belongs to another key. */
export async function importKey(deps: ImportKeyDeps, request: ImportRequest): Promise<ImportedKey> {
  const { from } = request;
  const publicKey = 'seed' in from ? publicKeyOf(from.seed) : (await deps.asked(from.address, null)).publicKey;
  if (!acceptableKey(publicKey)) throw new Failure('UNREADABLE', 'The key is not an acceptable Ed25519 key.');
  const known = knownKeys(deps.state);
  if ('seed' in from) requirePrivate(from.seed, known);
  const keyId =
    request.keyId ??
    knownId(
      withPublicKey(known, publicKey).map((key) => key.keyId),
      publicKey,
    );
  const did = ownerOf(keyId);
  const named = known.find((key) => key.keyId === keyId);
  if (named?.publicKey != null) requireSame(keyId, named.publicKey, publicKey);
  const isPrincipal = parsePrincipalId(did) !== null;
  if (isPrincipal) requireLastingStore(from);
  const pins = deps.state.pins(did);
  const pinned = isPrincipal && !pins.some((pin) => pin.keyId === keyId);
  if (pinned && pins.length > 0) await request.secondPin(did, pins);
  const held = deps.state.key(keyId);
  const goes = held !== null && ('address' in from ? held.ref !== from.address : held.store !== from.store);
  const adopted = goes && 'address' in from;
  // What the id is known by says that it is the same key, where the old place is gone, has lost it, or does not open.
  const isKnown = named?.publicKey != null;
  const trouble = held === null || (adopted && isKnown) ? null : await troubleOf(openKey(deps, keyId, publicKey));
  const isLost = trouble?.code === 'KEY_NOT_FOUND';
  if (held !== null && isLost && !(isKnown && (await troubleOf(readSeed(deps, held))) !== null))
    throw new Failure('EXISTS', `The ${held.store} key store holds another key for ${keyId} already.`, {
      hint: 'give another number with --id',
    });
  if (trouble !== null && !isLost && !(isKnown && goes)) throw trouble;
  const record =
    (adopted || trouble !== null ? null : held) ??
    ('seed' in from
      ? await putOrFind(deps, keyId, from.store, from.seed)
      : (await createKey(deps, keyId, from.address)).record);
  if (pinned) deps.state.pin({ did, keyId, publicKey, pinnedAt: deps.clock(), source: 'added' });
  return {
    keyId,
    publicKey,
    record,
    pinned,
    changed: record !== held,
    before: record === held || isLost ? null : held,
  };
}

/** Puts the key into the store; takes it up where it is there already, as a killed import or a state that was lost leaves it. */
async function putOrFind(deps: KeyringDeps, keyId: string, store: KeyStoreName, seed: Uint8Array): Promise<KeyRecord> {
  try {
    return (await createKey(deps, keyId, store, seed)).record;
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'EXISTS') throw error;
    const record = { keyId, store, ref: (await deps.store(store)).refOf(keyId), createdAt: deps.clock() };
    const isSame = readSeed(deps, record).then((there) => toHex(there) === toHex(seed));
    if ((await troubleOf(isSame)) !== null || !(await isSame)) throw error;
    deps.state.rememberKey(record);
    return record;
  }
}

/** A public key in hex or base64url reads like a private one. @throws Failure USAGE for one that is known here */
function requirePrivate(seed: Uint8Array, known: readonly KnownKey[]): void {
  const [half] = withPublicKey(known, seed);
  if (half !== undefined)
    throw new Failure('USAGE', `The file holds the public key of ${half.keyId}, not its private half.`, {
      hint: `aip key show ${half.keyId}`,
    });
}

/** @throws Failure EXISTS where the id belongs to another key */
function requireSame(keyId: string, known: Uint8Array, given: Uint8Array): void {
  if (toHex(known) === toHex(given)) return;
  throw new Failure('EXISTS', `${keyId} is ${formatPublicKey(known)} here; the file holds ${formatPublicKey(given)}.`, {
    hint: 'give another number with --id, or import the key that belongs to this id',
  });
}

/** @throws Failure USAGE where a principal's key would be kept in the environment */
function requireLastingStore(from: ImportRequest['from']): void {
  if (!('store' in from) || from.store !== 'env') return;
  throw new Failure(
    'USAGE',
    "A principal's key lives in the keychain or in an encrypted file, not in the environment.",
    {
      hint: 'add --key-store file, with a passphrase in AIP_KEY_PASSPHRASE',
    },
  );
}

/** Why a key does not open; null where it does. */
async function troubleOf(opening: Promise<unknown>): Promise<Failure | null> {
  try {
    await opening;
    return null;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

function knownId(ids: readonly string[], publicKey: Uint8Array): string {
  if (ids.length === 1) return ids[0]!;
  const message =
    ids.length === 0
      ? `Nothing here says whose key ${formatPublicKey(publicKey)} is.`
      : `${formatPublicKey(publicKey)} has several ids here: ${ids.join(', ')}.`;
  throw new Failure('USAGE', message, { hint: `name it, e.g. --id ${ids[0] ?? 'did:web:acme.com#key-1'}` });
}

/** The agent or principal of a key id. */
function ownerOf(keyId: string): string {
  const did = keyId.split('#', 1)[0]!;
  if ((parsePrincipalId(did) !== null || parseAgentId(did) !== null) && keyNumber(did, keyId) !== null) return did;
  throw new Failure('USAGE', `"${keyId.slice(0, 120)}" is not the id of a key.`, {
    hint: '--id did:web:acme.com#key-1, or did:web:acme.com:agents:bot#key-1',
  });
}
