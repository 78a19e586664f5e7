import { resolve } from 'node:path';
import { Failure, usage } from '../app/failure.js';
import { plainParams } from '../app/verification/plain-json.js';
import { findPassport, parsedPassport } from '../app/passports/find.js';
import { createPassport as issue, type IssueDeps } from '../app/passports/issue.js';
import { lintPassport } from '../app/passports/lint/lint.js';
import type { KeyRecord, KeyStoreName, State } from '../app/ports/state.js';
import { agentId } from '../protocol/identity/did.js';
import { formatPublicKey } from '../protocol/identity/keys.js';
import type { Passport, PassportDocument } from '../protocol/passport.js';
import { AgentPassport, parsedOf, type PassportHome } from './agent-passport.js';
import { durationOption, listOption, onlyKnown, textOption, type Duration } from './options/given.js';
import { KEY_OPTION_NAMES, keptByCaller, seedOf, type KeyOptions, type OpenKeys } from './options/keys.js';
import { readDocument } from '../workspace/files.js';
import { issuing } from '../workspace/keys.js';
import { DEFAULT_KEY_STORE, isGuarded, KEY_STORE_NAMES } from '../workspace/key-stores.js';
import { localState } from '../workspace/state.js';
import { variable } from '../workspace/world.js';
import type { LocalWorkspace } from '../workspace/workspace.js';

/** Who a new agent is, what it may do, and where its key goes. */
export interface CreatePassportOptions extends KeyOptions {
  /** Domain of the principal, `acme.com`. */
  readonly domain: string;
  /** Lower-case letters, digits and `. _ -`, at most 63. */
  readonly agentName: string;
  /** Each a name, or a name with a JSON Schema 2020-12 that the params must satisfy. Default: none, and every intent is refused. */
  readonly actions?: readonly (string | { readonly name: string; readonly params?: object })[];
  /** Actions that are refused whatever else says so. */
  readonly deniedActions?: readonly string[];
  /** `{monetary_limit: 100, allowed_domains: ['acme.com'], rate_limit: '10/hour'}`: `aip help constraints`. */
  readonly constraints?: object;
  /** For people; nothing reads it. */
  readonly metadata?: object;
  /** Default: no expiry. */
  readonly expiresIn?: Duration;
  /** Where a new principal's key goes: `keychain` or `file`. Default: where the agent's goes. */
  readonly principalKeyStore?: Exclude<KeyStoreName, 'env'>;
}

const CREATE: ReadonlySet<string> = new Set([
  ...['domain', 'agentName', 'actions', 'deniedActions', 'constraints', 'metadata', 'expiresIn', 'principalKeyStore'],
  ...KEY_OPTION_NAMES,
]);

/** A passport fresh from `createPassport`, and where its key went. */
export class CreatedPassport extends AgentPassport {
  /** The store that holds the agent's private key. */
  readonly keyStore: KeyRecord['store'];
  /** What the key store finds the key by: an account, a path, the name of a variable, or an address. Never the key. */
  readonly keyRef: string;
  /** Pin this where the agent's intents are verified: `aip principal add <principal> --public-key <this>`. */
  readonly principalPublicKey: string;
  /** What the passport allows that its principal may not have meant. */
  readonly warnings: readonly { readonly code: string; readonly message: string }[];

  /** @internal */
  constructor(passport: Passport, home: PassportHome, about: Omit<CreatedPassport, keyof AgentPassport>) {
    super(passport, home);
    this.keyStore = about.keyStore;
    this.keyRef = about.keyRef;
    this.principalPublicKey = about.principalPublicKey;
    this.warnings = about.warnings;
  }
}

/** Makes, finds and reads passports. */
export class Passports {
  readonly #workspace: LocalWorkspace;
  readonly #keys: OpenKeys;
  readonly #home: PassportHome;

  constructor(workspace: LocalWorkspace, keys: OpenKeys) {
    this.#workspace = workspace;
    this.#keys = keys;
    this.#home = {
      written: async (passport, path) => {
        const state = await localState(workspace);
        const known = state.passport(passport.agent.id);
        // A file of a passport that is not known here makes nothing known.
        if (known !== null && sameDocument(known.text, passport.document))
          state.rememberPassport({ ...known, path: resolve(workspace.world.cwd, path) });
      },
    };
  }

  async create(options: CreatePassportOptions): Promise<CreatedPassport> {
    onlyKnown(options, CREATE, 'createPassport');
    const seed = options.privateKey === undefined ? undefined : seedOf(options.privateKey);
    const keyStore = agentStore(options, this.#workspace);
    const request = {
      name: textOption(options.agentName, 'agentName'),
      domain: textOption(options.domain, 'domain'),
      actions: listOption(options.actions ?? [], 'actions').map((action) =>
        typeof action === 'string' ? action : plainParams(action, 'an action'),
      ) as PassportDocument['actions'],
      deniedActions: listOption(options.deniedActions ?? [], 'deniedActions'),
      constraints: plainParams(options.constraints ?? {}, 'constraints'),
      metadata: plainParams(options.metadata ?? {}, 'metadata'),
      expiresInMs: options.expiresIn === undefined ? null : durationOption(options.expiresIn, 'expiresIn'),
      path: null,
      keyStore,
      principalKeyStore: options.principalKeyStore ?? this.#principalStore(keyStore, options),
      ...(seed === undefined ? {} : { seed }),
    };
    const { passport, key, principalPublicKey } = await issue(await this.#deps(options), request).catch(known);
    if (seed !== undefined) this.#keys.adopt(passport, seed);
    return new CreatedPassport(passport, this.#home, {
      keyStore: key.store,
      keyRef: key.ref,
      principalPublicKey: formatPublicKey(principalPublicKey),
      warnings: lintPassport(passport.document).map(({ code, message }) => ({ code, message })),
    });
  }

  /**
   * The passport that is known here of this agent, else a new one. What a known one lets the agent do is what its principal has signed, whatever
   * the options say.
   */
  async ensure(options: CreatePassportOptions): Promise<AgentPassport> {
    onlyKnown(options, CREATE, 'ensurePassport');
    const id = agentId(textOption(options.domain, 'domain'), textOption(options.agentName, 'agentName'));
    const state = await localState(this.#workspace);
    if (state.passport(id) === null) {
      try {
        return await this.create(options);
      } catch (error) {
        // Another process was quicker.
        if (!(error instanceof Failure && error.code === 'EXISTS' && state.passport(id) !== null)) throw error;
      }
    }
    const passport = await this.load(id);
    if (options.privateKey !== undefined) this.#keys.adopt(parsedOf(passport), seedOf(options.privateKey));
    return passport;
  }

  /** A file's path, the id or name of a known agent, or the document itself (bytes, or a parsed object). */
  async load(from: string | Uint8Array | PassportDocument): Promise<AgentPassport> {
    if (typeof from === 'string') {
      // A path needs no state, so that a verifier without one can read its passports.
      const state = /[/\\]|\.json$/.test(from) ? NOTHING_KNOWN : await localState(this.#workspace);
      return this.own((await findPassport({ state, readFile: readDocument }, from)).passport);
    }
    const bytes = from instanceof Uint8Array ? from : Buffer.from(JSON.stringify(plainParams(from, 'the passport')));
    return this.own(parsedPassport(bytes, 'the document'));
  }

  own(passport: Passport): AgentPassport {
    return new AgentPassport(passport, this.#home);
  }

  async #deps(options: CreatePassportOptions): Promise<IssueDeps> {
    const stores = this.#keys.stores(options);
    const store: IssueDeps['store'] = async (name) =>
      name === 'env' && options.privateKey !== undefined ? keptByCaller(await stores(name)) : stores(name);
    const deps = await issuing(this.#workspace, {});
    return { ...deps, state: unsaved(deps.state), store, files: NO_FILES };
  }

  /** A principal's key never lies in plain text; a passphrase that was given says where it goes instead. */
  #principalStore(agent: KeyStoreName, options: KeyOptions): KeyStoreName {
    if (isGuarded(agent)) return agent;
    return this.#keys.holdsPassphrase(options) ? 'file' : DEFAULT_KEY_STORE;
  }
}

const KEY_STORE_VARIABLE = 'AIP_KEY_STORE';

/** @throws Failure EXISTS, with what a program does about it */
function known(error: unknown): never {
  if (!(error instanceof Failure) || error.code !== 'EXISTS') throw error;
  throw new Failure(error.code, error.message, {
    hint: `ensurePassport takes the one that is known here; ${error.hint}`,
    cause: error,
  });
}

/** What the command line reads, too: a machine without a keychain says it once for both. @throws Failure USAGE */
function storeOfEnvironment({ world }: LocalWorkspace): KeyStoreName | null {
  const named = variable(world, KEY_STORE_VARIABLE);
  if (named === null) return null;
  const store = KEY_STORE_NAMES.find((name) => name === named);
  if (store !== undefined) return store;
  throw usage(
    `${KEY_STORE_VARIABLE} names no store in which a program makes keys.`,
    `one of ${KEY_STORE_NAMES.join(', ')}, or keyStore in the options`,
  );
}

function agentStore({ keyStore, envFile, privateKey }: KeyOptions, workspace: LocalWorkspace): KeyStoreName {
  if (privateKey !== undefined) {
    if (keyStore === undefined && envFile === undefined) return 'env';
    throw usage('A private key that you hand over is not stored: leave out keyStore and envFile.');
  }
  const store = keyStore ?? (envFile !== undefined ? 'env' : (storeOfEnvironment(workspace) ?? DEFAULT_KEY_STORE));
  if (store === 'env' && envFile === undefined)
    throw usage('A new key for the environment has to be written to a file.', "name it with envFile: '.env'");
  if (store !== 'env' && envFile !== undefined) throw usage(`An env file does not go with the key store ${store}.`);
  return store;
}

/** A new passport is in memory until `save`. */
const NO_FILES: IssueDeps['files'] = {
  create: async () => undefined,
  replace: async () => undefined,
  exists: async () => false,
};

function unsaved(state: State): IssueDeps['state'] {
  return {
    key: (keyId) => state.key(keyId),
    keys: () => state.keys(),
    rememberKey: (record) => state.rememberKey(record),
    forgetKey: (keyId) => state.forgetKey(keyId),
    pins: (did) => state.pins(did),
    pin: (pin) => state.pin(pin),
    passport: (agentId) => state.passport(agentId),
    floors: (agentId) => state.floors(agentId),
    transact: (work) => state.transact(work),
    standing: (subject) => state.standing(subject),
    standingNow: (now) => state.standingNow(now),
    rememberPassport: (passport) => state.rememberPassport({ ...passport, path: null }),
  };
}

const NOTHING_KNOWN: Pick<State, 'passport' | 'passports'> = { passport: () => null, passports: () => [] };

function sameDocument(text: string, document: PassportDocument): boolean {
  return (JSON.parse(text) as PassportDocument).issuer_signature === document.issuer_signature;
}
