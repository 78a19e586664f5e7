/** A batch of signatures, as it goes to a worker; the answer is a byte for each, 1 where it holds. */

export const SIGNATURE_BYTES = 64;

export interface Task {
  readonly keys: readonly Uint8Array[];
  /** Of each signature, the place of its key in `keys`. */
  readonly keyOf: Uint32Array;
  /** All messages, one after the other, and where each ends. */
  readonly messages: Uint8Array;
  readonly ends: Uint32Array;
  /** SIGNATURE_BYTES each. */
  readonly signatures: Uint8Array;
}
