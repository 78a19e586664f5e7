/** What a shared memory did, as a memory to judge by: it answers what was read there, and takes no more than was done. */
import type { RequestRecord } from '../../../verify/approvals/approving.js';
import type { SpentNonce } from '../../../verify/context.js';
import type { Meter, MeterReading, Usage } from '../../../verify/meters.js';
import type { FleetClaim, SettledClaim } from '../../ports/fleet-memory.js';
import type { Memory } from '../../ports/state.js';
import { adopt, sharedRecord, type Requests } from './requests.js';
import { sameMeter, spentRequest, type OwnMemory } from './forecast.js';

/** The clock of the memory and this machine's are believed to be one where they differ by no more, in ms. */
const SAME_CLOCK_MS = 2000;

/** The judgement would keep what the fleet was not asked to: what this machine knows has changed since, and it has to be asked anew. */
export class NotSettled extends Error {
  constructor() {
    super('the judgement has changed since the fleet was asked');
    this.name = 'NotSettled';
  }
}

/** Where a settled claim is judged. */
export interface SettledSetting {
  readonly claim: FleetClaim;
  readonly settled: SettledClaim;
  /** The memory's clock when it settled, and this machine's when it was asked, in ms since the epoch. */
  readonly now: number;
  readonly wallNow: number;
  /** What this machine remembers by itself. It keeps what was settled as well, for the day on which it is alone again. */
  readonly own: OwnMemory & Omit<Memory, 'forgottenUntil' | 'read'> & Requests;
}

/** The memory that one settled claim makes. */
export class SettledMemory implements Memory {
  readonly #setting: SettledSetting;
  /** What is to be added to a moment of the memory's clock, so that times from now on are right on this machine. */
  readonly #shift: number;

  constructor(setting: SettledSetting) {
    this.#setting = setting;
    const apart = setting.wallNow - setting.now;
    this.#shift = Math.abs(apart) > SAME_CLOCK_MS ? apart : 0;
  }

  nonceRecord(agentId: string, nonce: string): SpentNonce | null {
    const { settled, own } = this.#setting;
    const { before } = settled;
    return before === null
      ? own.nonceRecord(agentId, nonce)
      : { ...before, firstSeenAt: before.firstSeenAt + this.#shift };
  }

  forgottenUntil(): number {
    return this.#setting.settled.forgottenUntil;
  }

  read(_: string, meter: Meter): MeterReading {
    const { claim, settled } = this.#setting;
    const place = claim.obstacles.findIndex((each) => each.kind === 'meter' && sameMeter(each.meter, meter));
    const reading = settled.readings[place];
    if (reading === undefined || reading.kind === 'request') throw new NotSettled();
    if (reading.kind === 'sum' || reading.roomAt === null || claim.at !== null) return reading;
    return { ...reading, roomAt: reading.roomAt + this.#shift };
  }

  approvalRequest(id: string): RequestRecord | null {
    const { claim, settled, own } = this.#setting;
    const request = own.approvalRequest(id);
    if (request?.status !== 'open') return request;
    const place = claim.obstacles.findIndex((each) => each.kind === 'request' && each.id === id);
    const reading = settled.readings[place];
    return reading?.kind === 'request' && reading.spent ? spentRequest(request) : request;
  }

  /** The one that the fleet has for this action, kept here as well: a person may answer it on any machine. */
  requestOf(actionHash: string, now: number): RequestRecord | null {
    const { claim, settled, own } = this.#setting;
    const { raised } = settled;
    const { raises } = claim;
    if (raises?.actionHash === actionHash && raised?.kind === 'kept') {
      own.openRequest(raises);
      return own.approvalRequest(raises.id);
    }
    // What its verifier did not sign is nobody's request.
    const found = raised?.kind === 'found' ? sharedRecord(raised.request, own) : null;
    if (found?.actionHash !== actionHash) return own.requestOf(actionHash, now);
    adopt(own, found, now);
    return found.endedAt === null ? found : { ...found, endedAt: found.endedAt + this.#shift };
  }

  pendingRequests(agentId: string, now: number): { readonly agent: number; readonly all: number } {
    const { raised } = this.#setting.settled;
    return raised?.kind === 'full' ? raised : this.#setting.own.pendingRequests(agentId, now);
  }

  spendNonce(agentId: string, nonce: string, firstSeenAt: number, firstResult: string, keepUntil: number): void {
    const { claim, settled, own } = this.#setting;
    if (settled.spentAs === null && !claim.looks) throw new NotSettled();
    own.spendNonce(agentId, nonce, firstSeenAt, firstResult, keepUntil);
  }

  recordUsage(usage: Usage): void {
    const { claim, settled, own } = this.#setting;
    if (claim.looks) return own.recordUsage(usage);
    const counted = claim.free?.usage ?? null;
    if (settled.spentAs === null || settled.spentAs !== claim.free?.spendsAs || counted === null)
      throw new NotSettled();
    if (counted.currency !== usage.currency || counted.amountMinor !== usage.amountMinor) throw new NotSettled();
    own.recordUsage(usage);
  }

  openRequest(request: Parameters<Memory['openRequest']>[0]): void {
    this.#setting.own.openRequest(request);
  }

  spendRequest(id: string, at: number, intentHash: string): void {
    const { claim, settled, own } = this.#setting;
    if (!claim.looks && (settled.spentAs === null || claim.free?.request !== id)) throw new NotSettled();
    own.spendRequest(id, at, intentHash);
  }
}

/** The memory of a document that asks nothing of the fleet: where it does after all, it has to be asked about anew. */
export function unasked(own: SettledSetting['own']): Memory {
  const asksAfterAll = (): never => {
    throw new NotSettled();
  };
  return {
    nonceRecord: asksAfterAll,
    forgottenUntil: asksAfterAll,
    read: asksAfterAll,
    spendNonce: asksAfterAll,
    recordUsage: asksAfterAll,
    spendRequest: asksAfterAll,
    approvalRequest: (id) => own.approvalRequest(id),
    requestOf: (actionHash, now) => own.requestOf(actionHash, now),
    pendingRequests: (agentId, now) => own.pendingRequests(agentId, now),
    openRequest: (request) => own.openRequest(request),
  };
}
