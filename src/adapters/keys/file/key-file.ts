import { Failure } from '../../../app/failure.js';

/** A private key that was read: open, or to be opened. */
export type PrivateKeyFile =
  | { readonly encrypted: false; readonly seed: Uint8Array }
  /** Gives the seed, or fails with WRONG_PASSPHRASE. */
  | { readonly encrypted: true; readonly open: (passphrase: Uint8Array) => Uint8Array };

/** A file whose key cannot be used; `message` is a sentence that begins with "It" and quotes nothing of the file. */
export function unreadableKey(message: string, hint?: string): Failure {
  return new Failure('UNREADABLE', message, {
    hint: hint ?? 'make an Ed25519 key: openssl genpkey -algorithm ed25519 -out key.pem',
  });
}

/** Of every private key that does not open: no cipher here tells a wrong passphrase from damage. */
export function wrongPassphrase(): Failure {
  return new Failure('WRONG_PASSPHRASE', 'The passphrase does not open the key, or the file is damaged.', {
    hint: 'give the one it was made with: at the terminal, in AIP_KEY_PASSPHRASE, or with --passphrase-file <file>',
  });
}
