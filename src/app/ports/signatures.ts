import type { SignatureQuestion } from '../../verify/context.js';

export type { SignatureQuestion } from '../../verify/context.js';

/** Other cores that judge signatures by the batch. */
export interface SignatureWorkers {
  /** False while they start, and once one has ended. */
  readonly ready: boolean;
  /** What `verifySignature` says of each, in order; null where no worker answered. Never rejects. */
  check(questions: readonly SignatureQuestion[]): Promise<readonly (boolean | null)[]>;
}
