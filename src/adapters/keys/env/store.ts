import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Failure, shellWord } from '../../../app/failure.js';
import type { KeyStore, Random } from '../../../app/ports/state.js';
import { plainSecret, secretVariable } from '../../../app/ports/secrets.js';
import { formatSeed, parseSeed } from '../../../protocol/identity/keys.js';
import {
  appendPrivate,
  createPrivate,
  readPrivate,
  removePrivate,
  replacePrivate,
} from '../../files/secret/private-file.js';
import { secretMounts } from '../../files/secret/secret-mounts.js';
import { assignmentsOf, hiddenLine, without } from './dotenv.js';
import { keepOutOfGit } from './git.js';
import { maskName } from '../../../protocol/log/secret-text.js';

/** The variable that holds the key, and the ref of a key that is in the environment itself. */
export const KEY_VARIABLE = 'AGENT_PRIVATE_KEY';
const MAX_ENV_FILE_BYTES = 1024 * 1024;

export interface EnvKeyOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `--env-file`; null when not given: then the environment is read, and nothing can be made. */
  readonly envFile: string | null;
  readonly random: Random;
  /** Told what the user should hear aloud. */
  readonly onNotice?: (notice: string) => void;
}

/**
 * One key in `AGENT_PRIVATE_KEY`, in plain text: in the environment, or in an env file. The ref is the file's absolute path,
 * or the variable's name for the environment; `--env-file` wins over the latter.
 */
export function envKey(options: EnvKeyOptions): KeyStore {
  const { env, random, onNotice = () => {} } = options;
  const envFile = options.envFile === null ? null : resolve(options.envFile);

  /** The file that `ref` means; null for the environment. */
  function fileOf(ref: string): string | null {
    return ref === KEY_VARIABLE ? envFile : resolve(ref);
  }

  return {
    name: 'env',

    async read(ref) {
      const path = fileOf(ref);
      const file = path === null ? null : readEnvFile(path, true);
      // A file that the caller names is an argument; one that a ref names is where the key should have stayed.
      if (file === null && path !== null && path === envFile) {
        throw new Failure('NOT_FOUND', `There is no file ${maskName(path)}.`, {
          hint: 'name the right one with --env-file',
        });
      }
      const text = path === null ? secretVariable(env, KEY_VARIABLE) : lastValue(file, path);
      if (!text) {
        const hidden = file === null ? null : hiddenLine(KEY_VARIABLE, file);
        if (hidden !== null && path !== null) throw insideQuotes('KEY_NOT_FOUND', path, hidden);
        const place = path === null ? 'is not set in the environment' : `is not in ${path}`;
        const gone = path !== null && file === null ? ', which does not exist' : '';
        // The variable alone does not take the place of the file that the ref names.
        const instead = path === null ? '' : ' and give --key-store env';
        throw new Failure('KEY_NOT_FOUND', `${KEY_VARIABLE} ${place}${gone}.`, {
          hint: `set ${KEY_VARIABLE}=ed25519:<64 hex digits>${instead}, or name a file that does with --env-file`,
        });
      }
      const seed = parseSeed(text);
      if (seed === null) {
        const place = path === null ? 'in the environment' : `in ${path}`;
        throw new Failure('UNREADABLE', `${KEY_VARIABLE} ${place} is not ed25519: and 64 hex digits.`);
      }
      return seed;
    },

    refOf: () => envFile ?? KEY_VARIABLE,

    async create(_keyId, seed) {
      if (envFile === null) {
        throw new Failure('USAGE', 'A new key cannot be put into the environment of another process.', {
          hint: 'name a file for it with --env-file',
        });
      }
      if (!existsSync(dirname(envFile))) throw new Failure('NOT_FOUND', `The folder of ${envFile} does not exist.`);
      return withLock(envFile, async () => {
        const old = readEnvFile(envFile, false);
        if (old !== null && assignmentsOf(KEY_VARIABLE, old).some(({ value }) => value !== '')) throw taken(envFile);
        // A line that other readers of such files may take for the key: with a second one, each would find its own.
        const hidden = old === null ? null : hiddenLine(KEY_VARIABLE, old);
        if (hidden !== null) throw insideQuotes('EXISTS', envFile, hidden);
        // Ignored first, written then: at no moment does git see the key.
        for (const notice of await keepOutOfGit(envFile, env)) onNotice(notice);
        const gap = old === null || old === '' || old.endsWith('\n') ? '' : '\n';
        appendPrivate(envFile, `${gap}${KEY_VARIABLE}=${formatSeed(seed)}\n`);
        onNotice(`The private key is in plain text in ${envFile}; whoever reads that file is the agent.`);
        return envFile;
      });
    },

    async delete(ref) {
      const path = fileOf(ref);
      if (path === null) {
        if (!env[KEY_VARIABLE]) return false;
        throw new Failure('KEYSTORE_DENIED', 'A variable cannot be removed from the environment of another process.', {
          hint: `unset ${KEY_VARIABLE}`,
        });
      }
      if (!existsSync(path)) return false;
      return withLock(path, async () => {
        const text = readEnvFile(path, false);
        const held = text === null ? [] : assignmentsOf(KEY_VARIABLE, text);
        if (text === null || held.length === 0) return false;
        replacePrivate(path, without(held, text), suffix());
        return held.some(({ value }) => value !== '');
      });
    },
  };

  /** The text of the file; null when there is none. */
  function readEnvFile(path: string, forKey: boolean): string | null {
    const file = readPrivate(path, MAX_ENV_FILE_BYTES, secretMounts(env));
    if (file === null) return null;
    // What is changed becomes private by that.
    if (file.exposed && forKey) {
      throw new Failure('KEYSTORE_DENIED', `${path} holds secrets and can be read or changed by others.`, {
        hint: `chmod 600 ${shellWord(path)}`,
      });
    }
    try {
      if (file.bytes.includes(0)) throw new TypeError('binary');
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(file.bytes);
    } catch {
      throw new Failure('UNREADABLE', `${path} is not a text file.`);
    }
  }

  function suffix(): string {
    return Buffer.from(random(6)).toString('hex');
  }

  /** One writer at a time: two creations at once would both find the file free, and the later line would win. */
  async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
    const lock = `${path}.lock`;
    if (!createPrivate(lock, '', suffix())) {
      throw new Failure('EXISTS', `${path} is being changed by another process: ${lock} exists.`, {
        hint: `when no aip runs: rm ${shellWord(lock)}`,
        retryable: true,
      });
    }
    try {
      return await work();
    } finally {
      removePrivate(lock);
    }
  }
}

/** The value that counts, as dotenv has it: the last; null when there is none, or it is empty. */
function lastValue(text: string | null, path: string | null): string | null {
  if (text === null) return null;
  const value = assignmentsOf(KEY_VARIABLE, text).at(-1)?.value;
  return value ? plainSecret(value, `${KEY_VARIABLE} in ${path}`) || null : null;
}

function insideQuotes(code: 'EXISTS' | 'KEY_NOT_FOUND', path: string, line: number): Failure {
  return new Failure(code, `${KEY_VARIABLE} on line ${line} of ${path} stands inside another variable's quotes.`, {
    hint: `close the quotes before line ${line}, or name another file with --env-file`,
  });
}

function taken(path: string): Failure {
  return new Failure('EXISTS', `${path} already holds ${KEY_VARIABLE}; it was left as it is.`, {
    hint: 'name another file with --env-file',
  });
}
