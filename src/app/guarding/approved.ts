/**
 * The approved request of a caller who cannot name it: a model, or a coding agent, asks for the very same action again, and that is the one
 * that a person has approved.
 */
import { actionHash, type AskedAction } from '../../protocol/approvals/action-hash.js';
import type { Clock, RequestRecord, State } from '../ports/state.js';

/** What the search stands on. */
export interface ApprovedDeps {
  readonly state: Pick<State, 'look'>;
  /** Looks for answers that are elsewhere. */
  readonly bring: (id: string) => Promise<void>;
  readonly clock: Clock;
}

/** The id of an open request for exactly this action that has an answer; null where there is none. It approves nothing by itself. */
export async function approvedRequest(asked: AskedAction, deps: ApprovedDeps): Promise<string | null> {
  const hash = actionHash(asked);
  const found = (): RequestRecord | null => {
    const request = deps.state.look((ledger) => ledger.requestOf(hash, deps.clock()));
    return request?.status === 'open' ? request : null;
  };
  const request = found();
  if (request === null) return null;
  if (request.answers.length > 0) return request.id;
  await deps.bring(request.id);
  const now = found();
  return now !== null && now.answers.length > 0 ? now.id : null;
}
