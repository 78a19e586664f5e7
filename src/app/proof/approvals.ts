/** What persons signed for one decision: as a bundle holds it, and what of it counts for somebody with these keys. */
import { actionHash } from '../../protocol/approvals/action-hash.js';
import { APPROVER_SKEW_MS, type ActionApproval } from '../../protocol/approvals/approval.js';
import { isExact, readAnyApproval } from '../../protocol/approvals/any.js';
import type { Approval } from '../../protocol/approvals/exact.js';
import { isVerifierSigned, readApprovalRequest, type ApprovalRequest } from '../../protocol/approvals/request.js';
import { formatPublicKey } from '../../protocol/identity/keys.js';
import type { Intent } from '../../protocol/intent.js';
import { canonicalize } from '../../protocol/json/canonical.js';
import { JsonError, parseJsonText } from '../../protocol/json/parse.js';
import { ShapeError } from '../../protocol/json/shape.js';
import type { Json, JsonObject } from '../../protocol/json/values.js';
import type { Entry } from '../../protocol/log/entry.js';
import type { Passport } from '../../protocol/passport.js';
import { parseTime } from '../../protocol/time.js';
import { approvalProblem } from '../../verify/approvals/approved.js';
import { problemOf } from '../../verify/approvals/approvals.js';
import { raisedRecord, type ApprovalPolicy, type RequestRecord } from '../../verify/approvals/approving.js';
import type { PinnedKey } from '../../verify/context.js';
import { Failure } from '../failure.js';
import type { State } from '../ports/state.js';
import type { ApprovedBy, ApprovalEvidence } from './report.js';

/**
 * The request that the decision names, its answers, and the approvals `given` that the state does not keep, as a bundle holds them. Nothing where the bundle
 * holds no intent: the request shows every param. Fails with USAGE for one given that is of something else.
 */
export function provenApprovals(
  log: Pick<State, 'look'>,
  entry: Entry,
  intent: JsonObject | null,
  given: readonly (Approval | ActionApproval)[],
): readonly JsonObject[] {
  for (const approval of given) {
    const fits = isExact(approval)
      ? approval.document.intent_hash === entry.intent_hash
      : approval.document.request_id === entry.approval_request;
    if (!fits)
      throw new Failure('USAGE', `The approval given is not one that entry ${entry.seq} ran under.`, {
        hint: 'aip logs tail --json: compare intent_hash and approval_request with it',
      });
  }
  if (intent === null) return [];
  const id = entry.approval_request;
  const record = id === null ? null : log.look((ledger) => ledger.approvalRequest(id));
  const at = parseTime(entry.timestamp) ?? 0;
  const answers = [...(record?.answers ?? []).filter((each) => stoodAt(each, at)), ...given];
  const documents = new Map(answers.map(({ document }) => [document.signature, document as unknown as JsonObject]));
  if (record === null) return [...documents.values()];
  const request: Record<string, Json> = { ...(parseJsonText(record.text) as JsonObject) };
  // The intent and the decision show these as well, and a bundle is small.
  for (const [name, value] of Object.entries(shownBy(intent, entry.passport_hash)))
    if (Object.hasOwn(request, name) && canonicalize(request[name]!) === canonicalize(value)) delete request[name];
  return [request, ...documents.values()];
}

/** Members of a request that a reader takes from the rest of the bundle. */
function shownBy({ agent_id, action, params, target }: JsonObject, passportHash: string | null): JsonObject {
  return {
    agent_id: agent_id ?? null,
    action: action ?? null,
    params: params ?? null,
    target: target ?? null,
    passport_hash: passportHash,
  };
}

/** True for an answer that was given when the decision was made. An approval that was over by then allowed nothing. */
function stoodAt({ document, approvedAt, approvedUntil }: ActionApproval, at: number): boolean {
  return approvedAt <= at + APPROVER_SKEW_MS && (document.decision === 'deny' || at < approvedUntil);
}

/** What the approvals of a bundle are held to. */
export interface Hearing {
  readonly entry: Entry;
  readonly intent: Intent;
  readonly passport: Passport;
  /** ms since the epoch: when it was decided. */
  readonly at: number;
  readonly pins: (principal: string) => readonly PinnedKey[];
  /** The trusted key of the verifier in whose log the decision is shown to be; null where it is not shown. */
  readonly verifier: Uint8Array | null;
  /** All trusted keys of verifiers: of those that share a database, one may decide under a request of another. */
  readonly verifiers: readonly Uint8Array[];
}

/** What counts. */
export interface Heard {
  readonly evidence: ApprovalEvidence;
  readonly by: readonly ApprovedBy[];
  /** Why the first that does not count does not, in one sentence; null when all do. */
  readonly problem: string | null;
}

/** Without a verifier's word. */
export const NO_EVIDENCE: ApprovalEvidence = { verifier: null, request: null, answers: [], exact: [] };

/** Reads the approvals of a bundle and judges each. Without a verifier none is judged: an approval is for one verifier and one time. */
export function hear(documents: readonly JsonObject[], hearing: Hearing): Heard {
  const { verifier, intent, passport } = hearing;
  if (verifier === null || documents.length === 0) return { evidence: NO_EVIDENCE, by: [], problem: null };
  const answers: ActionApproval[] = [];
  const exact: Approval[] = [];
  const by: ApprovedBy[] = [];
  let request: RequestRecord | null = null;
  let asker = formatPublicKey(verifier);
  const none = (problem: string): Heard => ({ evidence: NO_EVIDENCE, by: [], problem });
  try {
    for (const document of documents) {
      if (document['type'] === 'approval-request') {
        if (request !== null) return none('there are two requests');
        const shown = shownBy(intent.document as unknown as JsonObject, passport.hash());
        const found = readApprovalRequest(JSON.stringify({ ...shown, ...document }));
        const problem = requestProblem(found, hearing);
        if (problem !== null) return none(problem);
        request = raisedRecord(found);
        asker = request.verifier;
        continue;
      }
      const approval = readAnyApproval(Buffer.from(JSON.stringify(document)));
      const problem = isExact(approval) ? exactProblem(approval, hearing) : answerProblem(approval, request, hearing);
      if (problem !== null) return none(problem);
      if (isExact(approval)) exact.push(approval);
      else answers.push(approval);
      const { approver, key_id, approved_at } = approval.document;
      by.push({ approver, key_id, approved_at, reason: isExact(approval) ? null : approval.document.reason });
    }
  } catch (error) {
    if (!(error instanceof ShapeError) && !(error instanceof JsonError)) throw error;
    return none(`it cannot be read: ${error.reason}`);
  }
  return { evidence: { verifier: asker, request, answers, exact }, by, problem: null };
}

function requestProblem(request: ApprovalRequest, { entry, intent, passport, verifiers }: Hearing): string | null {
  const { document } = request;
  if (!verifiers.some((each) => formatPublicKey(each) === document.verifier))
    return `the request is of another verifier, whose key was not given: --verifier-key ${document.verifier}`;
  if (!isVerifierSigned(request)) return 'the verifier did not sign the request';
  if (document.request_id !== entry.approval_request) return 'the request is not the one that the decision names';
  if (document.passport_hash !== passport.hash()) return 'the request is of another passport';
  return document.action_hash === hashOf(intent, passport) ? null : 'the request is of another action';
}

function answerProblem(answer: ActionApproval, request: RequestRecord | null, hearing: Hearing): string | null {
  const { intent, passport, at, pins } = hearing;
  const { approver, decision } = answer.document;
  if (request === null) return `the request that ${approver} answers is not in the bundle before the answer`;
  const answered = {
    request,
    answers: [],
    verifier: request.verifier,
    actionHash: hashOf(intent, passport),
    agentId: passport.agent.id,
    principal: passport.document.principal,
    passport,
    pins,
    facts: { standing: () => null, standingNow: at, now: at },
  };
  const problems = policiesOf(passport, request).map((policy) => problemOf(answer, answered, policy));
  if (!problems.includes(null)) return `the answer of ${approver}: ${problems[0]!}`;
  if (answer.approvedAt > at + APPROVER_SKEW_MS) return `the answer of ${approver}: it was given after the decision`;
  return decision === 'deny' ? `${approver} has denied it` : null;
}

/** Whose answers the passport asks for; a hook asks the principal. */
function policiesOf({ constraints }: Passport, { ttlMs }: RequestRecord): readonly ApprovalPolicy[] {
  const rules = constraints.all.flatMap((rule) => (rule.kind === 'approval' ? [rule] : []));
  return rules.length === 0 ? [{ approvers: null, count: 1, ttlMs }] : rules;
}

function exactProblem(approval: Approval, { intent, passport, at, pins }: Hearing): string | null {
  const { approver, action, approved_at } = approval.document;
  const what = { agentId: passport.agent.id, intentHash: intent.hash };
  const problem = approvalProblem(approval, what, pins);
  if (problem !== null) return `the approval of ${approver}: ${problem}`;
  if (action !== intent.document.action) return `the approval of ${approver}: it names another action`;
  const late = parseTime(approved_at)! > at + APPROVER_SKEW_MS;
  return late ? `the approval of ${approver}: it was given after the decision` : null;
}

function hashOf({ document }: Intent, passport: Passport): string {
  const { agent_id, action, params, target = null } = document;
  return actionHash({ agent_id, action, params, target, passport_hash: passport.hash() });
}

/** Who has approved it, as the end of a sentence. */
export function approvedText(by: readonly ApprovedBy[]): string {
  const people = by.map(({ approver, key_id, approved_at }) => `${approver} (${key_id}) at ${approved_at}`);
  return people.length === 0 ? '' : `; approved by ${people.join(', ')}`;
}

/** Why the approvals do not show that it was approved. */
export function unapproved(shown: boolean, isOfNobody: boolean): string {
  if (!shown) return 'A person has to approve it, and the bundle holds no approval (AIP-E209).';
  return isOfNobody
    ? 'A person has to approve it, and for which verifier and when that was done is not shown (AIP-E209): --verifier-key <key>.'
    : 'A person has to approve it, and too few approvals are in the bundle (AIP-E209).';
}
