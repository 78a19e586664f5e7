import { basename } from 'node:path';
import { Failure } from '../../app/failure.js';
import { plainSecret } from '../../app/ports/secrets.js';
import type { Random } from '../../app/ports/state.js';
import { suggestedPassphrase, weaknessOf } from '../../protocol/passphrase-strength.js';
import { MAX_PASSPHRASE_BYTES } from './file/pem.js';
import { readSecret, readSecretDescriptor, readsOnce, type SecretSource } from '../files/secret/secret-file.js';

/** Asks for the passphrase of a key file, each time it is called; the file is named in the question. */
export type PassphraseSource = (file?: string) => Promise<string>;

/** Asks one question at the terminal without echo. */
export type SecretPrompt = (question: string) => Promise<string>;

export interface PassphraseOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `--passphrase-file`, `-` for stdin; null when not given. */
  readonly file: string | null;
  /** `--passphrase-fd`: an open descriptor that is read to its end, once; null when not given. */
  readonly descriptor?: number | null;
  /** Null when no question may be asked. */
  readonly prompt: SecretPrompt | null;
  /** Told what the user should hear aloud. */
  readonly onNotice?: (notice: string) => void;
  /** For the passphrase that is suggested instead of a weak one; without it none is. */
  readonly random?: Random;
}

export interface Passphrases {
  /** For a key that exists. */
  readonly existing: PassphraseSource;
  /** For keys being made: asked twice at a terminal, once for all keys that one command makes. */
  readonly fresh: PassphraseSource;
}

const VARIABLE = 'AIP_KEY_PASSPHRASE';
const ATTEMPTS = 3;

/** The passphrase of the key files: from `--passphrase-file` or `--passphrase-fd`, else AIP_KEY_PASSPHRASE, else the terminal. */
export function passphrases(options: PassphraseOptions): Passphrases {
  const { env, file, descriptor = null, prompt, onNotice = () => {}, random } = options;
  const source: SecretSource = { what: 'passphrase file', most: MAX_PASSPHRASE_BYTES, env };
  let agreed: Promise<string> | null = null;
  /** A descriptor and a pipe are at their end once they were read. */
  let fromDescriptor: string | null = null;
  let fromPipe: Promise<string> | null = null;
  let warned = false;

  async function given(): Promise<string | null> {
    if (file !== null) {
      const text = await (fromPipe ?? readFrom(file));
      return usable(text, `The passphrase in ${file}`);
    }
    if (descriptor !== null) {
      fromDescriptor ??= readSecretDescriptor(descriptor, source);
      return usable(fromDescriptor, `The passphrase of descriptor ${descriptor}`);
    }
    const variable = env[VARIABLE];
    if (variable === undefined) return null;
    return usable(plainSecret(variable, VARIABLE), `The passphrase in ${VARIABLE}`);
  }

  function readFrom(path: string): Promise<string> {
    const once = readsOnce(path);
    const text = readSecret(path, source);
    if (once) fromPipe = text;
    return text;
  }

  function terminal(): SecretPrompt {
    if (prompt !== null) return prompt;
    throw new Failure('ANSWER_NEEDED', 'A passphrase for the key file is needed, and nobody can be asked.', {
      hint: `set ${VARIABLE}, or name a file with --passphrase-file`,
    });
  }

  async function agree(): Promise<string> {
    const ask = terminal();
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const first = usable(await ask('Passphrase for the new key'), 'The passphrase');
      if ((await ask('The same passphrase again')) === first) return first;
      onNotice('The two passphrases differ; nothing was stored.');
    }
    throw new Failure('USAGE', `The two passphrases differed ${ATTEMPTS} times; nothing was stored.`);
  }

  /** Said once a command: a file of keys can be copied, and guessed at for as long as it takes. */
  function warnOfWeak(passphrase: string): string {
    const weakness = weaknessOf(passphrase);
    if (weakness === null || warned) return passphrase;
    warned = true;
    const better = random === undefined ? '' : `; a strong one: ${suggestedPassphrase(random(16))}`;
    onNotice(`The passphrase is weak: ${weakness}${better}`);
    return passphrase;
  }

  return {
    existing: async (path) => {
      const which = path === undefined ? 'the key' : basename(path);
      return (await given()) ?? usable(await terminal()(`Passphrase of ${which}`), 'The passphrase');
    },
    fresh: async () => {
      const known = await given();
      if (known !== null) return warnOfWeak(known);
      agreed ??= agree().catch((cause: unknown) => {
        agreed = null;
        throw cause;
      });
      return warnOfWeak(await agreed);
    },
  };
}

function usable(passphrase: string, what: string): string {
  if (passphrase === '')
    throw new Failure('USAGE', `${what} is empty.`, { hint: `set ${VARIABLE}, or name a file with --passphrase-file` });
  if (Buffer.byteLength(passphrase) > MAX_PASSPHRASE_BYTES) {
    throw new Failure('USAGE', `${what} is longer than ${MAX_PASSPHRASE_BYTES} bytes.`);
  }
  return passphrase;
}
