import { Failure } from '../../app/failure.js';
import type { KeyStore } from '../../app/ports/state.js';

/** Keys that end with this process, standing in for the keychain; the ref is the key id. */
export function memoryKeys(): KeyStore {
  const seeds = new Map<string, Uint8Array>();
  return {
    name: 'keychain',
    read: async (ref) => {
      const seed = seeds.get(ref);
      if (seed === undefined) throw new Failure('KEY_NOT_FOUND', `There is no key for ${ref}.`);
      return seed.slice();
    },
    refOf: (keyId) => keyId,
    create: async (keyId, seed) => {
      if (seeds.has(keyId)) throw new Failure('EXISTS', `There is a key for ${keyId} already.`);
      seeds.set(keyId, seed.slice());
      return keyId;
    },
    delete: async (ref) => seeds.delete(ref),
  };
}
