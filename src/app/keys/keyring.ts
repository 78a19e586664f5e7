import { toHex } from '../../protocol/hex.js';
import { publicKeyOf, signMessage } from '../../protocol/ed25519/sign.js';
import {
  keyTrial,
  looksLikeKeyAddress,
  parseKeyAddress,
  type KeyAddressText,
} from '../../protocol/identity/key-address.js';
import { keyNumber, parseAgentId } from '../../protocol/identity/did.js';
import { formatPublicKey } from '../../protocol/identity/keys.js';
import { Failure } from '../failure.js';
import type { FindSigningKey, SigningKey } from '../ports/signing-keys.js';
import {
  SEED_STORES,
  type Clock,
  type KeyPlace,
  type KeyRecord,
  type KeyStore,
  type KeyStoreName,
  type Random,
  type State,
} from '../ports/state.js';

/** What opening, making and forgetting keys needs. */
export interface KeyringDeps {
  readonly state: Pick<State, 'key' | 'keys' | 'rememberKey' | 'forgetKey'>;
  /** Opens a store, which loads it. */
  readonly store: (name: KeyStoreName) => KeyStore | Promise<KeyStore>;
  /** Finds a key that is asked where it lives. */
  readonly asked: FindSigningKey;
  readonly random: Random;
  readonly clock: Clock;
}

/** The variable that holds an agent's key (the guide's name), and its ref in the `env` store. */
export const AGENT_KEY_VARIABLE = 'AGENT_PRIVATE_KEY';

/** A key that signs here: one in hand, or one that is asked where it lives. */
export interface HeldKey extends SigningKey {
  readonly keyId: string;
  /** For what cannot wait for a signature, or takes the key elsewhere; null where the key never comes here. */
  readonly seed: Uint8Array | null;
}

/** A key in hand, which signs at once. */
export interface SeedKey extends HeldKey {
  readonly seed: Uint8Array;
}

/** The key of a seed. */
export function seedKey(keyId: string, seed: Uint8Array): SeedKey {
  return { keyId, seed, publicKey: publicKeyOf(seed), sign: (message) => Promise.resolve(signMessage(seed, message)) };
}

/** A key that was just made or taken up, and what is to be remembered of it. */
export type MadeKey = HeldKey & { readonly record: KeyRecord };

/** Makes a key in a store, of `seed` where one is given, or takes up the key at an address. The state knows nothing of it yet. */
export async function newKey(
  deps: KeyringDeps,
  keyId: string,
  place: KeyPlace,
  seed: Uint8Array = deps.random(32),
): Promise<MadeKey> {
  if (looksLikeKeyAddress(place)) return adoptKey(deps, keyId, place);
  const ref = await (await deps.store(place)).create(keyId, seed);
  return { ...seedKey(keyId, seed), record: { keyId, store: place, ref, createdAt: deps.clock() } };
}

/** As `newKey`, and remembers it. */
export async function createKey(
  deps: KeyringDeps,
  keyId: string,
  place: KeyPlace,
  seed?: Uint8Array,
): Promise<MadeKey> {
  const key = await newKey(deps, keyId, place, seed);
  deps.state.rememberKey(key.record);
  return key;
}

/** True where `newKey` would find its place taken by the key that is remembered under the id, as one that a request names. */
export async function isTakenHere(deps: KeyringDeps, keyId: string, place: KeyPlace): Promise<boolean> {
  const held = deps.state.key(keyId);
  if (held === null || looksLikeKeyAddress(place) || held.store !== place) return false;
  const store = await deps.store(place);
  if (store.refOf(keyId) !== held.ref) return false;
  try {
    await store.read(held.ref);
    return true;
  } catch (error) {
    if (!(error instanceof Failure) || !['KEY_NOT_FOUND', 'WRONG_PASSPHRASE'].includes(error.code)) throw error;
    return error.code === 'WRONG_PASSPHRASE';
  }
}

/** The key at `address` as `keyId`, once it has given a signature: one that lists a key may still not sign with it. */
async function adoptKey(deps: KeyringDeps, keyId: string, address: KeyAddressText): Promise<MadeKey> {
  const found = await deps.asked(address, null);
  await tryKey(deps, found);
  return { ...askedHere(keyId, found), record: recordAt(deps, keyId, address) };
}

/** Has the key sign what nobody can use. @throws Failure as `SigningKey.sign` */
async function tryKey({ random }: Pick<KeyringDeps, 'random'>, key: SigningKey): Promise<void> {
  await key.sign(keyTrial(toHex(random(16))));
}

/** What is remembered of a key at an address. */
export function recordAt({ clock }: Pick<KeyringDeps, 'clock'>, keyId: string, address: KeyAddressText): KeyRecord {
  return { keyId, store: parseKeyAddress(address)!.kind, ref: address, createdAt: clock() };
}

/**
 * The key at an address that is one of `wanted`, the first that it has. What names one key among many, as a comment in an agent or
 * a key with versions, is asked for each in turn. @throws Failure KEY_NOT_FOUND where it has another one; otherwise as `SigningKey.sign`
 */
export async function keyAt(
  deps: Pick<KeyringDeps, 'asked'>,
  address: KeyAddressText,
  wanted: readonly { readonly keyId: string; readonly publicKey: Uint8Array }[],
): Promise<HeldKey> {
  let missing: unknown = new Failure('KEY_NOT_FOUND', `Nothing says which key at ${address} is meant.`);
  for (const { keyId, publicKey } of wanted) {
    try {
      return askedHere(keyId, await deps.asked(address, publicKey));
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'KEY_NOT_FOUND') throw error;
      missing = error;
    }
  }
  throw missing;
}

function askedHere(keyId: string, { publicKey, sign }: SigningKey): HeldKey {
  return { keyId, seed: null, publicKey, sign };
}

/** Takes up the key that a store holds under `keyId` already. */
export async function findKey(
  deps: KeyringDeps,
  keyId: string,
  storeName: KeyStoreName,
): Promise<HeldKey & { record: KeyRecord }> {
  const store = await deps.store(storeName);
  const ref = store.refOf(keyId);
  const seed = await store.read(ref);
  const record: KeyRecord = { keyId, store: storeName, ref, createdAt: deps.clock() };
  deps.state.rememberKey(record);
  return { ...seedKey(keyId, seed), record };
}

/** Undoes `createKey` when what the key was for could not be finished. Another command may have taken the id for its own key meanwhile. */
export async function discardKey(deps: KeyringDeps, record: KeyRecord): Promise<void> {
  if (deps.state.key(record.keyId)?.ref === record.ref) deps.state.forgetKey(record.keyId);
  await deleteKey(deps, record);
}

/** Where a key is, for people: a store and what finds it there, or an address. */
export function whereabouts({ store, ref }: KeyRecord): string {
  return isHeld(store) ? `${store}: ${ref}` : ref;
}

/** The 32 bytes that a store holds. @throws Failure USAGE for a key that never comes here */
export async function readSeed(deps: KeyringDeps, { keyId, store, ref }: KeyRecord): Promise<Uint8Array> {
  if (isHeld(store)) return (await deps.store(store)).read(ref);
  throw new Failure('USAGE', `${keyId} lives at ${ref} and never comes here; it can only be asked to sign.`, {
    hint: 'what needs the key itself takes one of the key stores: --key-store',
  });
}

/** True when the key was there and is gone; false as well for a key that is asked, which stays where it lives. */
export async function deleteKey(deps: KeyringDeps, { store, ref }: KeyRecord): Promise<boolean> {
  return isHeld(store) && (await (await deps.store(store)).delete(ref));
}

/** True for a key that `deleteKey` leaves, because another home keeps it. */
export async function isElsewhere(deps: KeyringDeps, { store, ref }: KeyRecord): Promise<boolean> {
  return isHeld(store) && (await deps.store(store)).isElsewhere?.(ref) === true;
}

/** True for a store that holds seeds. */
export function isHeld(store: KeyRecord['store']): store is KeyStoreName {
  return SEED_STORES.some((name) => name === store);
}

/**
 * The private key `keyId`, from where this machine keeps it, or from `from` when the caller names a store.
 * Fails when the store does not have it, and when what it has is another key than `publicKey`.
 */
export async function openKey(
  deps: KeyringDeps,
  keyId: string,
  publicKey: Uint8Array,
  from: KeyPlace | null = null,
): Promise<HeldKey> {
  const known = deps.state.key(keyId);
  if (from !== null && looksLikeKeyAddress(from)) return askedHere(keyId, await deps.asked(from, publicKey));
  if (from === null && known !== null && !isHeld(known.store))
    return askedHere(keyId, await deps.asked(known.ref, publicKey));
  const storeName = from ?? (known !== null && isHeld(known.store) ? known.store : null);
  if (storeName === null) {
    const renamed = await renamedKey(deps, keyId, publicKey);
    if (renamed !== null) return renamed;
    throw new Failure('KEY_NOT_FOUND', `This machine does not hold the private key of ${keyId}.`, {
      hint: 'run this where the key was made, or give it with AGENT_PRIVATE_KEY and --key-store env',
    });
  }
  const store = await deps.store(storeName);
  // A caller that names another store than the remembered one means the key's place there; of the environment, the variable of this process.
  const ref = known?.store === storeName && from !== 'env' ? known.ref : store.refOf(keyId);
  const seed = await store.read(ref);
  const held = seedKey(keyId, seed);
  if (toHex(held.publicKey) !== toHex(publicKey)) {
    throw new Failure(
      'KEY_NOT_FOUND',
      `The ${storeName} key store holds ${formatPublicKey(held.publicKey)} for ${keyId}; the passport says ${formatPublicKey(publicKey)}.`,
      {
        hint: 'use the key that belongs to this passport, or rotate: aip passport rotate <agent>',
      },
    );
  }
  return held;
}

/**
 * The key that a request of this machine named by another number than its principal gave it; from now on it is known by that one.
 * Null where no key of the agent here is the one that is meant.
 */
async function renamedKey(deps: KeyringDeps, keyId: string, publicKey: Uint8Array): Promise<HeldKey | null> {
  const [agent = ''] = keyId.split('#', 1);
  if (parseAgentId(agent) === null) return null;
  for (const record of deps.state.keys()) {
    if (keyNumber(agent, record.keyId) === null) continue;
    const held = await openKey(deps, record.keyId, publicKey).catch((error: unknown) => {
      // Another key, or one that cannot be opened now: neither is a word on the one that is asked for.
      if (error instanceof Failure) return null;
      throw error;
    });
    if (held === null) continue;
    deps.state.rememberKey({ ...record, keyId });
    deps.state.forgetKey(record.keyId);
    return { ...held, keyId };
  }
  return null;
}
