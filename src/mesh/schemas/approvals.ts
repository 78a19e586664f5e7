/** The documents of requests for approval. */
import { count, flag, list, nullable, object, ref, text, time } from './parts.js';

const status = { enum: ['pending', 'approved', 'spent', 'denied', 'expired'] } as const;

const summary = {
  request_id: text,
  status,
  version: count,
  document_hash: text,
  action_hash: text,
  agent_id: text,
  action: text,
  verifier: text,
  approvers: list(text),
  needed: count,
  approved_by: list(text),
  answers: count,
  requested_at: time,
  expires_at: time,
  ended_at: nullable(time),
  intent_hash: nullable(text),
};

/** What verifiers hand in, and persons read and answer. The request and the answer themselves are documents of the protocol. */
export const APPROVAL_SCHEMAS = {
  ApprovalRequest: { type: 'object' },
  Approval: { type: 'object' },
  ApprovalEnd: object({ status: text, intent_hash: nullable(text) }, ['intent_hash']),
  ApprovalSummary: object(summary),
  ApprovalState: object({ ...summary, checked: flag, changed: flag }, ['checked']),
  ApprovalStates: object({ requests: list(ref('ApprovalSummary')), next: nullable(text), mark: text }),
  ApprovalAnswers: object({ request_id: text, status, version: count, answers: list({ type: 'object' }) }),
} as const;
