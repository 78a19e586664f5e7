import { verifySignature, verifySignatureAsync, type VerifyKey } from '../protocol/ed25519/verify.js';
import { signingKeys } from '../verify/checks/signature.js';
import type { Claim, SignatureOracle } from '../verify/context.js';
import type { Examined } from './examine.js';
import type { ExaminedEnvelope } from './verify-envelope.js';

/** Answers of the thread pool, kept by intent so that the ordered checks can ask for them synchronously. */
export class SignaturePrefetch {
  readonly #answers = new Map<Uint8Array, { key: VerifyKey; holds: boolean }>();
  readonly #pending: Promise<void>[] = [];

  start(examined: Examined): void {
    const asked = examined.dialect === 'native' ? intentQuestion(examined.claim) : envelopeQuestion(examined);
    if (asked === null) return;
    const { key, message, signature } = asked;
    this.#pending.push(
      verifySignatureAsync(key, message, signature).then((holds) => {
        this.#answers.set(message, { key, holds });
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

interface Question {
  readonly key: VerifyKey;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

function intentQuestion({ intent, finding, now }: Claim): Question | null {
  if (finding.status !== 'found' || intent.signature === null) return null;
  const keys = signingKeys(finding.passport, intent, now);
  const key = Array.isArray(keys) ? keys[0] : undefined;
  return key === undefined ? null : { key, message: intent.signedBytes, signature: intent.signature };
}

/** The key and the spelling that are tried first; what else there is waits for their answer. */
function envelopeQuestion({ envelope: { proof, signedBytes }, claim }: ExaminedEnvelope): Question | null {
  const { finding, publicKey } = claim;
  const key = finding.status === 'found' ? finding.passport.currentKey.key : publicKey;
  return key === null || proof?.length !== 64 ? null : { key, message: signedBytes, signature: proof };
}
