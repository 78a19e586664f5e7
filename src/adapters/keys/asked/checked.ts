/** What every key that is asked has in common: time, and no signature that was not verified here. */
import { Failure } from '../../../app/failure.js';
import type { SigningKey } from '../../../app/ports/signing-keys.js';
import { verifyKeyOf, verifySignature } from '../../../protocol/ed25519/verify.js';
import { formatPublicKey } from '../../../protocol/identity/keys.js';

/** Every question ends within this, in ms, whatever is asked. */
export const ANSWER_MS = 4500;

/** What an answer was that holds no usable signature or key. `address` names the key for people. */
export function unusableAnswer(address: string, what: string): Failure {
  return new Failure('KEYSTORE_DENIED', `${address} answered with ${what}.`);
}

/** `signer`, whose signatures are handed on only when they hold under its public key. */
export function checked(address: string, signer: SigningKey): SigningKey {
  const key = verifyKeyOf(signer.publicKey);
  if (key === null) throw unusableAnswer(address, 'a public key that no Ed25519 signature may be made with');
  return {
    publicKey: signer.publicKey,
    async sign(message) {
      // The caller's bytes must not change between the question and the check.
      const asked = Uint8Array.from(message);
      const signature = await signer.sign(asked);
      if (verifySignature(key, asked, signature)) return signature;
      throw unusableAnswer(address, await kindOf(signer.publicKey, asked, signature));
    },
  };
}

/** In words what a signature is that does not hold. */
async function kindOf(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<string> {
  if (signature[0] === 0x30 && signature.length >= 68 && signature.length <= 139)
    return 'a signature in DER, as ECDSA and RSA libraries make them; Ed25519 has 64 plain bytes';
  if (signature.length !== 64) return `a signature of ${signature.length} bytes; one of Ed25519 has 64`;
  const { isPrehashed } = await import('../../../protocol/ed25519/sign.js');
  if (isPrehashed(publicKey, message, signature))
    return 'a signature of Ed25519ph, which is another algorithm; pure Ed25519 is needed';
  return `a signature that does not hold under ${formatPublicKey(publicKey)}: another key, or another curve`;
}
