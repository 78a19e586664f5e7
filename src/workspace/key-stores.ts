/** The table of key stores. A new one is a name in `SEED_STORES`, an adapter, and a row here: flags, config, help and checks read it. */
import { Failure } from '../app/failure.js';
import { AGENT_KEY_VARIABLE } from '../app/keys/keyring.js';
import type { Environment } from '../app/ports/secrets.js';
import type { KeyStore, KeyStoreName } from '../app/ports/state.js';
import { formatSeed } from '../protocol/identity/keys.js';
import type { KeyPlaces } from './key-places.js';
import type { Passphrases } from './passphrases.js';
import type { LocalWorkspace } from './workspace.js';

/** What opening a store may use. */
export interface KeyStoreNeeds {
  readonly workspace: LocalWorkspace;
  readonly places: KeyPlaces;
  /** Loaded when a store asks for a passphrase. */
  readonly passphrases: () => Promise<Passphrases>;
}

/** A kind of key store. */
export interface KeyStoreRow {
  readonly name: KeyStoreName;
  /** True when new keys can be made in it; false for one that only holds keys made elsewhere. */
  readonly makesKeys: boolean;
  /** False for plain text, where nothing but an agent's own key may go: no principal's key, no API key of a mesh. */
  readonly guarded: boolean;
  /** What it is, for `aip help keys`. */
  readonly meaning: string;
  /** Imports the adapter and builds it; asks nothing and opens no key. */
  readonly open: (needs: KeyStoreNeeds) => Promise<KeyStore>;
}

const ROWS: { readonly [N in KeyStoreName]: KeyStoreRow & { readonly name: N } } = {
  keychain: {
    name: 'keychain',
    makesKeys: true,
    guarded: true,
    meaning:
      "the system's own: Keychain on macOS, Credential Manager on Windows, Secret Service on Linux. The default.",
    async open({ workspace }) {
      const { keychain } = await import('../adapters/keys/keychain/store.js');
      return keychain({ env: workspace.world.env, folder: workspace.paths().keysDir });
    },
  },
  file: {
    name: 'file',
    makesKeys: true,
    guarded: true,
    meaning: 'PKCS#8 PEM, encrypted with a passphrase, mode 0600; openssl pkey -in <file> reads it',
    async open({ workspace, passphrases }) {
      const [{ keyFiles }, { secretMounts }, { existing, fresh }] = await Promise.all([
        import('../adapters/keys/file/store.js'),
        import('../adapters/files/secret/secret-mounts.js'),
        passphrases(),
      ]);
      const { env, random } = workspace.world;
      return keyFiles({
        folder: workspace.paths().keysDir,
        random,
        mounts: secretMounts(env),
        passphrase: existing,
        newPassphrase: fresh,
      });
    },
  },
  env: {
    name: 'env',
    makesKeys: true,
    guarded: false,
    meaning:
      "AGENT_PRIVATE_KEY=ed25519:<64 hex>, or a line of --env-file <file> (-e). Plain text by nature: mode 0600, refused when git tracks the file, ignored by git afterwards. For agents only; a principal's key never goes there.",
    async open({ workspace, places }) {
      const { envKey } = await import('../adapters/keys/env/store.js');
      const { random, notice } = workspace.world;
      const env =
        places.keyCommand === undefined
          ? workspace.world.env
          : await printedKey(workspace.world.env, places.keyCommand);
      return envKey({ env, envFile: places.envFile ?? null, random, onNotice: notice });
    },
  },
};

/** What a key command prints, as the variable that would hold it. */
async function printedKey(env: Environment, command: string): Promise<Environment> {
  const { printedSeed } = await import('../adapters/keys/asked/program.js');
  return { [AGENT_KEY_VARIABLE]: formatSeed(await printedSeed(env, command)) };
}

/** Every kind of key store, the preferred one first. */
export const KEY_STORES: readonly KeyStoreRow[] = Object.values(ROWS);

/** Where new keys go unless somebody says otherwise. */
export const DEFAULT_KEY_STORE: KeyStoreName = 'keychain';

/** The stores in which keys can be made, in the order of the table. */
export const KEY_STORE_NAMES: readonly KeyStoreName[] = KEY_STORES.filter(({ makesKeys }) => makesKeys).map(
  ({ name }) => name,
);

/** The stores for the keys of principals and for API keys. */
export const GUARDED_KEY_STORES: readonly KeyStoreName[] = KEY_STORES.filter(
  ({ makesKeys, guarded }) => makesKeys && guarded,
).map(({ name }) => name);

/** True for a store that may hold the keys of principals. */
export function isGuarded(name: KeyStoreName): boolean {
  return ROWS[name].guarded;
}

/** The row of a store. @throws Failure USAGE for a name that is not in the table: callers may write JavaScript */
export function keyStoreRow(name: KeyStoreName): KeyStoreRow {
  if (Object.hasOwn(ROWS, name)) return ROWS[name];
  throw new Failure('USAGE', `"${String(name).slice(0, 32)}" is no key store.`, { hint: listed(KEY_STORE_NAMES) });
}

/** `keychain, file or env`. */
function listed(names: readonly string[]): string {
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}
