/** Private keys and what is made with them. */
import type * as portable from '../adapters/keys/file/portable.js';
import type { PrincipalDeps } from '../app/keys/principals.js';
import type { FindDeps } from '../app/passports/find.js';
import type { IssueDeps } from '../app/passports/issue.js';
import type { FindSigningKey } from '../app/ports/signing-keys.js';
import type { KeyStore, KeyStoreName, State } from '../app/ports/state.js';
import { isTaken, placeFile, readDocument } from './files.js';
import type { KeyPlaces } from './key-places.js';
import { keyStoreRow } from './key-stores.js';
import { passphrasesOf } from './passphrases.js';
import { localState } from './state.js';
import type { LocalWorkspace } from './workspace.js';
import type { World } from './world.js';

export type { KeyPlaces } from './key-places.js';

/** Opens key stores by name; each is imported and built when it is first asked for. */
export function keyStores(workspace: LocalWorkspace, places: KeyPlaces): (name: KeyStoreName) => Promise<KeyStore> {
  const opened = new Map<KeyStoreName, Promise<KeyStore>>();
  let asked: ReturnType<typeof passphrasesOf> | null = null;
  // One source for all stores, so that a new passphrase is agreed upon once for all keys that one command makes.
  const passphrases = () => (asked ??= passphrasesOf(workspace, places));
  return (name) => {
    const known = opened.get(name);
    if (known !== undefined) return known;
    const store = (async () => keyStoreRow(name).open({ workspace, places, passphrases }))();
    opened.set(name, store);
    return store;
  };
}

/** Finds keys that are asked where they live. */
export function askedKeys({ env, clock }: Pick<World, 'env' | 'clock'>): FindSigningKey {
  return async (address, wanted) => {
    const { askedKey } = await import('../adapters/keys/asked/open.js');
    return askedKey({ env, now: clock }, address, wanted);
  };
}

/** What the use cases of keys need. */
export async function keyring(
  workspace: LocalWorkspace,
  places: KeyPlaces,
): Promise<PrincipalDeps & { readonly state: State }> {
  const { random, clock } = workspace.world;
  const asked = askedKeys(workspace.world);
  const state = await localState(workspace);
  return { state, store: keyStores(workspace, places), asked, random, clock, issuerAt: places.issuerAt ?? null };
}

/** What the use cases need that make passports. With `force` (the flag `--force`) they replace the file that a new passport goes to. */
export async function issuing(
  workspace: LocalWorkspace,
  places: KeyPlaces,
  force = false,
): Promise<IssueDeps & { readonly state: State }> {
  const [ring, schemaProblem] = await Promise.all([keyring(workspace, places), loadSchemaProblem()]);
  const replace: IssueDeps['files']['replace'] = (path, text, settle) => placeFile(path, text, null, settle);
  const files: IssueDeps['files'] = force
    ? { create: replace, replace, exists: () => Promise.resolve(false) }
    : { create: (path, text, settle) => placeFile(path, text, undefined, settle), replace, exists: isTaken };
  return { ...ring, schemaProblem, files };
}

/** The check of schemas that passports are made with. */
export async function loadSchemaProblem(): Promise<IssueDeps['schemaProblem']> {
  return (await import('../adapters/json-schema.js')).schemaProblem;
}

/** What finding a passport needs: by id, name or path. `readFile` reads `-` as well where the caller has a stdin. */
export async function finding(
  workspace: LocalWorkspace,
  readFile: FindDeps['readFile'] = readDocument,
): Promise<FindDeps & { readonly state: State }> {
  const state = await localState(workspace);
  return { state, readFile, seen: () => state.conduct.agents() };
}

/** Private keys in files of other programs. */
export async function pemFiles(
  workspace: LocalWorkspace,
  places: KeyPlaces,
): Promise<ReturnType<typeof portable.portableKeys>> {
  const [{ portableKeys }, { existing, fresh }] = await Promise.all([
    import('../adapters/keys/file/portable.js'),
    passphrasesOf(workspace, places),
  ]);
  const { random, env, notice } = workspace.world;
  return portableKeys({ random, passphrase: existing, newPassphrase: fresh, env, onNotice: notice });
}

/** Keys that end with this process, standing in for the keychain. */
export async function passingKeys(): Promise<KeyStore> {
  const { memoryKeys } = await import('../adapters/keys/memory.js');
  return memoryKeys();
}

/** The key shared with an agent of AIP-1, in a file. @throws Failure NOT_FOUND, UNREADABLE, USAGE */
export async function hmacKey({ world }: LocalWorkspace, path: string): Promise<Uint8Array> {
  const { readHmacKey } = await import('../adapters/keys/hmac-key.js');
  return readHmacKey(path, world.env);
}

/** The secret in a private file of at most `most` bytes, or on stdin for `-`. @throws Failure NOT_FOUND, UNREADABLE, KEYSTORE_DENIED, USAGE */
export async function secretFile({ world }: LocalWorkspace, path: string, most = 1024): Promise<string> {
  const { readSecret } = await import('../adapters/files/secret/secret-file.js');
  return readSecret(path, { what: 'key file', most, env: world.env });
}

/** Looks at files of keys and state without opening a key or changing anything. */
export function inspection(): Promise<typeof import('../adapters/inspection.js')> {
  return import('../adapters/inspection.js');
}
