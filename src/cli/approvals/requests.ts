/** Requests for approval as commands find, show and print them. */
import { Failure } from '../../app/failure.js';
import type { RequestRecord } from '../../app/ports/state.js';
import { isRequestId } from '../../protocol/approvals/approval.js';
import { readApprovalRequest, type ApprovalRequest } from '../../protocol/approvals/request.js';
import { foldedText } from '../../protocol/constraints/folded.js';
import { canonicalize } from '../../protocol/json/canonical.js';
import { ShapeError } from '../../protocol/json/shape.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { markConfusable } from '../../protocol/naming/confusable.js';
import { formatTime } from '../../protocol/time.js';
import { localState } from '../../workspace/state.js';
import type { Surroundings } from '../io.js';
import type { Setting } from '../setting.js';
import { clean, safeText } from '../render/terminal/text.js';

/** Whose state it is, and what time. */
type Scene = Surroundings & Setting;

/** What `--json` prints of a request: stable keys, always present. */
export interface RequestReport {
  readonly request_id: string;
  readonly status: 'pending' | 'approved' | 'spent' | 'denied' | 'expired';
  readonly agent_id: string;
  readonly action: string;
  readonly params: JsonObject;
  readonly target: string | null;
  readonly passport_hash: string | null;
  readonly action_hash: string;
  readonly verifier: string;
  readonly reason: string;
  readonly approvers: readonly string[];
  readonly count: number;
  readonly approved_by: readonly string[];
  readonly denied_by: readonly string[];
  readonly requested_at: string;
  readonly expires_at: string;
  readonly ended_at: string | null;
}

/** How a request stands at `now`, ms since the epoch. */
export function reportOf(record: RequestRecord, now: number): RequestReport {
  const { document } = readApprovalRequest(record.text);
  const by = (decision: 'approve' | 'deny'): readonly string[] => {
    const answers = record.answers.filter(
      (each) => each.document.decision === decision && (decision === 'deny' || now < each.approvedUntil),
    );
    return [...new Map(answers.map(({ document: { approver } }) => [foldedText(approver), approver])).values()];
  };
  const approved_by = by('approve');
  const waits = now < record.expiresAt ? 'pending' : 'expired';
  const open = approved_by.length >= document.count ? 'approved' : waits;
  return {
    request_id: record.id,
    status: record.status === 'open' ? open : record.status,
    agent_id: document.agent_id,
    action: document.action,
    params: document.params,
    target: document.target,
    passport_hash: document.passport_hash,
    action_hash: document.action_hash,
    verifier: document.verifier,
    reason: document.reason,
    approvers: [...new Set(document.approvers.map(({ id }) => id))],
    count: document.count,
    approved_by,
    denied_by: by('deny'),
    requested_at: document.requested_at,
    expires_at: formatTime(record.expiresAt),
    ended_at: record.endedAt === null ? null : formatTime(record.endedAt),
  };
}

/** The requests that this machine keeps, the oldest first. */
export async function requestsHere(cli: Scene, which: 'open' | 'all'): Promise<readonly RequestRecord[]> {
  const state = await localState(cli.workspace);
  return state.look((ledger) => ledger.requests(which, cli.io.now()));
}

/** The request with this id. Fails with USAGE for what is no id, NOT_FOUND for one that is not kept here. */
export async function requestHere(id: string, cli: Scene): Promise<RequestRecord> {
  if (!isRequestId(id))
    throw new Failure('USAGE', 'The id of a request for approval is 32 lower-case hex digits.', {
      hint: 'aip approvals list',
    });
  const state = await localState(cli.workspace);
  const found = state.look((ledger) => ledger.approvalRequest(id));
  if (found !== null) return found;
  throw new Failure('NOT_FOUND', `This machine keeps no request ${id}.`, {
    hint: 'aip approvals list --all, on the machine that verifies',
  });
}

/** The request in a file. Fails with UNREADABLE for another document. */
export function requestIn(bytes: Uint8Array, source: string): ApprovalRequest {
  try {
    return readApprovalRequest(bytes);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new Failure('UNREADABLE', `${source} is not a request for approval: ${error.reason}.`, {
      hint: 'aip approvals show <id> --json',
    });
  }
}

/** Exactly what is approved: every param in canonical order, nothing cut, what may be taken for something else marked. */
export function shownRequest(report: RequestReport): string {
  const params = JSON.stringify(JSON.parse(canonicalize(report.params)), null, 2);
  const rows: [string, string][] = [
    ['request', report.request_id],
    ['status', report.status],
    ['agent', report.agent_id],
    ['action', report.action],
    ['target', report.target ?? '-'],
    ['why', report.reason],
    ['approvers', `${report.approvers.join(', ')} (${report.count} needed)`],
    ['approved', report.approved_by.join(', ') || '-'],
    ['denied', report.denied_by.join(', ') || '-'],
    ['expires', report.expires_at],
    ['hash', report.action_hash],
  ];
  const lines = rows.map(([label, value]) => `  ${label.padEnd(11)}${markConfusable(clean(value))}`);
  const shown = markConfusable(safeText(params)).split('\n');
  return [...lines, '  params', ...shown.map((line) => `    ${line}`)].join('\n');
}
