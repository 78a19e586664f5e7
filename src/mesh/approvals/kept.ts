/**
 * A request for approval as the mesh keeps it, with the answers to it (protocol, section 5.3). The mesh carries both and signs neither:
 * the verifier that raised the request judges every answer by its own pins, so that a mesh which lies can hold back and never approve.
 */
import { termProblem, type ActionApproval, type ActionApprovalDocument } from '../../protocol/approvals/approval.js';
import { personNamed } from '../../protocol/approvals/person.js';
import type { ApprovalRequest, NamedApprover } from '../../protocol/approvals/request.js';
import { canonicalize } from '../../protocol/json/canonical.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { sha256Hex } from '../../protocol/hash.js';
import { formatTime } from '../../protocol/time.js';

/** Requests that are kept, those that are over included: the oldest of these make room. */
export const MOST_KEPT = 3_000;
/** How long a request that is over is shown, in ms. */
export const KEPT_MS = 24 * 3_600_000;
/** Answers to one request, and their bytes as JSON, so that they fit into one reply. */
export const MOST_ANSWERS = 32;
/** See `MOST_ANSWERS`. */
const MOST_ANSWER_BYTES = 44 * 1024;
/** Largest request that travels: its params are read in one reply. A larger one stays with its verifier. */
export const MAX_APPROVAL_REQUEST_BYTES = 56 * 1024;

/** An answer as it is kept. */
export interface KeptAnswer {
  readonly document: ActionApprovalDocument;
  /** The key that signed it, `ed25519:` and hex; null where the mesh knows no key of the approver and cannot tell. */
  readonly public_key: string | null;
}

/** All but the document itself, which is kept beside it and travels by its hash. */
export interface KeptRequest {
  readonly request_id: string;
  /** `sha256:` and hex over the RFC 8785 bytes of the document. */
  readonly document_hash: string;
  readonly action_hash: string;
  readonly agent_id: string;
  readonly action: string;
  readonly passport_hash: string | null;
  /** Public key of the verifier that raised it. */
  readonly verifier: string;
  readonly approvers: readonly NamedApprover[];
  readonly count: number;
  readonly ttl_s: number;
  /** ms since the epoch. */
  readonly requested_at: number;
  /** ms since the epoch; later than the document says while an approval is in force. */
  readonly expires_at: number;
  /** The API key under which it was handed in: no other ends it. */
  readonly key_id: string;
  readonly status: 'pending' | 'spent' | 'denied';
  /** ms since the epoch; null while it is pending. */
  readonly ended_at: number | null;
  /** Hash of the intent that ran under it; null where none did. */
  readonly intent_hash: string | null;
  readonly answers: readonly KeptAnswer[];
}

/** The words for how a request stands. */
export type RequestStatus = 'pending' | 'approved' | 'spent' | 'denied' | 'expired';

/** A request as it begins. */
export function newRequest({ document, expiresAt }: ApprovalRequest, keyId: string, requestedAt: number): KeptRequest {
  return {
    request_id: document.request_id,
    document_hash: hashOfRequest(document as unknown as JsonObject),
    action_hash: document.action_hash,
    agent_id: document.agent_id,
    action: document.action,
    passport_hash: document.passport_hash,
    verifier: document.verifier,
    approvers: document.approvers,
    count: document.count,
    ttl_s: document.ttl_s,
    requested_at: requestedAt,
    expires_at: expiresAt,
    key_id: keyId,
    status: 'pending',
    ended_at: null,
    intent_hash: null,
    answers: [],
  };
}

/** `sha256:` and hex of a request's document, by which it is asked for. */
function hashOfRequest(document: JsonObject): string {
  return `sha256:${sha256Hex(canonicalize(document))}`;
}

/** Who has approved in a way that still counts, each once; what the verifier will say of it is another question. */
function approversOf(request: KeptRequest, now: number): readonly string[] {
  const counted = request.answers.filter(
    ({ document }) => document.decision === 'approve' && now < Date.parse(document.approved_until),
  );
  return [...new Map(counted.map(({ document: { approver } }) => [personNamed(approver), approver])).values()];
}

/** How a request stands at `now`, ms since the epoch. */
export function statusOf(request: KeptRequest, now: number): RequestStatus {
  if (request.status !== 'pending') return request.status;
  if (!(now < request.expires_at)) return 'expired';
  return approversOf(request, now).length >= request.count ? 'approved' : 'pending';
}

/** What is told of a request to those who may see that it is there: never its params. */
export function summaryOf(request: KeptRequest, version: number, now: number) {
  return {
    request_id: request.request_id,
    status: statusOf(request, now),
    version,
    document_hash: request.document_hash,
    action_hash: request.action_hash,
    agent_id: request.agent_id,
    action: request.action,
    verifier: request.verifier,
    approvers: [...new Set(request.approvers.map(({ id }) => id))].slice(0, 16),
    needed: request.count,
    approved_by: approversOf(request, now).slice(0, 16),
    answers: request.answers.length,
    requested_at: formatTime(request.requested_at),
    expires_at: formatTime(request.expires_at),
    ended_at: request.ended_at === null ? null : formatTime(request.ended_at),
    intent_hash: request.intent_hash,
  };
}

/** Told to everybody who listens: that there is something, never what. */
export function noticeOf(request: KeptRequest, now: number): object {
  return {
    request_id: request.request_id,
    agent_id: request.agent_id,
    verifier: request.verifier,
    action_hash: request.action_hash,
    status: statusOf(request, now),
    approved: approversOf(request, now).length,
    needed: request.count,
    expires_at: formatTime(request.expires_at),
  };
}

/** The request with an answer in the place of an earlier one by the same key; null where there is no room for another. */
export function withAnswer(
  request: KeptRequest,
  { document, approvedUntil }: ActionApproval,
  publicKey: string | null,
  now: number,
): KeptRequest | null {
  const answer: KeptAnswer = { document, public_key: publicKey };
  const name = ({ document: { approver, key_id }, public_key }: KeptAnswer): string =>
    `${approver} ${public_key ?? key_id}`;
  const answers = [...request.answers.filter((each) => name(each) !== name(answer)), answer];
  if (answers.length > MOST_ANSWERS || JSON.stringify(answers).length > MOST_ANSWER_BYTES) return null;
  // What the mesh could not check ends nothing: that is for the verifier to say.
  if (document.decision === 'deny' && publicKey !== null)
    return { ...request, answers, status: 'denied', ended_at: now };
  const until = document.decision === 'approve' ? approvedUntil : 0;
  return { ...request, answers, expires_at: Math.max(request.expires_at, until) };
}

/** Why an answer is not one to this request, in one sentence; null when it may be. Whose signature it is stays open. */
export function misfit(request: KeptRequest, answer: ActionApproval, now: number): string | null {
  const { document, approvedUntil } = answer;
  if (document.verifier !== request.verifier) return 'it is for another verifier';
  if (document.action_hash !== request.action_hash || document.agent_id !== request.agent_id)
    return 'it is for another action';
  if (document.passport_hash !== request.passport_hash) return 'it is for another passport';
  if (!request.approvers.some(({ id }) => id === document.approver)) return 'the request does not name its approver';
  if (document.decision === 'deny') return null;
  if (!(now < approvedUntil)) return `it ended at ${document.approved_until}, and here it is ${formatTime(now)}`;
  return termProblem(answer, request.ttl_s * 1_000, now);
}

/** The text under which a request is kept. */
export function writeKept(request: KeptRequest): string {
  return JSON.stringify(request);
}

/** What was kept by this program. */
export function readKept(text: string): KeptRequest {
  return JSON.parse(text) as KeptRequest;
}
