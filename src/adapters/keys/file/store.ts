import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Failure, shellWord } from '../../../app/failure.js';
import type { KeyStore, Random } from '../../../app/ports/state.js';
import { createPrivate, ensurePrivateFolder, readPrivate, removePrivate } from '../../files/secret/private-file.js';
import type { PassphraseSource } from '../passphrase.js';
import { encodeEncryptedPem, MAX_PEM_BYTES, openKeyFile } from './pem.js';

const RESTORE = 'restore it from a backup; an agent can get a new one: aip passport rotate <agent>';

export interface KeyFilesOptions {
  /** Where new keys go, `<home>/keys`; made with mode 0700 by the first of them. */
  readonly folder: string;
  readonly random: Random;
  /** Folders of mounted secrets (`secretMounts`), whose links are followed and whose modes are not judged. */
  readonly mounts?: readonly string[];
  /** Asked when a key is read. */
  readonly passphrase: PassphraseSource;
  /** Asked when a key is made. */
  readonly newPassphrase: PassphraseSource;
}

/**
 * Where the key file at `ref` is for the home whose keys are in `folder`. A state remembers whole paths: a home that was copied or moved
 * has the file in its own folder, and the path may be another home's.
 */
export function keyFileAt(folder: string, ref: string): string {
  const own = join(folder, basename(ref));
  return existsSync(own) ? own : ref;
}

/** Keys as encrypted PEM files, one a key; the ref is the path. */
export function keyFiles(options: KeyFilesOptions): KeyStore {
  const pathOf = (keyId: string): string => join(options.folder, keyFileName(keyId));
  return {
    name: 'file',

    async read(known) {
      const ref = keyFileAt(options.folder, known);
      const file = readPrivate(ref, MAX_PEM_BYTES, options.mounts);
      if (file === null)
        throw new Failure('KEY_NOT_FOUND', `There is no key file ${ref}.`, {
          hint: RESTORE,
        });
      if (file.exposed) {
        throw new Failure('KEYSTORE_DENIED', `The key file ${ref} can be read or changed by others.`, {
          hint: `chmod 600 ${shellWord(ref)}`,
        });
      }
      return openKeyFile(ref, file.bytes.toString('latin1'), () => options.passphrase(ref), { mend: RESTORE });
    },

    refOf: pathOf,

    async create(keyId, seed) {
      const path = pathOf(keyId);
      ensurePrivateFolder(options.folder);
      // Asked before the work, so that no passphrase is typed in vain; the link below decides.
      if (readPrivate(path, MAX_PEM_BYTES) !== null) throw taken(path);
      const passphrase = await options.newPassphrase();
      const pem = encodeEncryptedPem(seed, passphrase, options.random(16), options.random(16));
      if (!createPrivate(path, pem, Buffer.from(options.random(6)).toString('hex'))) throw taken(path);
      return path;
    },

    // Never by the path that is remembered: in a copied home that is the original's key.
    async delete(ref) {
      return removePrivate(join(options.folder, basename(ref)));
    },

    isElsewhere(ref) {
      const own = join(options.folder, basename(ref));
      return own !== ref && !existsSync(own) && existsSync(ref);
    },
  };
}

/** `did:web:acme.com:agents:bot#key-1` becomes `did_web_acme.com_agents_bot_key-1.pem`; long ids end in a hash. */
export function keyFileName(keyId: string): string {
  const plain = keyId.replace(/[^A-Za-z0-9.-]/g, '_').replace(/^\.+/, '');
  if (plain.length > 0 && plain.length <= 180) return `${plain}.pem`;
  return `${plain.slice(0, 160)}-${createHash('sha256').update(keyId).digest('hex').slice(0, 16)}.pem`;
}

function taken(path: string): Failure {
  return new Failure('EXISTS', `The key file ${path} exists already; it was left as it is.`, {
    hint: `if no passport carries it (a command that was killed leaves such a key): rm ${shellWord(path)}`,
  });
}
