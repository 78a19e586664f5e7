import type { VerifyKey } from '../../protocol/ed25519/verify.js';

/** A signature to be judged elsewhere. */
export interface SignatureQuestion {
  readonly key: VerifyKey;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

/** Other cores that judge signatures by the batch. */
export interface SignatureWorkers {
  /** False while they start, and once one has ended. */
  readonly ready: boolean;
  /** What `verifySignature` says of each, in order; null where nobody said anything. Never rejects. */
  check(questions: readonly SignatureQuestion[]): Promise<readonly (boolean | null)[]>;
}
