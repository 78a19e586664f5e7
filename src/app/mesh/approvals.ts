/** Requests for approval at the mesh, as those see them who answer. The mesh is not believed: a request shows what its verifier signed. */
import { partOf } from '../../mesh/document.js';
import { readActionApproval, type ActionApprovalDocument } from '../../protocol/approvals/approval.js';
import { readApprovalRequest } from '../../protocol/approvals/request.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { parseTime } from '../../protocol/time.js';
import { requireSigned } from '../approvals/answer.js';
import type { MeshCall, MeshEndpoint } from '../ports/mesh.js';
import { raisedRecord } from '../../verify/approvals/approving.js';
import type { RequestRecord } from '../ports/state.js';
import { askFirst, everyPage, isRefusedAs, malformed, requireAsked, understood } from './answers.js';

const ANSWER_MS = 5_000;
const PATH = '/v1/mesh/approvals';
const AT_ONCE = 8;

/** Requests by id as they were last fetched: what has not changed is not fetched again. */
export type SeenRequests = Map<string, { readonly version: number; readonly record: RequestRecord }>;

interface Summary {
  readonly id: string;
  readonly version: number;
  readonly status: 'pending' | 'approved' | 'spent' | 'denied' | 'expired';
  readonly answers: number;
  readonly expiresAt: number;
  readonly endedAt: number | null;
}

function ask<T>(
  lines: readonly MeshEndpoint[],
  call: Omit<MeshCall, 'timeoutMs'>,
  read: (answer: JsonObject) => T,
): Promise<T> {
  return askFirst(lines, { ...call, timeoutMs: ANSWER_MS }, read);
}

/** Every request that this API key may read, the oldest first. `seen` is read and filled. */
export async function requestsAtMesh(
  lines: readonly MeshEndpoint[],
  which: 'open' | 'all',
  seen: SeenRequests,
): Promise<readonly RequestRecord[]> {
  const found = await everyPage(lines[0]!, (from) => {
    const target = `${PATH}?status=${which}${from === null ? '' : `&from=${from}`}`;
    return ask(lines, { method: 'GET', target }, (answer) => {
      const { requests, next } = partOf('ApprovalStates', answer, ['requests', 'next']);
      return { items: requests.map(summaryIn), next };
    });
  });
  const records: RequestRecord[] = [];
  for (let i = 0; i < found.length; i += AT_ONCE)
    records.push(...(await Promise.all(found.slice(i, i + AT_ONCE).map((each) => seenOrFetched(lines, each, seen)))));
  return records;
}

async function seenOrFetched(
  lines: readonly MeshEndpoint[],
  summary: Summary,
  seen: SeenRequests,
): Promise<RequestRecord> {
  const known = seen.get(summary.id);
  if (known?.version === summary.version) return known.record;
  const record = await recordOf(lines, summary);
  seen.set(summary.id, { version: summary.version, record });
  return record;
}

/** One request by its id. @throws Failure NOT_FOUND, FORBIDDEN, NETWORK; USAGE for one that its verifier did not sign */
export async function requestAtMesh(lines: readonly MeshEndpoint[], id: string): Promise<RequestRecord> {
  return recordOf(lines, { id, version: 0, status: 'pending', answers: 1, expiresAt: 0, endedAt: null });
}

/** Hands in a signed answer. True where the mesh knew a key of the approver and found that it signed. */
export function sendAnswer(lines: readonly MeshEndpoint[], answer: ActionApprovalDocument): Promise<boolean> {
  const target = `${PATH}/${answer.request_id}/answers`;
  const body = Buffer.from(JSON.stringify(answer));
  const { request_id } = answer;
  return ask(lines, { method: 'POST', target, body }, (value) => {
    const told = partOf('ApprovalState', value, ['request_id', 'checked']);
    requireAsked(told, { request_id });
    return told.checked;
  });
}

async function recordOf(lines: readonly MeshEndpoint[], summary: Summary): Promise<RequestRecord> {
  const { id } = summary;
  const text = await ask(lines, { method: 'GET', target: `${PATH}/${id}` }, JSON.stringify);
  const request = understood(lines[0]!, () => readApprovalRequest(text));
  if (request.document.request_id !== id) throw malformed(lines[0]!, 'it is another request');
  requireSigned(request);
  const { status, answers } =
    summary.answers === 0
      ? { status: summary.status, answers: [] }
      : await ask(lines, { method: 'GET', target: `${PATH}/${id}/answers` }, (answer) => {
          const told = partOf('ApprovalAnswers', answer, ['status', 'answers']);
          return { ...told, answers: told.answers.map((each) => readActionApproval(JSON.stringify(each))) };
        });
  const until = answers.map(({ document, approvedUntil }) => (document.decision === 'approve' ? approvedUntil : 0));
  return {
    ...raisedRecord(request),
    status: status === 'spent' || status === 'denied' ? status : 'open',
    expiresAt: Math.max(summary.expiresAt, request.expiresAt, ...until),
    endedAt: summary.endedAt,
    text,
    answers: answers.filter(({ document }) => document.request_id === id),
  };
}

function summaryIn(value: JsonObject): Summary {
  const members = ['request_id', 'status', 'version', 'answers', 'expires_at', 'ended_at'] as const;
  const { request_id, status, version, answers, expires_at, ended_at } = partOf('ApprovalSummary', value, members);
  const endedAt = ended_at === null ? null : parseTime(ended_at);
  return { id: request_id, status, version, answers, expiresAt: parseTime(expires_at)!, endedAt };
}

/** True for the failure of a request that the mesh does not keep. */
export function isUnknownThere(error: unknown): boolean {
  return isRefusedAs(error, 'NOT_FOUND');
}
