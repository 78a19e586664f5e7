/** What is known of approvals, as checks read it. */
import type { ActionApproval } from '../../protocol/approvals/approval.js';
import type { ApprovalRequest } from '../../protocol/approvals/request.js';
import type { Approver } from '../../protocol/constraints/rules.js';

/** Who has to approve. */
export interface ApprovalPolicy {
  /** Null where the principal approves. */
  readonly approvers: readonly Approver[] | null;
  /** How many different ones of them. */
  readonly count: number;
  /** How long a request waits, a denial stands, and an approval may count at most, in ms. */
  readonly ttlMs: number;
}

/** A request as the memory keeps it, with the answers to it. */
export interface RequestRecord {
  readonly id: string;
  /** Public key of the verifier that raised it. */
  readonly verifier: string;
  readonly actionHash: string;
  readonly agentId: string;
  readonly status: 'open' | 'spent' | 'denied';
  /** ms since the epoch; later than the request says while an approval is in force. */
  readonly expiresAt: number;
  /** How long an approval may count, in ms. */
  readonly ttlMs: number;
  /** When it was spent or denied, in ms since the epoch; null while it is open. */
  readonly endedAt: number | null;
  /** The document, JSON text. */
  readonly text: string;
  readonly answers: readonly ActionApproval[];
  /** True where the memory that this verifier shares vouches for the one that raised it; never kept. */
  readonly vouched?: true;
}

/** A request as its verifier raised it: nobody has answered. */
export function raisedRecord({ document, expiresAt }: ApprovalRequest): RequestRecord {
  return {
    id: document.request_id,
    verifier: document.verifier,
    actionHash: document.action_hash,
    agentId: document.agent_id,
    status: 'open',
    expiresAt,
    ttlMs: document.ttl_s * 1000,
    endedAt: null,
    text: JSON.stringify(document),
    answers: [],
  };
}

/** What is known of the approvals of one action. */
export interface Approving {
  /** True when a valid approval of exactly this intent was given. */
  readonly exact: boolean;
  readonly actionHash: string;
  /** The request that was named and is spent; null where none is. */
  readonly spent: RequestRecord | null;
  /** How many of those who have to approve have, and why answers do not count. */
  readonly judge: (policy: ApprovalPolicy) => Approved;
}

/** How far a policy is satisfied. */
export interface Approved {
  /** Different approvers whose approval counts. */
  readonly by: number;
  /** Why others do not count, in sentences. */
  readonly problems: readonly string[];
}
