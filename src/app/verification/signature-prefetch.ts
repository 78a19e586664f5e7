import { verifySignature, verifySignatureAsync, type VerifyKey } from '../../protocol/ed25519/verify.js';
import type { SignatureOracle, SignatureQuestion } from '../../verify/context.js';
import type { SignatureWorkers } from '../ports/signatures.js';

/**
 * Answers from other cores, kept by intent so that the ordered checks can ask for them synchronously. Without workers they come
 * from the thread pool. What was not answered is judged when it is asked for.
 */
export class SignaturePrefetch {
  readonly #answers = new Map<Uint8Array, { key: VerifyKey; holds: boolean }>();
  readonly #asked: SignatureQuestion[] = [];
  readonly #pending: Promise<void>[] = [];
  readonly #workers: SignatureWorkers | null;

  constructor(workers: SignatureWorkers | null) {
    this.#workers = workers?.ready === true ? workers : null;
  }

  /** Has `asked` answered; null asks nothing. */
  start(asked: SignatureQuestion | null): void {
    if (asked === null) return;
    if (this.#workers !== null) {
      this.#asked.push(asked);
      return;
    }
    const { key, message, signature } = asked;
    this.#pending.push(verifySignatureAsync(key, message, signature).then((holds) => this.#answer(asked, holds)));
  }

  async settled(): Promise<void> {
    if (this.#workers === null) {
      await Promise.all(this.#pending);
      return;
    }
    const answers = await this.#workers.check(this.#asked);
    for (const [i, holds] of answers.entries()) if (holds !== null) this.#answer(this.#asked[i]!, holds);
  }

  readonly holds: SignatureOracle = (key, message, signature) => {
    const answer = this.#answers.get(message);
    return answer?.key === key ? answer.holds : verifySignature(key, message, signature);
  };

  #answer({ key, message }: SignatureQuestion, holds: boolean): void {
    this.#answers.set(message, { key, holds });
  }
}
