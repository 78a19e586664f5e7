/** What persons answer to requests for approval. */
import type { ActionApprovalDocument } from '../../../src/protocol/approvals/approval.js';
import type { ApprovalRequestDocument } from '../../../src/protocol/approvals/request.js';
import { withSignature, type Signer } from './parts.js';

export const ALICE = 'did:web:alice.example';

/** Alice's yes of `at` (ms since the epoch), good for 15 minutes, unless `changes` say otherwise. */
export function aliceAnswers(
  request: ApprovalRequestDocument,
  at: number,
  changes: object = {},
  key: Signer = 'alice',
): ActionApprovalDocument {
  const { request_id, verifier, action_hash, agent_id, passport_hash } = request;
  const unsigned = {
    type: 'approval',
    version: 2,
    request_id,
    verifier,
    action_hash,
    agent_id,
    passport_hash,
    approver: ALICE,
    key_id: `${ALICE}#key-1`,
    decision: 'approve',
    reason: null,
    approved_at: new Date(at).toISOString(),
    approved_until: new Date(at + 900_000).toISOString(),
    ...changes,
  };
  return withSignature(unsigned, 'signature', key) as unknown as ActionApprovalDocument;
}
