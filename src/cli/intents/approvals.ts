/** `--approval`: what persons said yes to. */
import { Failure } from '../../app/failure.js';
import type { VerifierDeps } from '../../app/verification/intents.js';
import type { ActionApproval } from '../../protocol/approvals/approval.js';
import { isExact, readAnyApproval } from '../../protocol/approvals/any.js';
import type { Approval } from '../../protocol/approvals/exact.js';
import { ShapeError } from '../../protocol/json/shape.js';
import { approvalProblem } from '../../verify/approvals/approved.js';
import type { Judgement } from '../../verify/judge.js';
import { readInput } from '../input/documents.js';
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

/** Who gave an approval, and is told that one is needed, is told as well why this one does not count. */
export function explainUnapproved(
  cli: Scene,
  given: readonly GivenApproval[],
  { pins }: Pick<VerifierDeps, 'pins'>,
  judgements: readonly Judgement[],
): void {
  for (const { decision } of judgements) {
    const { agent_id: agentId, intent_hash: intentHash } = decision;
    if (decision.error_message !== 'APPROVAL_REQUIRED' || agentId === null || intentHash === null) continue;
    for (const { approval, source } of given) {
      if (!isExact(approval)) continue;
      const problem = approvalProblem(approval, { agentId, intentHash }, pins);
      const elsewhere = judgements.length > 1 && approval.document.intent_hash !== intentHash;
      if (problem !== null && !elsewhere) cli.warn(`${source} does not count: ${problem}.`, 'approval_refused');
    }
  }
}
