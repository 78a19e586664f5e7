/**
 * The memory of a fleet as it is meant, over the memory of one machine: what `settle` does in SQL, in a few lines. All who share that memory
 * share this one.
 */
import type { FleetClaim, FleetMemory, SettledBatch, SettledClaim } from '../../../src/app/ports/fleet-memory.js';
import type { Memory, State } from '../../../src/app/ports/state.js';
import { hasRoom } from '../../../src/verify/meters.js';

/** Settles one claim at `now`; `requests` are those used up so far. */
export function settleOn(memory: Memory, claim: FleetClaim, now: number, requests: Set<string>): SettledClaim {
  const { agentId, nonce, obstacles, free, since, looks } = claim;
  const before = memory.spentNonce(agentId, nonce);
  if (before !== null) {
    const { firstSeenAt, firstResult } = before;
    return { spentAs: null, before: { firstSeenAt, firstResult }, forgottenUntil: 0, readings: [] };
  }
  const at = claim.at ?? now;
  const readings = obstacles.map((each) =>
    each.kind === 'meter'
      ? memory.read(agentId, each.meter, at)
      : { kind: 'request' as const, spent: requests.has(each.id) },
  );
  const first = obstacles.find((each, i) => {
    const reading = readings[i]!;
    if (each.kind === 'request') return reading.kind === 'request' && reading.spent;
    return reading.kind === 'request' || !hasRoom(each.meter, reading);
  });
  const forgottenUntil = memory.forgottenUntil(since ?? 0);
  const forgotten = since !== null && forgottenUntil !== 0 && forgottenUntil >= since;
  const spentAs = looks || forgotten ? null : first === undefined ? (free?.spendsAs ?? null) : first.spendsAs;
  if (spentAs !== null) {
    memory.spendNonce(agentId, nonce, now, spentAs, Math.max(claim.keepUntil, now + claim.keepMs, now + 600_000));
    if (first === undefined && free?.usage != null) {
      const { action, currency, amountMinor } = free.usage;
      memory.recordUsage({ agentId, action, at, currency, amountMinor });
    }
    if (first === undefined && free?.request != null) requests.add(free.request);
  }
  return { spentAs, before: null, forgottenUntil, readings };
}

/** Over the ledger of a state. */
export class LedgerMemory implements FleetMemory {
  readonly #state: Pick<State, 'transact'>;
  readonly #clock: () => number;
  readonly #requests: Set<string>;

  /** @param requests used up so far, shared by all openings */
  constructor(state: Pick<State, 'transact'>, clock: () => number, requests: Set<string>) {
    this.#state = state;
    this.#clock = clock;
    this.#requests = requests;
  }

  async settle(claims: readonly FleetClaim[]): Promise<SettledBatch> {
    const now = this.#clock();
    const settled = this.#state.transact((ledger) => claims.map((each) => settleOn(ledger, each, now, this.#requests)));
    return { now, claims: settled, open: [], logged: () => undefined };
  }

  health(): Promise<never> {
    return Promise.reject(new Error('nothing to reach'));
  }

  async close(): Promise<void> {}
}
