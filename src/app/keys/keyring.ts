import { toHex } from '../../protocol/hex.js';
import { publicKeyOf } from '../../protocol/ed25519/sign.js';
import { formatPublicKey } from '../../protocol/identity/keys.js';
import { Failure } from '../failure.js';
import type { Clock, KeyRecord, KeyStore, KeyStoreName, Random, State } from '../ports/state.js';

export interface KeyringDeps {
  readonly state: Pick<State, 'key' | 'rememberKey' | 'forgetKey'>;
  /** Opens a store, which loads it. */
  readonly store: (name: KeyStoreName) => KeyStore | Promise<KeyStore>;
  readonly random: Random;
  readonly clock: Clock;
}

/** The variable that holds an agent's key (the guide's name), and its ref in the `env` store. */
export const AGENT_KEY_VARIABLE = 'AGENT_PRIVATE_KEY';

/** A key pair in hand. The seed is passed to `signMessage` and to nothing else. */
export interface HeldKey {
  readonly keyId: string;
  readonly seed: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** Puts a seed, made here unless it is given, into a store. */
export async function createKey(
  deps: KeyringDeps,
  keyId: string,
  storeName: KeyStoreName,
  seed: Uint8Array = deps.random(32),
): Promise<HeldKey & { record: KeyRecord }> {
  const publicKey = publicKeyOf(seed);
  const ref = await (await deps.store(storeName)).create(keyId, seed);
  const record: KeyRecord = { keyId, store: storeName, ref, createdAt: deps.clock() };
  deps.state.rememberKey(record);
  return { keyId, seed, publicKey, record };
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
  return { keyId, seed, publicKey: publicKeyOf(seed), record };
}

/** Undoes `createKey` when what the key was for could not be finished. */
export async function discardKey(deps: KeyringDeps, record: KeyRecord): Promise<void> {
  deps.state.forgetKey(record.keyId);
  await (await deps.store(record.store)).delete(record.ref);
}

/**
 * The private key `keyId`, from where this machine keeps it, or from `from` when the caller names a store.
 * Fails when the store does not have it, and when what it has is another key than `publicKey`.
 */
export async function openKey(
  deps: KeyringDeps,
  keyId: string,
  publicKey: Uint8Array,
  from: KeyStoreName | null = null,
): Promise<HeldKey> {
  const known = deps.state.key(keyId);
  const storeName = from ?? known?.store ?? null;
  if (storeName === null) {
    throw new Failure('KEY_NOT_FOUND', `This machine does not hold the private key of ${keyId}.`, {
      hint: 'run this where the key was made, or give it with AGENT_PRIVATE_KEY and --key-store env',
    });
  }
  // A caller that names the environment means the variable of this process, not where the key was first written.
  const ref = storeName === 'env' && from === 'env' ? AGENT_KEY_VARIABLE : (known?.ref ?? keyId);
  const seed = await (await deps.store(storeName)).read(ref);
  const held = publicKeyOf(seed);
  if (toHex(held) !== toHex(publicKey)) {
    throw new Failure(
      'KEY_NOT_FOUND',
      `The ${storeName} key store holds ${formatPublicKey(held)} for ${keyId}; the passport says ${formatPublicKey(publicKey)}.`,
      {
        hint: 'use the key that belongs to this passport, or rotate: aip passport rotate <agent>',
      },
    );
  }
  return { keyId, seed, publicKey: held };
}
