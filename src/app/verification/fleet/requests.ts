/**
 * Requests for approval that verifiers share: what another machine raised is read as strictly as what a stranger sends, and counts where
 * the verifier that it names signed it and the operator enrolled that verifier.
 */
import { readActionApproval, type ActionApproval } from '../../../protocol/approvals/approval.js';
import { isVerifierSigned, readApprovalRequest } from '../../../protocol/approvals/request.js';
import { readOrNull } from '../../../protocol/json/shape.js';
import { raisedRecord, type RequestRecord } from '../../../verify/approvals/approving.js';
import { answerSigner, type ApproverPins } from '../../approvals/keep.js';
import type { FleetMemory, SharedAnswer, SharedRequest } from '../../ports/fleet-memory.js';
import type { Ledger } from '../../ports/state.js';

/** Where requests are kept on this machine, and whose answers it believes. */
export type Requests = Pick<Ledger, 'approvalRequest' | 'openRequest' | 'answerRequest'> & ApproverPins;

/** A request as this machine judges by it; null for one that the enrolled verifier did not sign. */
export function sharedRecord(
  { id, verifier, text, spent, deniedAt, answers: texts }: SharedRequest,
  pins: ApproverPins,
): RequestRecord | null {
  const request = readOrNull(() => readApprovalRequest(text));
  if (request?.document.request_id !== id || request.document.verifier !== verifier) return null;
  if (!isVerifierSigned(request)) return null;
  const answers = texts.flatMap((each): ActionApproval[] => {
    const answer = readOrNull(() => readActionApproval(each));
    return answer?.document.request_id === id ? [answer] : [];
  });
  const record: RequestRecord = {
    ...raisedRecord(request),
    expiresAt: Math.max(request.expiresAt, ...answers.map(({ approvedUntil }) => approvedUntil)),
    text,
    answers,
    vouched: true,
  };
  if (spent !== null) return { ...record, status: 'spent', endedAt: spent.at };
  const denied = answers.some(
    (each) => each.document.decision === 'deny' && typeof answerSigner(each, record, pins) === 'object',
  );
  return denied
    ? { ...record, status: 'denied', endedAt: deniedAt ?? Math.max(...answers.map(({ approvedAt }) => approvedAt)) }
    : record;
}

/** The same request as the fleet and as this machine keep it: an end that either knows of counts, and the answers of both. */
export function together(shared: RequestRecord, own: RequestRecord | null): RequestRecord {
  if (own === null) return shared;
  const known = new Set(shared.answers.map(({ document }) => document.signature));
  const more = own.answers.filter(({ document }) => !known.has(document.signature));
  const ended = shared.status === 'open' ? own : shared;
  const { status, endedAt } = ended;
  const expiresAt = Math.max(shared.expiresAt, own.expiresAt);
  return { ...shared, status, endedAt, expiresAt, answers: [...shared.answers, ...more] };
}

/** Keeps on this machine what the fleet has of a request, so that it can be shown, answered and proven here. @param now ms since the epoch */
export function adopt(own: Requests, record: RequestRecord, now: number): void {
  const known = own.approvalRequest(record.id);
  if (known === null) own.openRequest(record);
  const have = new Set(known?.answers.map(({ document }) => document.signature));
  for (const answer of record.answers) {
    const signer = have.has(answer.document.signature) ? null : answerSigner(answer, record, own);
    if (signer !== null && typeof signer === 'object') own.answerRequest(answer, signer.publicKey, now);
  }
}

/** An answer as the fleet is to keep it. */
export function sharedAnswer({
  document,
  approvedUntil,
}: Pick<ActionApproval, 'document' | 'approvedUntil'>): SharedAnswer {
  return {
    requestId: document.request_id,
    text: JSON.stringify(document),
    until: document.decision === 'deny' ? null : approvedUntil,
  };
}

/**
 * What the fleet has of these requests; it is handed the answers of `known` that it has not, where an approver signed them. Rejects with a
 * Failure STATE_UNAVAILABLE.
 */
export async function requestsShared(
  memory: Pick<FleetMemory, 'requests' | 'answer'>,
  ids: readonly string[],
  known: (id: string) => readonly ActionApproval[],
  pins: ApproverPins,
): Promise<ReadonlyMap<string, RequestRecord>> {
  const found = new Map<string, RequestRecord>();
  const unsaid: SharedAnswer[] = [];
  for (const shared of await memory.requests([...new Set(ids)])) {
    const record = sharedRecord(shared, pins);
    if (record === null) continue;
    found.set(record.id, record);
    const have = new Set(record.answers.map(({ document }) => document.signature));
    const more = known(record.id).filter(
      (each) => !have.has(each.document.signature) && typeof answerSigner(each, record, pins) === 'object',
    );
    unsaid.push(...more.map(sharedAnswer));
  }
  await memory.answer(unsaid);
  return found;
}
