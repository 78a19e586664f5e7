/**
 * The memory of a fleet as it is meant, over the memory of one machine: what `settle` does in SQL, in a few lines. All who share that memory
 * share this one.
 */
import type {
  FleetClaim,
  FleetMemory,
  RaisedRequest,
  Release,
  SettledBatch,
  SettledClaim,
  SharedAnswer,
  SharedRequest,
} from '../../../src/app/ports/fleet-memory.js';
import type { Memory, OpenedRequest, State } from '../../../src/app/ports/state.js';
import { hasRoom, type MeterReading } from '../../../src/verify/meters.js';

const DAY = 86_400_000;

interface Kept {
  readonly request: OpenedRequest;
  expiresAt: number;
  deniedAt: number | null;
  readonly answers: string[];
}

interface Counted {
  readonly agentId: string;
  readonly at: number;
  readonly currency: string;
  readonly amount: bigint;
  readonly most: bigint;
  given: number | null;
}

/** What a fleet shares beside nonces and windows. */
export class SharedTables {
  /** Public keys of enrolled verifiers. */
  readonly enrolled = new Set<string>();
  readonly spent = new Map<string, { readonly at: number; readonly intentHash: string }>();
  readonly requests = new Map<string, Kept>();
  readonly counted = new Map<string, Counted>();

  told(id: string): SharedRequest | null {
    const kept = this.requests.get(id);
    if (kept === undefined || !this.enrolled.has(kept.request.verifier)) return null;
    return {
      id,
      verifier: kept.request.verifier,
      text: kept.request.text,
      spent: this.spent.get(id) ?? null,
      deniedAt: kept.deniedAt,
      answers: [...kept.answers],
    };
  }

  raise(request: OpenedRequest, at: number): RaisedRequest | null {
    const unspent = [...this.requests.values()].filter(({ request: { id } }) => !this.spent.has(id));
    const ofAction = unspent.filter(
      (each) => each.request.actionHash === request.actionHash && this.enrolled.has(each.request.verifier),
    );
    const open = ofAction.find(({ deniedAt, expiresAt }) => deniedAt === null && expiresAt > at);
    const denied = ofAction.findLast(({ deniedAt, request: { ttlMs } }) => deniedAt !== null && deniedAt + ttlMs > at);
    const found = (open ?? denied)?.request.id;
    if (found === request.id) return { kind: 'kept' };
    if (found !== undefined) return { kind: 'found', request: this.told(found)! };
    if (!this.enrolled.has(request.verifier)) return null;
    const pending = unspent.filter(({ deniedAt, expiresAt }) => deniedAt === null && expiresAt > at);
    const agent = pending.filter((each) => each.request.agentId === request.agentId).length;
    if (agent >= 20 || pending.length >= 1000) return { kind: 'full', agent, all: pending.length };
    this.requests.set(request.id, { request, expiresAt: at + request.ttlMs, deniedAt: null, answers: [] });
    return { kind: 'kept' };
  }

  answer({ requestId, text, until }: SharedAnswer, now: number): void {
    const kept = this.requests.get(requestId);
    if (kept === undefined) return;
    if (!kept.answers.includes(text)) kept.answers.push(text);
    if (until === null) kept.deniedAt ??= now;
    else kept.expiresAt = Math.max(kept.expiresAt, Math.min(until, now + kept.request.ttlMs));
  }

  release(token: string, now: number): Release {
    const counted = this.counted.get(token);
    if (counted === undefined) return 'unknown';
    if (counted.given !== null) return 'released';
    if (now - counted.at >= DAY) return 'late';
    const same = ({ agentId, currency, given }: Counted): boolean =>
      agentId === counted.agentId && currency === counted.currency && given !== null && given > now - DAY;
    const given = [...this.counted.values()].filter(same).reduce((sum, { amount }) => sum + amount, 0n);
    if (given + counted.amount > counted.most) return 'most';
    counted.given = now;
    return 'released';
  }

  /** What a window holds, without what was given back. */
  reading(agentId: string, meter: Parameters<Memory['read']>[1], at: number, read: MeterReading): MeterReading {
    if (meter.kind !== 'sum' || read.kind !== 'sum') return read;
    const back = [...this.counted.values()].filter(
      (each) =>
        each.given !== null &&
        each.agentId === agentId &&
        each.currency === meter.currency &&
        each.at > at - meter.windowMs,
    );
    return { kind: 'sum', spent: back.reduce((spent, { amount }) => spent - amount, read.spent) };
  }
}

/** Settles one claim at `now`. */
export function settleOn(memory: Memory, claim: FleetClaim, now: number, tables: SharedTables): SettledClaim {
  const { agentId, nonce, intentHash, obstacles, free, since, looks, raises } = claim;
  const before = memory.nonceRecord(agentId, nonce);
  if (before !== null) {
    const { firstSeenAt, firstResult } = before;
    return { spentAs: null, before: { firstSeenAt, firstResult }, forgottenUntil: 0, readings: [], raised: null };
  }
  const at = claim.at ?? now;
  const readings = obstacles.map((each) =>
    each.kind === 'meter'
      ? tables.reading(agentId, each.meter, at, memory.read(agentId, each.meter, at))
      : { kind: 'request' as const, spent: tables.spent.has(each.id) },
  );
  const first = obstacles.find((each, i) => {
    const reading = readings[i]!;
    if (each.kind === 'request') return reading.kind === 'request' && reading.spent;
    return reading.kind === 'request' || !hasRoom(each.meter, reading);
  });
  const forgottenUntil = memory.forgottenUntil(since ?? 0);
  const forgotten = since !== null && forgottenUntil !== 0 && forgottenUntil >= since;
  const spentAs = looks || forgotten ? null : first === undefined ? (free?.spendsAs ?? null) : first.spendsAs;
  const raised = looks || forgotten || first !== undefined || raises === null ? null : tables.raise(raises, at);
  if (spentAs !== null) {
    memory.spendNonce(agentId, nonce, now, spentAs, Math.max(claim.keepUntil, now + claim.keepMs, now + 600_000));
    if (first === undefined && free?.usage != null) {
      const { action, currency, amountMinor } = free.usage;
      memory.recordUsage({ agentId, action, at, currency, amountMinor });
      if (free.release !== null && currency !== null && amountMinor !== null) {
        const { token, mostMinor: most } = free.release;
        tables.counted.set(token, { agentId, at, currency, amount: amountMinor, most, given: null });
      }
    }
    if (first === undefined && free?.request != null) tables.spent.set(free.request, { at: now, intentHash });
  }
  return { spentAs, before: null, forgottenUntil, readings, raised };
}

/** Over the ledger of a state. */
export class LedgerMemory implements FleetMemory {
  readonly #state: Pick<State, 'transact'>;
  readonly #clock: () => number;
  readonly #tables: SharedTables;

  /** @param tables shared by all openings */
  constructor(state: Pick<State, 'transact'>, clock: () => number, tables: SharedTables) {
    this.#state = state;
    this.#clock = clock;
    this.#tables = tables;
  }

  async settle(claims: readonly FleetClaim[]): Promise<SettledBatch> {
    const now = this.#clock();
    const settled = this.#state.transact((ledger) => claims.map((each) => settleOn(ledger, each, now, this.#tables)));
    return { now, claims: settled, open: [], logged: () => undefined };
  }

  async requests(ids: readonly string[]): Promise<readonly SharedRequest[]> {
    return ids.flatMap((id) => this.#tables.told(id) ?? []);
  }

  async answer(answers: readonly SharedAnswer[]): Promise<void> {
    for (const each of answers) this.#tables.answer(each, this.#clock());
  }

  async release(token: string): Promise<Release> {
    return this.#tables.release(token, this.#clock());
  }

  health(): Promise<never> {
    return Promise.reject(new Error('nothing to reach'));
  }

  async close(): Promise<void> {}
}
