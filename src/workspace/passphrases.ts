/** Where the passphrase of key files comes from. */
import type { Passphrases } from '../adapters/keys/passphrase.js';
import { Failure } from '../app/failure.js';
import type { KeyPlaces } from './key-places.js';
import type { LocalWorkspace } from './workspace.js';

export type { Passphrases } from '../adapters/keys/passphrase.js';

/** What the caller hands over, else its file, else AIP_KEY_PASSPHRASE, else the terminal. */
export async function passphrasesOf({ world }: LocalWorkspace, places: KeyPlaces): Promise<Passphrases> {
  const { passphrase, passphraseFile, passphraseFd, mayAsk = true } = places;
  if (passphrase !== undefined) {
    const handed = (): Promise<string> => passphraseFrom(passphrase);
    return { existing: handed, fresh: handed };
  }
  const { passphrases } = await import('../adapters/keys/passphrase.js');
  return passphrases({
    env: world.env,
    file: passphraseFile ?? null,
    descriptor: passphraseFd ?? null,
    prompt: mayAsk ? world.askSecret : null,
    onNotice: world.notice,
    random: world.random,
  });
}

async function passphraseFrom(given: unknown): Promise<string> {
  const passphrase: unknown = typeof given === 'function' ? await given() : given;
  if (typeof passphrase !== 'string') throw new Failure('USAGE', 'The passphrase is not a string.');
  return passphrase;
}
