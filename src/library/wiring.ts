/** The library's world. The environment and the clock of the process are read here and nowhere else in the library. */
import { randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { setImmediate } from 'node:timers';
import { Failure } from '../app/failure.js';
import type { Conduct } from '../app/ports/log.js';
import { AGENT_KEY_VARIABLE } from '../app/keys/keyring.js';
import type { Clock, KeyStore, KeyStoreName, Random, State } from '../app/ports/state.js';
import { pathsOf } from '../adapters/files/paths.js';
import { secretVariable } from '../app/ports/secrets.js';
import type { KeyOptions } from './options/keys.js';

export interface WorldOptions {
  /**
   * The folder that holds state and keys. Default: the environment's AIP_HOME, else the folders of the command line, so
   * that both work on the same passports, pins and log.
   */
  readonly home?: string;
  /** The passphrase of key files, or how to get it. Default: the environment's AIP_KEY_PASSPHRASE. */
  readonly passphrase?: string | (() => string | Promise<string>);
  /** Milliseconds since the epoch. Default: the system clock. */
  readonly clock?: () => number;
  /** Told what people should hear, such as a private key that lies in plain text. Default: `process.emitWarning`. */
  readonly onNotice?: (notice: string) => void;
}

/** The state file, and what it counts of how agents behave. */
export type LocalState = State & { readonly conduct: Conduct };

export interface World {
  readonly clock: Clock;
  /** A clock that never goes back, in microseconds. */
  readonly ticks: () => number;
  readonly random: Random;
  readonly notice: (notice: string) => void;
  /** Runs `work` in the next turn of the event loop, after what has arrived until then. */
  readonly nextTurn: (work: () => void) => void;
  /** Runs `work` after `ms` unless the returned function is called first. */
  readonly after: (ms: number, work: () => void) => () => void;
  /** A variable of the environment; null when it is unset or empty. */
  readonly variable: (name: string) => string | null;
  /** Path of the state file, which may not exist yet. */
  readonly stateFile: () => string;
  /** The config file of the home; null when there is none. */
  readonly userConfig: () => Promise<{ readonly path: string; readonly text: string } | null>;
  /** The text of a small file that only this user may read. */
  readonly secretFile: (path: string) => Promise<string>;
  /** The path from the root, whatever folder the process is in later. */
  readonly absolute: (path: string) => string;
  /** True when the environment holds an agent's key. */
  readonly holdsKey: () => boolean;
  /** True when a passphrase for key files is at hand. */
  readonly holdsPassphrase: () => boolean;
  /** Opened on first use. */
  readonly state: () => Promise<LocalState>;
  readonly stores: (keys: KeyOptions) => Promise<(name: KeyStoreName) => KeyStore>;
  /** Forgets the open state; the next use opens it again. */
  readonly close: () => Promise<void>;
}

/** The end of what a Date can say. */
const MAX_TIME_MS = 8.64e15;

export function world(options: WorldOptions): World {
  const { env } = process;
  const clock = options.clock === undefined ? Date.now : milliseconds(options.clock);
  const random: Random = (n) => randomBytes(n);
  const warn = (text: string) => process.emitWarning(text, { code: 'AIP' });
  const notice = options.onNotice === undefined ? warn : unbroken(options.onNotice, warn);
  const paths = () => {
    const place = { env, cwd: process.cwd(), platform: process.platform, userHome: homedir() };
    return pathsOf(place, options.home ?? (env.AIP_HOME || null));
  };
  let opened: Promise<LocalState> | null = null;

  async function open(): Promise<LocalState> {
    const { openState } = await import('../adapters/sqlite/state.js');
    return openState(paths().stateFile, { random, clock });
  }

  return {
    clock,
    ticks: () => Number(process.hrtime.bigint()) / 1000,
    random,
    notice,
    nextTurn: (work) => void setImmediate(work),
    after: (ms, work) => {
      const timer = setTimeout(work, ms);
      return () => clearTimeout(timer);
    },
    variable: (name) => secretVariable(env, name),
    stateFile: () => paths().stateFile,
    async userConfig() {
      const path = paths().userConfigFile;
      const { readDocument } = await import('../adapters/files/document.js');
      const bytes = await readDocument(path);
      return bytes === null ? null : { path, text: Buffer.from(bytes).toString('utf8') };
    },
    async secretFile(path) {
      const { readSecret } = await import('../adapters/files/secret-file.js');
      return readSecret(path, { what: 'key file', most: 1024, env });
    },
    absolute: (path) => resolve(path),
    holdsKey: () => Boolean(env[AGENT_KEY_VARIABLE]),
    holdsPassphrase: () => options.passphrase !== undefined || env.AIP_KEY_PASSPHRASE !== undefined,
    state: () => {
      opened ??= open().catch((error: unknown) => {
        opened = null;
        throw error;
      });
      return opened;
    },
    async stores(keys) {
      const [{ keychain }, { keyFiles }, { envKey }, { passphrases }, { secretMounts }] = await Promise.all([
        import('../adapters/keys/keychain/store.js'),
        import('../adapters/keys/file/store.js'),
        import('../adapters/keys/env/store.js'),
        import('../adapters/keys/passphrase.js'),
        import('../adapters/files/secret-mounts.js'),
      ]);
      const given = keys.passphrase ?? options.passphrase;
      const fromEnv = passphrases({ env, file: null, prompt: null, onNotice: notice });
      const asked = given === undefined ? null : async () => passphraseFrom(given);
      const stores: Record<KeyStoreName, () => KeyStore> = {
        keychain: () => keychain({ env }),
        file: () =>
          keyFiles({
            folder: paths().keysDir,
            random,
            mounts: secretMounts(env),
            passphrase: asked ?? fromEnv.existing,
            newPassphrase: asked ?? fromEnv.fresh,
          }),
        env: () => envKey({ env, envFile: keys.envFile ?? null, random, onNotice: notice }),
      };
      return (name) => {
        if (!Object.hasOwn(stores, name)) {
          throw new Failure('USAGE', `"${String(name).slice(0, 32)}" is no key store.`, {
            hint: 'keychain, file or env',
          });
        }
        return stores[name]();
      };
    },
    async close() {
      const state = opened;
      opened = null;
      if (state !== null) (await state).close();
    },
  };
}

async function passphraseFrom(given: unknown): Promise<string> {
  const passphrase: unknown = typeof given === 'function' ? await given() : given;
  if (typeof passphrase !== 'string') throw new Failure('USAGE', 'The passphrase is not a string.');
  return passphrase;
}

/** Fractions of a millisecond, as high-resolution clocks have them, are dropped; what is no time ends no comparison in a yes. */
function milliseconds(clock: () => unknown): Clock {
  return () => {
    const now = clock();
    if (typeof now === 'number' && Math.abs(now) <= MAX_TIME_MS) return Math.floor(now);
    throw new Failure('USAGE', '"clock" gave no time in milliseconds since the epoch.');
  };
}

/** Who is told something must not decide what becomes of a verification, nor end the process from a timer. */
function unbroken(tell: (notice: string) => unknown, otherwise: (notice: string) => void): (notice: string) => void {
  return (notice) => {
    try {
      const told: unknown = tell(notice);
      if (told instanceof Promise) told.catch(() => otherwise(notice));
    } catch {
      otherwise(notice);
    }
  };
}
