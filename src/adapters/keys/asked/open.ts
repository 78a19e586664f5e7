/** Opens a key that is asked where it lives, by its address. */
import { Failure } from '../../../app/failure.js';
import type { Environment } from '../../../app/ports/secrets.js';
import type { SigningKey } from '../../../app/ports/signing-keys.js';
import { KEY_ADDRESS_FORMS, parseKeyAddress, type KeyAddress } from '../../../protocol/identity/key-address.js';
import { formatPublicKey } from '../../../protocol/identity/keys.js';
import { checked } from './checked.js';

export interface AskedOptions {
  readonly env: Environment;
  /** ms since the epoch. */
  readonly now: () => number;
}

/**
 * The signer at `text`. Every signature it gives was verified under its public key, which is `wanted` where one is.
 * @throws Failure USAGE for what is no address, KEY_NOT_FOUND for another key than `wanted`; otherwise as `SigningKey.sign`
 */
export async function askedKey(options: AskedOptions, text: string, wanted: Uint8Array | null): Promise<SigningKey> {
  const address = parseKeyAddress(text);
  if (address === null) {
    throw new Failure('USAGE', `"${text.slice(0, 120)}" is not the address of a key.`, {
      hint: Object.values(KEY_ADDRESS_FORMS).join(', '),
    });
  }
  const signer = await found(options, address, wanted);
  // A program, a KMS alias and what else names one key at a time can be pointed at another key after it was taken up.
  if (wanted !== null && Buffer.compare(signer.publicKey, wanted) !== 0) {
    const [has, asked] = [signer.publicKey, wanted].map(formatPublicKey);
    throw new Failure('KEY_NOT_FOUND', `The key at ${text} is ${has}, not ${asked}, which is asked for.`, {
      hint: 'point it at that key again, or say with --key where that key is now',
    });
  }
  return checked(text, signer);
}

async function found({ env, now }: AskedOptions, address: KeyAddress, wanted: Uint8Array | null): Promise<SigningKey> {
  switch (address.kind) {
    case 'ssh-agent':
      return (await import('./ssh-agent.js')).sshAgentKey(env, address, wanted);
    case 'hashivault':
      return (await import('./vault.js')).vaultKey(env, address.key, wanted);
    case 'awskms':
      return (await import('./aws-kms.js')).awsKmsKey(env, address.id, now);
    case 'cmd':
      return (await import('./program.js')).programKey(env, address.argv);
  }
}
