/** Private keys in the files of other programs. Ours stay in the key stores. */
import { Failure, shellWord } from '../../../app/failure.js';
import type { Random } from '../../../app/ports/state.js';
import type { PassphraseSource } from '../passphrase.js';
import { mayBePublicKey } from '../../../protocol/ed25519/sign.js';
import { parseSeed } from '../../../protocol/identity/keys.js';
import { createPrivate, readPrivate, replacePrivate } from '../../files/secret/private-file.js';
import { readSecret } from '../../files/secret/secret-file.js';
import { secretMounts } from '../../files/secret/secret-mounts.js';
import { encodeEncryptedPem, encodePlainPem, MAX_PEM_BYTES, openKeyFile } from './pem.js';

export interface PortableKeys {
  /** The seed in a private key of any form (`private-key.ts`), in a private file or on stdin for `-`; `text`: what was read of it already. */
  take(path: string, text?: string): Promise<Uint8Array>;
  /** The seed in a PKCS#8 file, encrypted or not; null when there is no such file. */
  read(path: string): Promise<Uint8Array | null>;
  /** Writes a PKCS#8 file, mode 0600. An existing one is left as it is unless `replace`. */
  write(
    path: string,
    seed: Uint8Array,
    form: { readonly encrypted: boolean; readonly replace: boolean },
  ): Promise<void>;
}

export interface PortableKeysOptions {
  readonly random: Random;
  readonly passphrase: PassphraseSource;
  readonly newPassphrase: PassphraseSource;
  /** Says where secrets are mounted. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Told what the user should hear aloud. */
  readonly onNotice: (notice: string) => void;
}

export function portableKeys({ random, passphrase, newPassphrase, env, onNotice }: PortableKeysOptions): PortableKeys {
  return {
    async take(path, given) {
      const text = given ?? (await readSecret(path, { what: 'key file', most: MAX_PEM_BYTES, env }));
      const name = path === '-' ? 'stdin' : path;
      const seed = await openKeyFile(name, text, () => passphrase(path), { allowPlain: true });
      // As bare text both halves look alike; with a public key for its seed anyone could sign in its name.
      if (parseSeed(text.trim()) !== null && mayBePublicKey(seed))
        onNotice(
          `${name}: this may be a public key, which everyone has. Use it only where you know that it is private.`,
        );
      return seed;
    },

    async read(path) {
      const file = readPrivate(path, MAX_PEM_BYTES, secretMounts(env));
      if (file === null) return null;
      if (file.exposed) {
        throw new Failure('KEYSTORE_DENIED', `The key file ${path} can be read or changed by others.`, {
          hint: `chmod 600 ${shellWord(path)}`,
        });
      }
      return openKeyFile(path, file.bytes.toString('latin1'), () => passphrase(path), { allowPlain: true });
    },

    async write(path, seed, { encrypted, replace }) {
      const pem = encrypted
        ? encodeEncryptedPem(seed, await newPassphrase(), random(16), random(16))
        : encodePlainPem(seed);
      const unique = Buffer.from(random(6)).toString('hex');
      if (replace) replacePrivate(path, pem, unique);
      else if (!createPrivate(path, pem, unique))
        throw new Failure('EXISTS', `${path} exists already.`, { hint: 'replace it with --force' });
    },
  };
}
