/** A call that needs a person: asked once, answered by a function of the caller or elsewhere, and signed afresh when it was. */
import { readActionApproval, type ActionApproval } from '../../protocol/approvals/approval.js';
import { readApprovalRequest, type ApprovalRequestDocument } from '../../protocol/approvals/request.js';
import { ShapeError } from '../../protocol/json/shape.js';
import type { Judgement } from '../../verify/judge.js';
import { Failure } from '../failure.js';
import type { Clock, RequestRecord } from '../ports/state.js';
import type { Desk, GuardedCall } from './desk.js';

/** How persons are asked. */
export interface PersonsAsked {
  /**
   * Brings a request to a person and gives the signed answer back, as `aip approvals approve` makes it; null where there is none. What it
   * gives is judged like any other: it approves nothing by itself.
   */
  readonly approve: ((request: ApprovalRequestDocument) => unknown) | null;
  /** How long to wait for an answer that comes another way, in ms. */
  readonly waitMs: number;
}

/** What waiting stands on. */
export interface PersonsDeps {
  /** The request as this machine keeps it. */
  readonly request: (id: string) => RequestRecord | null;
  /** Looks for answers that are elsewhere. */
  readonly bring: (id: string) => Promise<void>;
  /** Resolves after `ms`, or when no call waits any more. */
  readonly pause: (ms: number) => Promise<void>;
  /** True when the caller goes away. */
  readonly ended: () => boolean;
  readonly clock: Clock;
  /** A clock that never goes back, in microseconds. */
  readonly ticks: () => number;
}

/** How often an answer is looked for, in ms. */
const LOOK_MS = 500;

/**
 * Decides about a call, and where a person's word is all that is missing asks for it, waits, and decides about the same call again, signed
 * afresh. The answer that is not given in time leaves the refusal (E209) as it was.
 * @throws Failure as `Desk.decide`; USAGE where `approve` gives what is no answer
 */
export async function decideWithPersons(
  desk: Pick<Desk, 'decide'>,
  call: GuardedCall,
  { approve, waitMs }: PersonsAsked,
  deps: PersonsDeps,
): Promise<Judgement> {
  const first = await desk.decide(call);
  const id = requestIn(first);
  const record = id === null ? null : deps.request(id);
  if (id === null || record === null || call.approvalRequest !== undefined) return first;
  const again = (answers: readonly ActionApproval[]): Promise<Judgement> =>
    desk.decide({ ...call, approvalRequest: id, answers });
  let last = first;
  if (approve !== null) {
    const { document } = readApprovalRequest(record.text);
    const given: unknown = await approve(document);
    if (given != null) last = await again([answerIn(given)]);
    if (given != null && (last.decision.success || !isPending(last))) return last;
  }
  const until = deps.ticks() + waitMs * 1_000;
  // An answer that was there before the call was made is news to it.
  let seen = 'open';
  for (let waits = false; deps.ticks() < until && !deps.ended(); waits = true) {
    if (waits) await deps.pause(Math.max(1, Math.min(LOOK_MS, (until - deps.ticks()) / 1_000)));
    await deps.bring(id);
    // Nothing is held open any more.
    if (deps.ended()) break;
    const now = deps.request(id);
    if (now === null || deps.clock() >= now.expiresAt) break;
    if (signOf(now) === seen) continue;
    seen = signOf(now);
    last = await again([]);
    if (last.decision.success || now.status !== 'open' || !isPending(last)) return last;
  }
  return last;
}

/** Nothing but a person is missing. */
function isPending({ decision }: Judgement): boolean {
  return decision.error_message === 'APPROVAL_REQUIRED';
}

function requestIn(judgement: Judgement): string | null {
  const id = judgement.decision.details?.request_id;
  return isPending(judgement) && typeof id === 'string' ? id : null;
}

/** Changes with every answer, and with the end. */
function signOf({ status, answers }: RequestRecord): string {
  return [status, ...answers.map(({ document }) => document.signature)].join(' ');
}

function answerIn(given: unknown): ActionApproval {
  try {
    return readActionApproval(typeof given === 'string' || given instanceof Uint8Array ? given : JSON.stringify(given));
  } catch (error) {
    if (!(error instanceof ShapeError) && !(error instanceof TypeError)) throw error;
    const why = error instanceof ShapeError ? error.reason : 'it cannot be written as JSON';
    throw new Failure('USAGE', `What "approve" gave is no approval: ${why}.`, {
      hint: 'give what aip approvals approve <id> --json prints, or null',
    });
  }
}
