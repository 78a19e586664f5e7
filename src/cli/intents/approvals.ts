/** `--approval`: what persons said yes to. */
import { Failure } from '../../app/failure.js';
import { acceptedDocument, type AcceptedDocument } from '../../app/verification/accepted-document.js';
import type { Submission, VerifierDeps } from '../../app/verification/intents.js';
import type { ActionApproval } from '../../protocol/approvals/approval.js';
import { isExact, readAnyApproval } from '../../protocol/approvals/any.js';
import type { Approval } from '../../protocol/approvals/exact.js';
import { NATIVE_CODES } from '../../protocol/codes.js';
import { readOrNull, ShapeError } from '../../protocol/json/shape.js';
import { approvalProblem } from '../../verify/approvals/approved.js';
import type { Decision } from '../../verify/decision.js';
import { readInput } from '../input/documents.js';
import { clean } from '../render/terminal/text.js';
import type { OptionSpec } from '../spec.js';
import type { Notices } from '../output.js';
import type { Surroundings } from '../io.js';

/** What these functions need of a command. */
type Scene = Notices & Surroundings;

export interface ApprovalFlags {
  readonly approval: readonly string[];
}

export const APPROVAL_OPTION: OptionSpec = {
  flags: '--approval <file>',
  description: "a person's approval of an intent: aip approve",
  repeatable: true,
  values: 'file',
};

export interface GivenApproval {
  /** Of exactly one intent, as the first version signed it, or an answer to a request. */
  readonly approval: Approval | ActionApproval;
  /** The file it was read from. */
  readonly source: string;
}

export function approvalsIn({ approval: files }: ApprovalFlags, cli: Scene): Promise<GivenApproval[]> {
  return Promise.all(files.map(async (source) => ({ source, approval: await approvalIn(source, cli) })));
}

async function approvalIn(file: string, cli: Scene): Promise<Approval | ActionApproval> {
  const bytes = await readInput(file, cli);
  try {
    return readAnyApproval(bytes);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new Failure('UNREADABLE', `${file === '-' ? 'stdin' : file} is not an approval: ${error.reason}.`, {
      hint: 'aip approve <intent>',
    });
  }
}

/**
 * The document with the request that is named beside it: for an envelope, which carries none, or an intent that was signed without one.
 * @throws Failure USAGE for an intent that names another request itself
 */
export function withNamedRequest(submission: Submission, approvalRequest: string | undefined): Submission {
  if (approvalRequest === undefined) return submission;
  const named = documentIn(submission.bytes)?.approvalRequest ?? null;
  if (named === null || named === approvalRequest) return { ...submission, approvalRequest };
  throw new Failure('USAGE', `The intent names the request ${named} itself, and not ${approvalRequest}.`, {
    hint: `sign it again: aip intent sign ... --approval-request ${approvalRequest}`,
  });
}

/** Null for what is no document; the verification says what it is instead. */
export function documentIn(bytes: Uint8Array | string): AcceptedDocument | null {
  return readOrNull(() => acceptedDocument(bytes));
}

/** What an approval is held against: a decision, and the document that it is about. */
export interface Unapproved {
  readonly decision: Decision;
  readonly submission: Submission;
  /** False where others were judged beside it, whose approval this may be. */
  readonly alone: boolean;
}

/** Who gave an approval, and is told that one is needed, is told as well why this one does not count. */
export function explainUnapproved(
  cli: Scene,
  given: readonly GivenApproval[],
  deps: Pick<VerifierDeps, 'pins' | 'state' | 'fleet'>,
  judged: Unapproved,
): void {
  if (judged.decision.error_message !== NATIVE_CODES.APPROVAL_REQUIRED.name) return;
  for (const { approval, source } of given) {
    const problem = isExact(approval) ? exactProblem(approval, judged, deps) : answerProblem(approval, judged, deps);
    if (problem !== null) cli.warn(`${source} does not count: ${clean(problem)}.`, 'approval_refused');
  }
}

function exactProblem(
  approval: Approval,
  { decision: { agent_id: agentId, intent_hash: intentHash }, alone }: Unapproved,
  { pins }: Pick<VerifierDeps, 'pins'>,
): string | null {
  if (agentId === null || intentHash === null) return null;
  if (!alone && approval.document.intent_hash !== intentHash) return null;
  return approvalProblem(approval, { agentId, intentHash }, pins) ?? OF_ONE_INTENT;
}

const OF_ONE_INTENT =
  "it is of one exact intent, which counts where the passport names no approvers, by a key that is not revoked and not the agent's own";

/** Null as well for an answer that the decision itself says does not count, or that counts where more are needed. */
function answerProblem(
  { document }: ActionApproval,
  { decision: { details }, submission, alone }: Unapproved,
  { state, fleet = null }: Pick<VerifierDeps, 'state' | 'fleet'>,
): string | null {
  const { request_id: id } = document;
  const ofAction = document.action_hash === details?.action_hash;
  const named = submission.approvalRequest ?? documentIn(submission.bytes)?.approvalRequest ?? null;
  if (!ofAction && named !== id) return alone ? 'it is for another action' : null;
  if (named === null) return `no request is named: have it signed with --approval-request ${id}, or name it so here`;
  if (named !== id) return `it answers the request ${id}, and the intent names ${named}`;
  const unknown = fleet === null && state.look((ledger) => ledger.approvalRequest(id)) === null;
  return unknown ? `this verifier has raised no request ${id}` : null;
}
