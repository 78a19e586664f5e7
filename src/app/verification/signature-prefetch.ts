import { verifySignature, verifySignatureAsync, type VerifyKey } from '../../protocol/ed25519/verify.js';
import { signingKeys } from '../../verify/checks/signature.js';
import type { Claim, SignatureOracle } from '../../verify/context.js';
import type { Examined } from './examine.js';
import type { SignatureQuestion, SignatureWorkers } from '../ports/signatures.js';
import type { ExaminedEnvelope } from './envelope.js';

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

  start(examined: Examined): void {
    const asked = examined.dialect === 'native' ? intentQuestion(examined.claim) : envelopeQuestion(examined);
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

function intentQuestion({ intent, finding, now }: Claim): SignatureQuestion | null {
  if (finding.status !== 'found' || intent.signature === null) return null;
  const keys = signingKeys(finding.passport, intent, now);
  const key = Array.isArray(keys) ? keys[0] : undefined;
  return key === undefined ? null : { key, message: intent.signedBytes, signature: intent.signature };
}

/** The key and the spelling that are tried first; what else there is waits for their answer. */
function envelopeQuestion({ envelope: { proof, signedBytes }, claim }: ExaminedEnvelope): SignatureQuestion | null {
  const { finding, publicKey } = claim;
  const key = finding.status === 'found' ? finding.passport.currentKey.key : publicKey;
  return key === null || proof?.length !== 64 ? null : { key, message: signedBytes, signature: proof };
}
