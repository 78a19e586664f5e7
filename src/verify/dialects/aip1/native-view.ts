import type { Envelope } from '../../../protocol/aip1/envelope.js';
import type { Intent } from '../../../protocol/intent.js';

/** An envelope under the names of an intent, for hooks, approvals and the log. */
export function intentOf(envelope: Envelope): Intent {
  const { agentId, action, parameters, target, issuedAt, entropy, proofText, signedBytes, hash } = envelope;
  return {
    document: {
      agent_id: agentId,
      action,
      params: parameters,
      ...(target === '' ? {} : { target }),
      timestamp: Math.floor(issuedAt / 1000),
      nonce: entropy,
      signature: proofText,
    },
    signedBytes,
    // The steps that read this come after the signature and never judge it again.
    signature: null,
    hash,
  };
}
