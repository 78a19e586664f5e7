import { Failure } from '../../app/failure.js';
import { openKey, seedKey, AGENT_KEY_VARIABLE, type HeldKey, type SeedKey } from '../../app/keys/keyring.js';
import type { KeyStore, KeyStoreName } from '../../app/ports/state.js';
import { toHex } from '../../protocol/hex.js';
import { parseSeed } from '../../protocol/identity/keys.js';
import type { Passport } from '../../protocol/passport.js';
import { keyring, keyStores } from '../../workspace/keys.js';
import type { LocalWorkspace } from '../../workspace/workspace.js';
import { variable } from '../../workspace/world.js';

/** Where an agent's private key is. Without any of these: where this machine put it, else AGENT_PRIVATE_KEY. */
export interface KeyOptions {
  /** `keychain` (the default for new keys, unless AIP_KEY_STORE says otherwise), `file` (encrypted with a passphrase) or `env`. */
  readonly keyStore?: KeyStoreName;
  /** The env file that holds AGENT_PRIVATE_KEY; implies `keyStore: 'env'`. */
  readonly envFile?: string;
  /** The passphrase of the key file, or how to get it. Default: the workspace's. */
  readonly passphrase?: string | (() => string | Promise<string>);
  /** The key itself, `ed25519:` and 64 hex digits, as a secret manager hands it out. Kept in memory until `close`, nowhere else. */
  readonly privateKey?: string;
}

/** The names of the options that say where a key is. */
export const KEY_OPTION_NAMES = ['keyStore', 'envFile', 'passphrase', 'privateKey'] as const;

/** The 32 bytes in `text`. The failure never quotes it. */
export function seedOf(text: unknown): Uint8Array {
  const seed = typeof text === 'string' ? parseSeed(text) : null;
  if (seed !== null) return seed;
  throw new Failure('USAGE', 'The private key is not ed25519: and 64 hex digits.', {
    hint: `hand over the value of ${AGENT_KEY_VARIABLE}`,
  });
}

/** The pair of a seed, when it is the passport's current key. */
export function heldKey(passport: Passport, seed: Uint8Array): SeedKey {
  const { keyId, key } = passport.currentKey;
  const held = seedKey(keyId, seed);
  if (toHex(held.publicKey) !== toHex(key.publicKey)) {
    throw new Failure('KEY_NOT_FOUND', `The private key is not that of ${keyId}.`, {
      hint: 'use the key that belongs to this passport',
    });
  }
  return held;
}

/** Where a key is looked for, and how it is opened there. */
type Asked = { readonly [K in 'keyStore' | 'envFile' | 'passphrase']?: KeyOptions[K] | undefined };

/** A key on its way, for all who ask for it in the same way meanwhile: a passphrase takes its time, and a person answers once. */
interface Opening {
  readonly how: readonly unknown[];
  readonly key: Promise<HeldKey>;
}

/** Keys opened by this process, so that a tool call does not ask the keychain again. Forgotten on `close`. */
export class OpenKeys {
  readonly #workspace: LocalWorkspace;
  readonly #passphrase: KeyOptions['passphrase'];
  readonly #held = new Map<string, HeldKey>();
  readonly #opening = new Set<Opening>();

  /** `passphrase`: the workspace's own, for callers that name none. */
  constructor(workspace: LocalWorkspace, passphrase: KeyOptions['passphrase']) {
    this.#workspace = workspace;
    this.#passphrase = passphrase;
  }

  /** The key stores, as this caller's options have them. */
  stores({ envFile, passphrase }: KeyOptions): (name: KeyStoreName) => Promise<KeyStore> {
    return keyStores(this.#workspace, { envFile, passphrase: passphrase ?? this.#passphrase });
  }

  /** True when a passphrase for key files is at hand. */
  holdsPassphrase({ passphrase }: KeyOptions): boolean {
    const given = passphrase ?? this.#passphrase;
    return given !== undefined || this.#workspace.world.env.AIP_KEY_PASSPHRASE !== undefined;
  }

  async open(passport: Passport, options: KeyOptions): Promise<HeldKey> {
    const { keyId, key } = passport.currentKey;
    const known = this.#held.get(keyId);
    if (options.privateKey !== undefined) {
      const seed = seedOf(options.privateKey);
      const held = heldKey(passport, seed);
      return known?.seed != null && toHex(known.publicKey) === toHex(held.publicKey) ? known : this.#keep(held);
    }
    if (known !== undefined && toHex(known.publicKey) === toHex(key.publicKey)) return known;
    const { keyStore, envFile, passphrase = this.#passphrase } = options;
    const how = [keyId, toHex(key.publicKey), keyStore, envFile, passphrase];
    const same = [...this.#opening].find((each) => each.how.every((part, i) => part === how[i]));
    if (same !== undefined) return same.key;
    const opening = { how, key: this.#opened(passport, { keyStore, envFile, passphrase }) };
    this.#opening.add(opening);
    return opening.key.finally(() => this.#opening.delete(opening));
  }

  async #opened({ currentKey: { keyId, key } }: Passport, { keyStore, envFile, passphrase }: Asked): Promise<HeldKey> {
    const ring = await keyring(this.#workspace, { envFile, passphrase });
    const from = storeNamed({ keyStore, envFile }, ring.state.key(keyId) !== null, this.#workspace);
    return this.#keep(await openKey(ring, keyId, key.publicKey, from));
  }

  /** Keeps a key that the caller has handed over. */
  adopt(passport: Passport, seed: Uint8Array): void {
    this.#keep(heldKey(passport, seed));
  }

  close(): void {
    for (const { seed } of this.#held.values()) seed?.fill(0);
    this.#held.clear();
  }

  #keep(key: HeldKey): HeldKey {
    this.#held.set(key.keyId, key);
    return key;
  }
}

/** A store that the caller names; else the environment, where this machine holds no key of its own and the variable is set. */
function storeNamed({ keyStore, envFile }: Asked, held: boolean, { world }: LocalWorkspace): KeyStoreName | null {
  if (keyStore !== undefined) return keyStore;
  if (envFile !== undefined) return 'env';
  return !held && variable(world, AGENT_KEY_VARIABLE) !== null ? 'env' : null;
}

/** Stands for a key that the caller keeps: nothing is written, and the variable is where it is looked for later. */
export function keptByCaller(env: KeyStore): KeyStore {
  return { ...env, create: async () => AGENT_KEY_VARIABLE, delete: async () => true };
}
