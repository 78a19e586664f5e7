import { verifySignature, verifySignatureAsync, type VerifyKey } from '../protocol/ed25519/verify.js';
import { signingKeys } from '../verify/checks/signature.js';
import type { Claim, SignatureOracle } from '../verify/context.js';

/** Answers of the thread pool, kept by intent so that the ordered checks can ask for them synchronously. */
export class SignaturePrefetch {
  readonly #answers = new Map<Uint8Array, { key: VerifyKey; holds: boolean }>();
  readonly #pending: Promise<void>[] = [];

  start({ intent, finding, now }: Claim): void {
    if (finding.status !== 'found' || intent.signature === null) return;
    const keys = signingKeys(finding.passport, intent, now);
    const key = Array.isArray(keys) ? keys[0] : undefined;
    if (key === undefined) return;
    this.#pending.push(
      verifySignatureAsync(key, intent.signedBytes, intent.signature).then((holds) => {
        this.#answers.set(intent.signedBytes, { key, holds });
      }),
    );
  }

  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }

  readonly holds: SignatureOracle = (key, message, signature) => {
    const answer = this.#answers.get(message);
    return answer?.key === key ? answer.holds : verifySignature(key, message, signature);
  };
}
