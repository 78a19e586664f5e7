/** Where the passphrase of key files comes from. */
import type { Passphrases } from '../adapters/keys/passphrase.js';
import { Failure } from '../app/failure.js';
import type { KeyPlaces } from './key-places.js';
import type { LocalWorkspace } from './workspace.js';

export type { Passphrases } from '../adapters/keys/passphrase.js';

/** By where they come from: what is read, asked and warned of once is that once for everything that a command opens and makes. */
const sources = new WeakMap<LocalWorkspace, Map<string, Promise<Passphrases>>>();

/** What the caller hands over, else its file, else AIP_KEY_PASSPHRASE, else the terminal. */
export async function passphrasesOf(workspace: LocalWorkspace, places: KeyPlaces): Promise<Passphrases> {
  const { passphrase, passphraseFile, passphraseFd, mayAsk = true } = places;
  if (passphrase !== undefined) {
    const handed = (): Promise<string> => passphraseFrom(passphrase);
    return { existing: handed, fresh: handed };
  }
  const known = sources.get(workspace) ?? new Map<string, Promise<Passphrases>>();
  sources.set(workspace, known);
  const name = JSON.stringify([passphraseFile ?? null, passphraseFd ?? null, mayAsk]);
  const source = known.get(name) ?? sourceOf(workspace, places);
  known.set(name, source);
  return source;
}

async function sourceOf({ world }: LocalWorkspace, places: KeyPlaces): Promise<Passphrases> {
  const { passphraseFile, passphraseFd, mayAsk = true } = places;
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
