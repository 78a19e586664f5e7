/**
 * What a document asks of a shared memory, found by judging it on an empty one: the rules are in the judge alone. An empty memory is the
 * best case, as checks only ever refuse more with a past; so what is asked there is all that can matter.
 */
import type { RequestRecord } from '../../../verify/approvals/approving.js';
import type { Recall, SpentNonce } from '../../../verify/context.js';
import type { Meter, MeterReading, Usage } from '../../../verify/meters.js';
import { traitsOf } from '../../../protocol/constraints/counted-names.js';
import type { FleetClaim, Obstacle } from '../../ports/fleet-memory.js';
import type { Memory, OpenedRequest } from '../../ports/state.js';
import { settleDocument } from '../settle.js';
import type { PreparedDocument, Sitting } from '../sitting.js';

/**
 * What this machine remembers by itself, and the requests for approval that were brought here. That one was spent is known to all. A nonce that was spent here is spent, whatever has become of the database since.
 */
export type OwnMemory = Pick<Recall, 'nonceRecord' | 'approvalRequest' | 'requestOf' | 'pendingRequests'>;

type Asked = { readonly kind: 'meter'; readonly meter: Meter } | { readonly kind: 'request'; readonly id: string };

/** A memory in which nothing was before, but for the windows and requests that `stands` names by their place. */
class Forecast implements Memory {
  readonly asked: Asked[];
  since: number | null = null;
  looked = false;
  spent: { readonly as: string; readonly seen: number; readonly keepUntil: number } | null = null;
  usage: Usage | null = null;
  request: string | null = null;
  raises: OpenedRequest | null = null;
  readonly #own: OwnMemory;
  readonly #stands: (place: number) => boolean;

  constructor(own: OwnMemory, asked: Asked[], stands: (place: number) => boolean) {
    this.#own = own;
    this.asked = asked;
    this.#stands = stands;
  }

  nonceRecord(agentId: string, nonce: string): SpentNonce | null {
    this.looked = true;
    return this.#own.nonceRecord(agentId, nonce);
  }

  forgottenUntil(since: number): number {
    this.since = Math.min(this.since ?? Infinity, since);
    return 0;
  }

  read(_: string, meter: Meter): MeterReading {
    const full = this.#stands(this.#place({ kind: 'meter', meter }));
    if (meter.kind === 'sum') return { kind: 'sum', spent: full ? meter.limit + 1n : 0n };
    return { kind: 'count', used: full ? meter.limit : 0, roomAt: null };
  }

  approvalRequest(id: string): RequestRecord | null {
    const request = this.#own.approvalRequest(id);
    if (request?.status !== 'open') return request;
    return this.#stands(this.#place({ kind: 'request', id })) ? spentRequest(request) : request;
  }

  /** Whether one waits already is known where it is raised. */
  requestOf(): null {
    return null;
  }

  pendingRequests(): { readonly agent: number; readonly all: number } {
    return { agent: 0, all: 0 };
  }

  spendNonce(_: string, __: string, seen: number, as: string, keepUntil: number): void {
    this.spent = { as, seen, keepUntil };
  }

  recordUsage(usage: Usage): void {
    this.usage = usage;
  }

  openRequest(request: OpenedRequest): void {
    this.raises = request;
  }

  spendRequest(id: string): void {
    this.request = id;
  }

  #place(asked: Asked): number {
    const found = this.asked.findIndex((each) => sameAsked(each, asked));
    return found < 0 ? this.asked.push(asked) - 1 : found;
  }
}

/** The same request, as it is after its approval was used; when that was is not known. */
export function spentRequest(request: RequestRecord): RequestRecord {
  return { ...request, status: 'spent', endedAt: null };
}

/**
 * The claim of a document; null for one that asks nothing of the memory. `sitting` is what it will be judged over, but for its memory;
 * nothing that the judge writes there may be kept.
 */
export function claimOf(
  sitting: Sitting,
  prepared: PreparedDocument,
  own: OwnMemory,
  at: number | null,
): FleetClaim | null {
  const asked: Asked[] = [];
  const judge = (stands: (place: number) => boolean) => {
    const memory = new Forecast(own, asked, stands);
    const { judgement, releasable } = settleDocument({ ...sitting, memory }, prepared);
    const { violations, outcome_token: token } = judgement.decision;
    const release = releasable === null || token === null ? null : { token, mostMinor: releasable.mostMinor };
    return { memory, release, codes: violations.map(({ error_code }) => error_code) };
  };
  const { memory: free, release } = judge(() => false);
  const { intent } = prepared;
  const { agent_id: agentId, nonce } = intent.document;
  const { usage, spent, request, raises } = free;
  if (!free.looked && free.since === null && asked.length === 0 && raises === null) return null;
  const { wallNow, dryRun } = sitting;
  const found = dryRun ? [] : asked.map((_, i) => judge((place) => place === i));
  // One that stands alone is told by its own code; of several the one that the judge names first.
  const order = found.length < 2 ? [] : judge(() => true).codes;
  const places = asked
    .map((_, i) => i)
    .sort((a, b) => rank(order, found[a]?.codes[0]) - rank(order, found[b]?.codes[0]) || a - b);
  const spending = [free, ...found.map(({ memory }) => memory)].flatMap(({ spent }) => spent ?? []);
  const keepUntil = Math.max(wallNow, ...spending.map((each) => each.keepUntil));
  return {
    agentId,
    nonce,
    intentHash: intent.hash,
    keepUntil,
    keepMs: keepUntil - wallNow,
    since: free.since,
    at,
    obstacles: places.map((i): Obstacle => ({ ...asked[i]!, spendsAs: found[i]?.memory.spent?.as ?? null })),
    free:
      spent === null
        ? null
        : {
            spendsAs: spent.as,
            usage:
              usage === null
                ? null
                : {
                    action: usage.action,
                    traits: traitsOf(usage.action),
                    currency: usage.currency,
                    amountMinor: usage.amountMinor,
                  },
            request,
            release,
          },
    raises,
    looks: dryRun,
  };
}

function rank(order: readonly string[], code: string | undefined): number {
  const place = code === undefined ? -1 : order.indexOf(code);
  return place < 0 ? order.length : place;
}

function sameAsked(a: Asked, b: Asked): boolean {
  if (a.kind === 'request') return b.kind === 'request' && a.id === b.id;
  return b.kind === 'meter' && sameMeter(a.meter, b.meter);
}

/** True for meters that ask the same: what one shows, the other shows. */
export function sameMeter(a: Meter, b: Meter): boolean {
  if (a.windowMs !== b.windowMs || a.limit !== b.limit) return false;
  if (a.kind === 'sum') return b.kind === 'sum' && a.currency === b.currency && a.asked === b.asked;
  return b.kind === 'count' && a.word === b.word && sameActions(a.actions, b.actions);
}

function sameActions(a: readonly string[] | null, b: readonly string[] | null): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((name, i) => name === b[i]);
}
