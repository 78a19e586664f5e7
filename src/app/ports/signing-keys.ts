/** Keys that sign: held here, or asked for a signature where they live. */

/** A key pair that signs, wherever its private half is. */
export interface SigningKey {
  /** Raw 32 bytes. */
  readonly publicKey: Uint8Array;
  /**
   * The 64-byte signature of `message` (pure Ed25519, RFC 8032).
   * @throws Failure KEYSTORE_MISSING, KEYSTORE_TIMEOUT, KEYSTORE_DENIED, KEY_NOT_FOUND, USAGE
   */
  sign(message: Uint8Array): Promise<Uint8Array>;
}

/** Finds the key at an address. `wanted` is the public key it must have, where that is known; null takes the one that is found. */
export type FindSigningKey = (address: string, wanted: Uint8Array | null) => Promise<SigningKey>;
