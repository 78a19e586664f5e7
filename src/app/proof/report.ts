/** What the check of a bundle finds, and by whose word. */
import type { ActionApproval } from '../../protocol/approvals/approval.js';
import type { Approval } from '../../protocol/approvals/exact.js';
import type { JsonObject } from '../../protocol/json/values.js';
import type { Passport } from '../../protocol/passport.js';
import type { NoteKey } from '../../protocol/transparency/note.js';
import type { RequestRecord } from '../../verify/approvals/approving.js';
import type { PinnedKey } from '../../verify/context.js';
import type { SignedForm } from './sent.js';

/** A step of checking a proof, in the order in which they are told. */
export type StepName = 'who' | 'what' | 'limits' | 'decision' | 'when' | 'recorded' | 'outcome' | 'seen';

/** How a step ended. `unproven`: what it would be shown with was not given. */
export interface Step {
  readonly step: StepName;
  readonly status: 'ok' | 'broken' | 'unproven';
  /** One sentence for people. */
  readonly message: string;
}

/** Whose word counts. */
export interface ProofTrust {
  /** By principal. */
  readonly pins: (principal: string) => readonly PinnedKey[];
  /** Raw keys of verifiers. */
  readonly verifiers: readonly Uint8Array[];
  /** Each must have seen the log. */
  readonly witnesses: readonly NoteKey[];
  /** The mesh whose key this machine has pinned: what it has seen is told, and not asked for; null where there is none. */
  readonly mesh: NoteKey | null;
}

/** What persons said, each of it judged before: it stands in for what the verifier's memory held of approvals. */
export interface ApprovalEvidence {
  /** Public key, `ed25519:` and hex, of the verifier that the approvals are for; null where nobody's approval can count. */
  readonly verifier: string | null;
  readonly request: RequestRecord | null;
  readonly answers: readonly ActionApproval[];
  readonly exact: readonly Approval[];
}

/** Judges the intent under the passport at the time of the decision, without a past: null when it is within all limits, else the code of the refusal. */
export type Rejudge = (
  sent: SignedForm,
  passport: Passport,
  at: number,
  evidence: ApprovalEvidence,
) => Promise<string | null>;

/** Somebody whose signed approval of the action counts. */
export interface ApprovedBy {
  readonly approver: string;
  readonly key_id: string;
  /** RFC 3339, by the approver's clock. */
  readonly approved_at: string;
  /** In the approver's words; null where none are given. */
  readonly reason: string | null;
}

/** What a proof shows, as `aip proof verify --json` prints it. */
export interface ProofReport {
  /** True when nothing is broken and nothing that was asked for is unproven. */
  readonly ok: boolean;
  readonly agent_id: string | null;
  readonly action: string | null;
  /** As it was signed, or as the log shows it where that is not shown. */
  readonly target: string | null;
  readonly principal: string | null;
  readonly params: JsonObject | null;
  readonly status: string | null;
  readonly error_code: string | null;
  /** RFC 3339, by the verifier's clock. */
  readonly decided_at: string | null;
  readonly log: string | null;
  readonly seq: number | null;
  /** Empty where none is shown. */
  readonly approved_by: readonly ApprovedBy[];
  readonly steps: readonly Step[];
  readonly exit_code: number;
}

/** What a report means as a whole: its worst, and a sentence for people. */
export interface ProofVerdict {
  readonly state: Step['status'];
  readonly said: string;
}

/** What the steps come to: also where all that was asked for is shown, a reader has to know what is not. */
export function proofVerdict({ ok, steps }: Pick<ProofReport, 'ok' | 'steps'>): ProofVerdict {
  if (steps.some(({ status }) => status === 'broken'))
    return { state: 'broken', said: 'A step is contradicted: nothing of this may be relied on.' };
  if (!ok) return { state: 'unproven', said: 'A step that was asked for is not shown by what was given.' };
  const open = steps.filter(({ status }) => status === 'unproven').length;
  if (open === 0) return { state: 'ok', said: 'Every step holds by the keys that were given.' };
  const are = open === 1 ? '1 step needs a key that was not given' : `${open} steps need keys that were not given`;
  return { state: 'ok', said: `Every step that the keys given can show holds; ${are}.` };
}
