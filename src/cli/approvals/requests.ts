/** Requests for approval as commands find, show and print them. */
import { Failure } from '../../app/failure.js';
import type { RequestRecord } from '../../app/ports/state.js';
import { isRequestId } from '../../protocol/approvals/approval.js';
import { readApprovalRequest, type ApprovalRequest } from '../../protocol/approvals/request.js';
import { personNamed } from '../../protocol/approvals/person.js';
import { canonicalize } from '../../protocol/json/canonical.js';
import { ShapeError } from '../../protocol/json/shape.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { markConfusable } from '../../protocol/naming/confusable.js';
import { formatTime } from '../../protocol/time.js';
import { isUnknownThere, requestAtMesh, requestsAtMesh, type SeenRequests } from '../../app/mesh/approvals.js';
import type { MeshEndpoint } from '../../app/ports/mesh.js';
import { parseApiKey } from '../../mesh/access/api-key.js';
import { mayAct } from '../../mesh/access/roles.js';
import { meshLines } from '../../workspace/mesh.js';
import { requestsOfFleet } from '../../workspace/fleet/requests.js';
import { localState, type LocalState } from '../../workspace/state.js';
import { apiKey, meshAccess } from '../mesh/access.js';
import { raisedRecord } from '../../verify/approvals/approving.js';
import type { Surroundings } from '../io.js';
import type { Notices } from '../output.js';
import type { Setting } from '../setting.js';
import { clean, revealed, safeText } from '../render/terminal/text.js';
import { readInput } from '../input/documents.js';
import { looksLikePath } from '../../app/passports/find.js';
import { maskName } from '../../protocol/log/secret-text.js';

/** Whose state it is, and what time. */
type Scene = Surroundings & Setting;

/** A request, and where it is kept. */
export interface FoundRequest {
  readonly record: RequestRecord;
  readonly source: RequestSource;
}

/** `here`: this machine raised it; `fleet`: another one that shares `state.url`; `mesh`: another one, in the mesh's table; `file`: it was brought. */
export type RequestSource = 'here' | 'fleet' | 'mesh' | 'file';

/** What `--json` prints of a request: stable keys, always present. */
export interface RequestReport {
  readonly request_id: string;
  readonly source: RequestSource;
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
export function reportOf({ record, source }: FoundRequest, now: number): RequestReport {
  const { document } = readApprovalRequest(record.text);
  const by = (decision: 'approve' | 'deny'): readonly string[] => {
    const answers = record.answers.filter(
      (each) => each.document.decision === decision && (decision === 'deny' || now < each.approvedUntil),
    );
    return [...new Map(answers.map(({ document: { approver } }) => [personNamed(approver), approver])).values()];
  };
  const approved_by = by('approve');
  const waits = now < record.expiresAt ? 'pending' : 'expired';
  const open = approved_by.length >= document.count ? 'approved' : waits;
  return {
    request_id: record.id,
    source,
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

/** The requests of this machine, and those of the mesh that its API key may read. */
export interface FoundRequests {
  readonly requests: readonly FoundRequest[];
  /** Why the mesh was not heard, though there is one to ask; null otherwise. */
  readonly trouble: Failure | null;
}

/** The oldest first, each once. */
export async function requestsFound(
  cli: Scene,
  which: 'open' | 'all',
  seen: SeenRequests = new Map(),
): Promise<FoundRequests> {
  const state = await localState(cli.workspace);
  const here = state.look((ledger) => ledger.requests(which, cli.io.now()));
  const known = new Set(here.map(({ id }) => id));
  const found: FoundRequest[] = here.map((record) => ({ record, source: sourceOf(record, state) }));
  try {
    const shared = await requestsOfFleet(cli.workspace, await stateUrl(cli), [...known]);
    for (const [i, { record, source }] of found.entries()) {
      const now = shared.get(record.id);
      if (now !== undefined) found[i] = { record: now, source };
    }
    const lines = await approverLines(cli);
    const there = lines === null ? [] : await requestsAtMesh(lines, which, seen);
    for (const record of there) if (!known.has(record.id)) found.push({ record, source: 'mesh' });
    return { requests: found, trouble: null };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { requests: found, trouble: error };
  }
}

/** The request with this id, here or at the mesh. Fails with USAGE for what is no id, NOT_FOUND for one that is kept nowhere, NETWORK. */
export async function requestFound(id: string, cli: Scene): Promise<FoundRequest> {
  if (!isRequestId(id))
    throw new Failure('USAGE', 'The id of a request for approval is 32 lower-case hex digits.', {
      hint: 'aip approvals list',
    });
  const state = await localState(cli.workspace);
  const own = state.look((ledger) => ledger.approvalRequest(id));
  const here = await sharedOr(own, id, cli);
  if (here !== null) return { record: here, source: sourceOf(here, state) };
  const lines = await approverLines(cli);
  try {
    if (lines !== null) return { record: await requestAtMesh(lines, id), source: 'mesh' };
  } catch (error) {
    if (!isUnknownThere(error)) throw error;
  }
  throw new Failure(
    'NOT_FOUND',
    `${lines === null ? 'This machine keeps' : 'This machine and its mesh keep'} no request ${id}.`,
    {
      hint: 'aip approvals list --all, on the machine that verifies',
    },
  );
}

/** A request as the fleet has it. What is kept here is shown and answered also while the database does not answer. */
async function sharedOr(own: RequestRecord | null, id: string, cli: Scene): Promise<RequestRecord | null> {
  try {
    return (await requestsOfFleet(cli.workspace, await stateUrl(cli), [id])).get(id) ?? own;
  } catch (error) {
    if (own === null || !(error instanceof Failure)) throw error;
    return own;
  }
}

/** The database that this machine shares with others; null where it shares none. */
export async function stateUrl(cli: Setting): Promise<string | null> {
  return (await cli.config()).get('state.url');
}

function sourceOf({ verifier }: RequestRecord, { verifierKey }: LocalState): RequestSource {
  return verifier === verifierKey().publicKey ? 'here' : 'fleet';
}

/** Lines to the mesh of one who may answer requests; null where this machine belongs to none, or its API key may not. */
export function approverLines(cli: Scene): Promise<readonly MeshEndpoint[] | null> {
  return cli.workspace.once('lines of an approver', async () => {
    const access = await meshAccess(cli);
    if (access === null) return null;
    const key = await apiKey(cli, {});
    const role = parseApiKey(key)?.role;
    return role === undefined || mayAct(role, 'approver') ? meshLines(cli.workspace, access, key) : null;
  });
}

/** The bytes of a request that is given as a file. What has the look of neither is most likely an id that was cut. */
export async function requestBytes(what: string, cli: Surroundings & Notices): Promise<Uint8Array> {
  try {
    return await readInput(what, cli);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'NOT_FOUND' || looksLikePath(what)) throw error;
    throw new Failure(
      error.code,
      `No request has the id ${maskName(what)}, of 32 hex digits, and no file is named so.`,
      {
        hint: 'aip approvals list --all',
        cause: error,
      },
    );
  }
}

/** The request in a file. Fails with UNREADABLE for another document. */
export function requestIn(bytes: Uint8Array, source: string): ApprovalRequest {
  try {
    return readApprovalRequest(bytes);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new Failure('UNREADABLE', `${source} is not a request for approval: ${error.reason}.`, {
      hint: 'aip approvals show <id> --json | jq .request > request.json',
    });
  }
}

/** A request that came in a file, as it would be kept. */
export function broughtRequest(request: ApprovalRequest): FoundRequest {
  return { record: raisedRecord(request), source: 'file' };
}

/** Exactly what is approved: every param in canonical order, nothing cut, what may be taken for something else marked. */
export function shownRequest(report: RequestReport): string {
  const params = JSON.stringify(JSON.parse(canonicalize(report.params)), null, 2);
  const rows: [string, string][] = [
    ['request', report.request_id],
    ['status', report.status],
    ['asked by', `${report.source === 'here' ? 'this machine' : 'the verifier'} ${report.verifier}`],
    ['agent', report.agent_id],
    ['action', report.action],
    ['target', report.target === null ? '-' : revealed(report.target)],
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
