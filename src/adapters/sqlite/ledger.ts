import type { Clock, Ledger } from '../../app/ports/state.js';
import type { Agents } from './tables/agents.js';
import type { ConductTables } from './tables/conduct.js';
import type { Directory } from './tables/directory.js';
import type { Floors } from './tables/floors.js';
import type { Head } from './tables/head.js';
import type { Log } from './tables/log.js';
import type { Nonces } from './tables/nonces.js';
import type { Windows } from './tables/windows.js';

/** The tables that a transaction works on. */
export interface LedgerTables {
  readonly agents: Agents;
  readonly conduct: ConductTables;
  readonly directory: Directory;
  readonly floors: Floors;
  readonly log: Log;
  readonly nonces: Nonces;
  readonly windows: Windows;
  /** The name that entries are given. */
  readonly verifier: string;
  readonly clock: Clock | undefined;
}

/** The ledger of one transaction that began at `head`, until `over` says that it ended. */
export function ledgerOf(tables: LedgerTables, head: Head, over: () => boolean): Ledger {
  const { agents, conduct, directory, floors, log, nonces, windows, verifier, clock } = tables;
  let pruned = false;
  const open = (): void => {
    if (over()) throw new Error('the transaction is over');
  };
  return {
    spentNonce(agentId, nonce) {
      open();
      return nonces.find(agentId, nonce);
    },
    spendNonce(agentId, nonce, firstSeenAt, firstResult, keepUntil) {
      open();
      nonces.spend(head, agentId, nonce, firstSeenAt, firstResult, keepUntil);
    },
    markRefused(agentId, intentHash, at, keepUntil) {
      open();
      return nonces.mark(head, agentId, intentHash, at, keepUntil);
    },
    forgottenUntil() {
      open();
      return head.forgotten;
    },
    read(agentId, meter, now) {
      open();
      return windows.read(agents.findOrAdd(agentId), meter, now);
    },
    recordUsage(usage) {
      open();
      windows.record(head, agents.findOrAdd(usage.agentId), usage);
    },
    standing(subject) {
      open();
      return directory.standing(subject);
    },
    floors(agentId) {
      open();
      return floors.of(agentId);
    },
    raiseFloor(floor) {
      open();
      floors.raise(floor);
    },
    append(draft) {
      open();
      const entry = log.append(head, verifier, draft);
      conduct.count(agents.findOrAdd(entry.agent_id), entry);
      return entry;
    },
    prune(now) {
      open();
      if (pruned) return;
      pruned = true;
      const settled = clock === undefined ? now : Math.min(now, clock());
      nonces.prune(head, settled);
      windows.prune(settled);
    },
  };
}

/** A ledger to be read: an agent that it has never heard of is not added, and whatever writes throws. */
export function lookingLedgerOf(tables: LedgerTables, head: Head, over: () => boolean): Ledger {
  const { agents, windows } = tables;
  const ledger = ledgerOf(tables, head, over);
  const write = (): never => {
    throw new Error('a look writes nothing');
  };
  return {
    ...ledger,
    read: (agentId, meter, now) => {
      // Throws when the look is over.
      ledger.forgottenUntil();
      return windows.read(agents.find(agentId), meter, now);
    },
    spendNonce: write,
    recordUsage: write,
    markRefused: write,
    raiseFloor: write,
    append: write,
    prune: write,
  };
}
