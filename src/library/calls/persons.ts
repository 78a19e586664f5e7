import { approvedRequest } from '../../app/guarding/approved.js';
import type { AskedAction } from '../../protocol/approvals/action-hash.js';
import { decideWithPersons } from '../../app/guarding/persons.js';
import type { Desk, GuardedCall } from '../../app/guarding/desk.js';
import type { ActionApprovalDocument } from '../../protocol/approvals/approval.js';
import type { ApprovalRequestDocument } from '../../protocol/approvals/request.js';
import type { Judgement } from '../../verify/judge.js';
import { Failure, usage } from '../../app/failure.js';
import { fleetUrl } from '../../workspace/fleet/memory.js';
import { bringRequest } from '../../workspace/fleet/requests.js';
import { localState } from '../../workspace/state.js';
import type { LocalWorkspace } from '../../workspace/workspace.js';
import type { Mesh } from '../mesh/mesh.js';
import { durationOption, type Duration } from '../options/given.js';
import type { Besides } from './under-way.js';

/** How a call that needs a person gets one. */
export interface ApprovalOptions {
  /**
   * Called with each request: brings it to a person, and resolves to the signed answer as `aip approvals approve <id> --json` prints it, or
   * to null. It decides nothing: an answer that does not count is no answer.
   */
  readonly approve?: (
    request: ApprovalRequestDocument,
  ) => ActionApprovalDocument | string | null | Promise<ActionApprovalDocument | string | null>;
  /**
   * How long a call waits for an answer that comes another way: `aip approvals approve` on this machine, or through the mesh. Default:
   * not at all; the call is refused with AIP-E209, whose details name the request.
   */
  readonly waitForApproval?: Duration;
}

/** The names of `ApprovalOptions`. */
export const APPROVAL_OPTION_NAMES = ['approve', 'waitForApproval'] as const;
const MOST_WAIT_MS = 24 * 3_600_000;

/** Fails on options that cannot be used. @throws Failure USAGE */
export function checkApprovalOptions({ approve, waitForApproval }: ApprovalOptions): void {
  if (approve !== undefined && typeof approve !== 'function')
    throw usage('"approve" is not a function.', 'approve: async (request) => approval');
  if (waitForApproval !== undefined && durationOption(waitForApproval, 'waitForApproval') > MOST_WAIT_MS)
    throw usage('"waitForApproval" is 24h at most.');
}

/** Persons, for the calls of a workspace. */
export class Persons {
  readonly #workspace: LocalWorkspace;
  readonly #mesh: Pick<Mesh, 'relay'>;
  /** What ends each pause before its time. */
  readonly #pauses = new Set<() => void>();
  #ended = 0;

  constructor(workspace: LocalWorkspace, mesh: Pick<Mesh, 'relay'>) {
    this.#workspace = workspace;
    this.#mesh = mesh;
  }

  /** As `Desk.decide`, with the persons that the options name. */
  async decide(
    desk: Pick<Desk, 'decide'>,
    call: GuardedCall,
    { approve, waitForApproval }: ApprovalOptions,
    besides: Besides,
  ): Promise<Judgement> {
    if (approve === undefined && waitForApproval === undefined) return desk.decide(call);
    const { world } = this.#workspace;
    const state = await localState(this.#workspace);
    const begun = this.#ended;
    return decideWithPersons(
      desk,
      call,
      {
        approve: approve === undefined ? null : (request) => besides(async () => approve(request)),
        waitMs: waitForApproval === undefined ? 0 : durationOption(waitForApproval, 'waitForApproval'),
      },
      {
        request: (id) => state.look((ledger) => ledger.approvalRequest(id)),
        bring: (id) => this.#bring(id),
        pause: (ms) => this.#pause(ms),
        ended: () => this.#ended !== begun,
        clock: world.clock,
        ticks: world.ticks,
      },
    );
  }

  /** The request for exactly this action that has an answer; null where there is none. */
  async approved(asked: AskedAction): Promise<string | null> {
    return approvedRequest(asked, {
      state: await localState(this.#workspace),
      bring: (id) => this.#bring(id),
      clock: this.#workspace.world.clock,
    });
  }

  /** Looks for answers at the mesh, and at those who share the database. What cannot be heard now is asked again, or decided without. */
  async #bring(id: string): Promise<void> {
    await this.#mesh.relay()?.answersTo([id]);
    try {
      await bringRequest(this.#workspace, fleetUrl(this.#workspace), id);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
    }
  }

  /** Calls that wait are refused now. */
  close(): void {
    this.#ended++;
    for (const end of this.#pauses) end();
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        stop();
        this.#pauses.delete(end);
        resolve();
      };
      const stop = this.#workspace.world.after(ms, end);
      this.#pauses.add(end);
    });
  }
}
