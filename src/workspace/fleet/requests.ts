/** Requests for approval that this machine shares with a fleet: brought here, and answered for all. */
import type { RequestRecord } from '../../app/ports/state.js';
import { adopt, requestsShared, sharedAnswer, together } from '../../app/verification/fleet/requests.js';
import { readActionApproval, type ActionApprovalDocument } from '../../protocol/approvals/approval.js';
import { localState } from '../state.js';
import type { LocalWorkspace } from '../workspace.js';
import { fleetAt } from './memory.js';

/** As many ids as one call asks for. */
const AT_ONCE = 256;

/**
 * What the fleet behind a URL has of these requests, put together with what this machine has. Nothing is kept. Rejects with Failure
 * STATE_UNAVAILABLE.
 */
export async function requestsOfFleet(
  workspace: LocalWorkspace,
  url: string | null,
  ids: readonly string[],
): Promise<ReadonlyMap<string, RequestRecord>> {
  const fleet = await fleetAt(workspace, url);
  const found = new Map<string, RequestRecord>();
  if (fleet === null) return found;
  const state = await localState(workspace);
  const own = (id: string): RequestRecord | null => state.look((ledger) => ledger.approvalRequest(id));
  for (let i = 0; i < ids.length; i += AT_ONCE) {
    const shared = await requestsShared(fleet.memory, ids.slice(i, i + AT_ONCE), (id) => own(id)?.answers ?? [], state);
    for (const [id, record] of shared) found.set(id, together(record, own(id)));
  }
  return found;
}

/** Brings what the fleet has of a request to this machine, where it can be answered and waited for. Rejects as `requestsOfFleet`. */
export async function bringRequest(workspace: LocalWorkspace, url: string | null, id: string): Promise<void> {
  const shared = (await requestsOfFleet(workspace, url, [id])).get(id);
  if (shared === undefined) return;
  const state = await localState(workspace);
  const { clock } = workspace.world;
  state.transact((ledger) => adopt({ ...ledger, pins: (did) => state.pins(did) }, shared, clock()));
}

/** Hands an answer to the fleet behind a URL, for all its verifiers. Rejects as `requestsOfFleet`. */
export async function shareAnswer(
  workspace: LocalWorkspace,
  url: string | null,
  document: ActionApprovalDocument,
): Promise<void> {
  const fleet = await fleetAt(workspace, url);
  await fleet?.memory.answer([sharedAnswer(readActionApproval(JSON.stringify(document)))]);
}
