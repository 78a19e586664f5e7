import type { Clock, Ledger, PassportFloor, Random } from '../../app/ports/state.js';
import { toHex } from '../../protocol/hex.js';
import type { Agents } from './tables/conduct/agents.js';
import type { Approvals } from './tables/approvals.js';
import type { FoldingTable } from './tables/conduct/folding.js';
import type { ConductTables } from './tables/conduct/conduct.js';
import type { Directory } from './tables/passports/directory.js';
import type { Floors } from './tables/passports/floors.js';
import type { LogHeadRow } from './tables/log/head.js';
import type { JudgedPassports } from './tables/passports/judged-passports.js';
import type { Documents } from './tables/log/documents.js';
import type { Log } from './tables/log/log.js';
import type { Releases } from './tables/releases.js';
import { tokenMark, type Outcomes } from './tables/log/outcomes.js';
import type { Nonces } from './tables/nonces.js';
import type { Windows } from './tables/windows.js';

/** The tables that a transaction works on. */
export interface LedgerTables {
  readonly agents: Agents;
  readonly approvals: Approvals;
  readonly conduct: ConductTables;
  readonly directory: Directory;
  readonly documents: Documents;
  readonly floors: Floors;
  readonly folding: FoldingTable;
  readonly judged: JudgedPassports;
  readonly log: Log;
  readonly outcomes: Outcomes;
  readonly releases: Releases;
  readonly nonces: Nonces;
  readonly windows: Windows;
  /** The name that entries are given. */
  readonly verifier: string;
  readonly random: Random;
  readonly clock: Clock | undefined;
}

/** Methods of a ledger that write. A new one belongs here, or the compiler asks `readsOf` for it. */
const WRITES = [
  ...(['spendNonce', 'markRefused', 'setFolding', 'countFolded', 'recordUsage', 'toldMesh', 'openRequest'] as const),
  ...(['spendRequest', 'answerRequest', 'addSpokenName', 'raiseFloor', 'append', 'appendOutcome'] as const),
  ...(['appendInterrupted', 'appendErasure', 'giveBack', 'prune'] as const),
] satisfies readonly (keyof Ledger)[];
type Writes = Pick<Ledger, (typeof WRITES)[number]>;
type Reads = Omit<Ledger, keyof Writes>;

/** What one transaction works on. */
interface Session extends LedgerTables {
  readonly head: LogHeadRow;
  /** Nobody else writes while the transaction lasts, and a batch is mostly of one agent. */
  readonly floorsKnown: Map<string, readonly PassportFloor[]>;
}

/** The ledger of one transaction that began at `head`, until `over` says that it ended. */
export function ledgerOf(tables: LedgerTables, head: LogHeadRow, over: () => boolean): Ledger {
  const open = sessionOf(tables, head, over);
  return { ...readsOf(open), ...writesOf(open) };
}

/** A ledger to be read: an agent that it has never heard of is not added, and whatever writes throws. */
export function lookingLedgerOf(tables: LedgerTables, head: LogHeadRow, over: () => boolean): Ledger {
  const open = sessionOf(tables, head, over);
  const write = (): never => {
    throw new Error('a look writes nothing');
  };
  return {
    ...readsOf(open),
    read: (agentId, meter, now) => open().windows.read(open().agents.find(agentId), meter, now),
    ...(Object.fromEntries(WRITES.map((name) => [name, write])) as Record<keyof Writes, () => never>),
  };
}

/** The only way to the tables, so that no method outlives its transaction. */
function sessionOf(tables: LedgerTables, head: LogHeadRow, over: () => boolean): () => Session {
  const session: Session = { ...tables, head, floorsKnown: new Map() };
  return () => {
    if (over()) throw new Error('the transaction is over');
    return session;
  };
}

function readsOf(open: () => Session): Reads {
  return {
    nonceRecord: (agentId, nonce) => open().nonces.find(agentId, nonce),
    folding: () => open().folding.read(),
    forgottenUntil: () => open().head.forgotten,
    read(agentId, meter, now) {
      const { windows, agents } = open();
      return windows.read(agents.findOrAdd(agentId), meter, now);
    },
    approvalRequest: (id) => open().approvals.find(id),
    requestOf: (actionHash, now) => open().approvals.ofAction(actionHash, now),
    pendingRequests: (agentId, now) => open().approvals.pending(agentId, now),
    requests: (which, now) => open().approvals.list(which, now),
    requestsForMesh: (now) => open().approvals.forMesh(now),
    standing: (subject) => open().directory.standing(subject),
    floors(agentId) {
      const { floors, floorsKnown } = open();
      let known = floorsKnown.get(agentId);
      if (known === undefined) floorsKnown.set(agentId, (known = floors.of(agentId)));
      return known;
    },
    spokenNames: (key) => open().floors.spokenNames(key),
    token: () => toHex(open().random(16)),
    isLogged(intentHash, settledAs) {
      const { outcomes, head } = open();
      return outcomes.isLogged(intentHash, settledAs, head);
    },
    releasable: (seq) => open().releases.find(seq),
    releasedSince: (agentId, currency, after) => open().releases.since(agentId, currency, after),
    decision: (seq) => open().outcomes.decision(seq),
    acceptedAs(intentHash) {
      const { outcomes, head } = open();
      return outcomes.acceptedAs(intentHash, head);
    },
  };
}

function writesOf(open: () => Session): Writes {
  let pruned = false;
  return {
    spendNonce(agentId, nonce, firstSeenAt, firstResult, keepUntil) {
      const { nonces, head } = open();
      nonces.spend(head, agentId, nonce, firstSeenAt, firstResult, keepUntil);
    },
    markRefused(agentId, intentHash, at, keepUntil) {
      const { nonces, head } = open();
      return nonces.mark(head, agentId, intentHash, at, keepUntil);
    },
    setFolding: (now) => open().folding.set(now),
    countFolded(agentId, code, at) {
      const { conduct, directory, agents } = open();
      const known = directory.passport(agentId) !== null || agents.isHeldToSomething(agentId);
      conduct.countFolded(known ? agentId : null, code, at);
    },
    recordUsage(usage) {
      const { windows, agents, head } = open();
      windows.record(head, agents.findOrAdd(usage.agentId), usage);
    },
    toldMesh: (id, stage) => open().approvals.toldMesh(id, stage),
    openRequest(request) {
      const { approvals, clock } = open();
      approvals.open(request, clock?.() ?? request.expiresAt - request.ttlMs);
    },
    spendRequest: (id, at, intentHash) => open().approvals.spend(id, at, intentHash),
    answerRequest: (answer, publicKey, at) => open().approvals.answer(answer, publicKey, at),
    addSpokenName: (key, agentId) => open().floors.addSpokenName(key, agentId),
    raiseFloor(floor) {
      const { floors, floorsKnown } = open();
      floorsKnown.delete(floor.agentId);
      floors.raise(floor);
    },
    append(draft, aside) {
      const { agents, conduct, documents, head, judged, log, releases, verifier } = open();
      const { sent = null, passport = null, document = null, token = null, releasable = null } = aside ?? {};
      if (passport !== null) judged.keep(passport.hash, passport.text);
      const entry = log.append(head, verifier, draft, { sent, token: token === null ? null : tokenMark(token) });
      conduct.count(agents.findOrAdd(entry.agent_id), entry);
      if (document !== null) documents.keep(entry.seq, document);
      if (releasable !== null) releases.add(entry.seq, releasable);
      return entry;
    },
    appendOutcome(draft, acceptedAt) {
      const { agents, conduct, head, log, outcomes, verifier } = open();
      const entry = log.appendRecord(head, verifier, { type: 'outcome', ...draft });
      const final = !draft.claimed && draft.status !== 'unknown';
      outcomes.add(draft.of, entry.seq, final);
      if (final) conduct.countEnded(agents.findOrAdd(draft.agent_id), acceptedAt, draft.status === 'ok');
      return entry;
    },
    appendInterrupted(draft) {
      const { head, log, verifier } = open();
      return log.appendRecord(head, verifier, { type: 'interrupted', ...draft });
    },
    appendErasure(draft) {
      const { head, log, verifier } = open();
      return log.appendRecord(head, verifier, { type: 'erasure', ...draft });
    },
    giveBack(seq, at) {
      const { agents, releases, windows } = open();
      const found = releases.find(seq);
      if (found === null) throw new Error('what was counted is given back once');
      windows.giveBack(agents.findOrAdd(found.agentId), found);
      releases.mark(seq, at);
    },
    prune(now) {
      const { clock, head, nonces, windows } = open();
      if (pruned) return;
      pruned = true;
      const settled = clock === undefined ? now : Math.min(now, clock());
      nonces.prune(head, settled);
      windows.prune(settled);
    },
  };
}
