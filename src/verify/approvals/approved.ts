import type { Approval } from '../../protocol/approvals/exact.js';
import { principalOfAgent } from '../../protocol/identity/did.js';
import { verifySignature } from '../../protocol/ed25519/verify.js';
import type { Intent } from '../../protocol/intent.js';
import type { PinnedKey } from '../context.js';

/** What an approval has to be of. */
export interface Approvable {
  readonly agentId: string;
  readonly intentHash: string;
}

/**
 * Why an approval does not count for an intent, in one sentence; null when it does: it names exactly this intent, and a pinned key of
 * the principal that answers for the agent signed it.
 */
export function approvalProblem(
  { document, signedBytes, signature }: Approval,
  { agentId, intentHash }: Approvable,
  pins: (principal: string) => readonly PinnedKey[],
): string | null {
  if (document.intent_hash !== intentHash || document.agent_id !== agentId) return 'it is for another intent';
  const principal = principalOfAgent(agentId);
  if (principal === null || document.approver !== principal)
    return `${document.approver} does not answer for the agent`;
  const signed = pins(principal).some(({ key }) => verifySignature(key, signedBytes, signature));
  return signed ? null : `no pinned key of ${principal} signed it`;
}

/** True for an intent that was approved as it is, by a key that `counts`: one that is not denied now. */
export type ExactApproval = (intent: Intent, counts: (key: PinnedKey) => boolean) => boolean;

/** True for an intent that one of them is of. */
export function approvedBy(
  approvals: readonly Approval[],
  pins: (principal: string) => readonly PinnedKey[],
): ExactApproval {
  return ({ document, hash }, counts) => {
    const what = { agentId: document.agent_id, intentHash: hash };
    const inForce = (principal: string): readonly PinnedKey[] => pins(principal).filter(counts);
    return approvals.some((approval) => approvalProblem(approval, what, inForce) === null);
  };
}
