import type { KeyAddressText } from '../protocol/identity/key-address.js';

/** Where a caller says that keys are. */
export interface KeyPlaces {
  /** A file that holds the passphrase of key files, `-` for stdin. */
  readonly passphraseFile?: string | undefined;
  /** A descriptor of this process that the passphrase is read from. */
  readonly passphraseFd?: number | undefined;
  /** The env file that holds AGENT_PRIVATE_KEY. */
  readonly envFile?: string | undefined;
  /** A shell command that prints the private key, in place of AGENT_PRIVATE_KEY. */
  readonly keyCommand?: string | undefined;
  /** Where the principal's or approver's key is asked, this once; the remembered place unless given. */
  readonly issuerAt?: KeyAddressText | undefined;
  /** The passphrase itself, or how to get it; comes before the file. */
  readonly passphrase?: string | (() => string | Promise<string>) | undefined;
  /** False where no question may be asked, as in the middle of a verification. */
  readonly mayAsk?: boolean;
}
