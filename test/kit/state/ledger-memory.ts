/**
 * The memory of a fleet as it is meant, over the ledger of one state: what `settle` does in SQL, in a few lines. Whoever shares the state
 * shares the memory.
 */
import type { Claim, FleetMemory, SettledBatch, SettledClaim } from '../../../src/app/ports/fleet-memory.js';
import type { Ledger, State } from '../../../src/app/ports/state.js';
import { hasRoom } from '../../../src/verify/meters.js';

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

  async settle(claims: readonly Claim[]): Promise<SettledBatch> {
    const now = this.#clock();
    const settled = this.#state.transact((ledger) => claims.map((claim) => this.#settle(ledger, claim, now)));
    return { now, claims: settled, open: [], logged: () => undefined };
  }

  #settle(ledger: Ledger, claim: Claim, now: number): SettledClaim {
    const { agentId, nonce, obstacles, free, since, looks } = claim;
    const before = ledger.spentNonce(agentId, nonce);
    if (before !== null) return { spentAs: null, before, forgottenUntil: 0, readings: [] };
    const at = claim.at ?? now;
    const readings = obstacles.map((each) =>
      each.kind === 'meter'
        ? ledger.read(agentId, each.meter, at)
        : { kind: 'request' as const, spent: this.#requests.has(each.id) },
    );
    const first = obstacles.find((each, i) => {
      const reading = readings[i]!;
      return each.kind === 'meter'
        ? reading.kind === 'request' || !hasRoom(each.meter, reading)
        : reading.kind === 'request' && reading.spent;
    });
    const forgottenUntil = ledger.forgottenUntil(since ?? 0);
    const forgotten = since !== null && forgottenUntil !== 0 && forgottenUntil >= since;
    const spentAs = looks || forgotten ? null : first === undefined ? (free?.spendsAs ?? null) : first.spendsAs;
    if (spentAs !== null) {
      ledger.spendNonce(agentId, nonce, now, spentAs, Math.max(claim.keepUntil, now + claim.keepMs, now + 600_000));
      if (first === undefined && free?.usage != null) {
        const { action, currency, amountMinor } = free.usage;
        ledger.recordUsage({ agentId, action, at, currency, amountMinor });
      }
      if (first === undefined && free?.request != null) this.#requests.add(free.request);
    }
    return { spentAs, before: null, forgottenUntil, readings };
  }

  health(): Promise<never> {
    return Promise.reject(new Error('nothing to reach'));
  }

  async close(): Promise<void> {}
}
