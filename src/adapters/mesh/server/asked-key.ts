/** The mesh's own key where it lives elsewhere: asked a few questions at once, found anew after a failure, its trouble told once. */
import type { SigningKey } from '../../../app/ports/signing-keys.js';
import type { MeshSigner } from '../../../mesh/log/signing.js';
import { toHex } from '../../../protocol/hex.js';
import { SigningTurns } from './signing-turns.js';

/** Signs with the key that `find` finds. `onTrouble` is told what fails, and not again until it was well. */
export function askedSigner(
  first: SigningKey,
  find: () => Promise<SigningKey>,
  onTrouble: (message: string) => void,
): MeshSigner {
  let key: Promise<SigningKey> | null = Promise.resolve(first);
  let isWell = true;
  const turns = new SigningTurns();

  const ask = async (text: string): Promise<string> => {
    // A token that was renewed, an agent that was started again: found anew, under the same public key.
    const asked = (key ??= find());
    try {
      const signature = await (await asked).sign(Buffer.from(text));
      isWell = true;
      return toHex(signature);
    } catch (error) {
      if (key === asked) key = null;
      if (isWell) onTrouble(error instanceof Error ? error.message : String(error));
      isWell = false;
      throw error;
    }
  };

  return async (text, use = {}) => {
    await turns.take(use);
    try {
      return await ask(text);
    } finally {
      turns.end();
    }
  };
}
