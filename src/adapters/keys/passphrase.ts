import { basename } from 'node:path';
import { Failure } from '../../app/failure.js';
import { MAX_PASSPHRASE_BYTES } from './file/pem.js';
import { readSecretFile } from '../files/secret-file.js';

/** Asks for the passphrase of a key file, each time it is called; the file is named in the question. */
export type PassphraseSource = (file?: string) => Promise<string>;

/** Asks one question at the terminal without echo. */
export type SecretPrompt = (question: string) => Promise<string>;

export interface PassphraseOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `--passphrase-file`, `-` for stdin; null when not given. */
  readonly file: string | null;
  /** Null when no question may be asked. */
  readonly prompt: SecretPrompt | null;
  /** Told what the user should hear aloud. */
  readonly onNotice?: (notice: string) => void;
}

export interface Passphrases {
  /** For a key that exists. */
  readonly existing: PassphraseSource;
  /** For keys being made: asked twice at a terminal, once for all keys that one command makes. */
  readonly fresh: PassphraseSource;
}

const VARIABLE = 'AIP_KEY_PASSPHRASE';
const ATTEMPTS = 3;

/** The passphrase of the key files: from `--passphrase-file`, else AIP_KEY_PASSPHRASE, else the terminal. */
export function passphrases(options: PassphraseOptions): Passphrases {
  const { env, file, prompt, onNotice = () => {} } = options;
  let agreed: Promise<string> | null = null;

  async function given(): Promise<string | null> {
    if (file !== null) return usable(await readFile(file, onNotice), `The passphrase in ${file}`);
    const variable = env[VARIABLE];
    return variable === undefined ? null : usable(variable, `The passphrase in ${VARIABLE}`);
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

  return {
    existing: async (path) => {
      const which = path === undefined ? 'the key' : basename(path);
      return (await given()) ?? usable(await terminal()(`Passphrase of ${which}`), 'The passphrase');
    },
    fresh: async () => {
      const known = await given();
      if (known !== null) return known;
      agreed ??= agree().catch((cause: unknown) => {
        agreed = null;
        throw cause;
      });
      return agreed;
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

/** The file's text without one newline at its end. */
async function readFile(path: string, onNotice: (notice: string) => void): Promise<string> {
  const bytes = await readSecretFile(path, 'passphrase file', MAX_PASSPHRASE_BYTES + 2, onNotice);
  let text;
  try {
    // Replaced bytes would be a different, weaker passphrase. A byte order mark is part of the text.
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Failure('UNREADABLE', `The passphrase file ${path} is not UTF-8 text.`);
  }
  return text.replace(/\r?\n$/, '');
}
