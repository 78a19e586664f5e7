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

/** The ledger of one transaction that began at `head`, until `over` says that it ended. */
export function ledgerOf(tables: LedgerTables, head: LogHeadRow, over: () => boolean): Ledger {
  const {
    agents,
    approvals,
    conduct,
    directory,
    documents,
    floors,
    folding,
    judged,
    log,
    nonces,
    outcomes,
    releases,
    random,
    windows,
    verifier,
    clock,
  } = tables;
  let pruned = false;
  // Nobody else writes while the transaction lasts, and a batch is mostly of one agent.
  const floorsKnown = new Map<string, readonly PassportFloor[]>();
  const open = (): void => {
    if (over()) throw new Error('the transaction is over');
  };
  return {
    nonceRecord(agentId, nonce) {
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
    folding() {
      open();
      return folding.read();
    },
    setFolding(now) {
      open();
      folding.set(now);
    },
    countFolded(agentId, code, at) {
      open();
      const known = directory.passport(agentId) !== null || agents.isHeldToSomething(agentId);
      conduct.countFolded(known ? agentId : null, code, at);
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
    approvalRequest(id) {
      open();
      return approvals.find(id);
    },
    requestOf(actionHash, now) {
      open();
      return approvals.ofAction(actionHash, now);
    },
    pendingRequests(agentId, now) {
      open();
      return approvals.pending(agentId, now);
    },
    requests(which, now) {
      open();
      return approvals.list(which, now);
    },
    requestsForMesh(now) {
      open();
      return approvals.forMesh(now);
    },
    toldMesh(id, stage) {
      open();
      approvals.toldMesh(id, stage);
    },
    openRequest(request) {
      open();
      approvals.open(request, clock?.() ?? request.expiresAt - request.ttlMs);
    },
    spendRequest(id, at, intentHash) {
      open();
      approvals.spend(id, at, intentHash);
    },
    answerRequest(answer, publicKey, at) {
      open();
      return approvals.answer(answer, publicKey, at);
    },
    standing(subject) {
      open();
      return directory.standing(subject);
    },
    floors(agentId) {
      open();
      let known = floorsKnown.get(agentId);
      if (known === undefined) floorsKnown.set(agentId, (known = floors.of(agentId)));
      return known;
    },
    spokenNames(key) {
      open();
      return floors.spokenNames(key);
    },
    addSpokenName(key, agentId) {
      open();
      floors.addSpokenName(key, agentId);
    },
    raiseFloor(floor) {
      open();
      floorsKnown.delete(floor.agentId);
      floors.raise(floor);
    },
    token() {
      open();
      return toHex(random(16));
    },
    append(draft, aside) {
      open();
      const { sent = null, passport = null, document = null, token = null, releasable = null } = aside ?? {};
      if (passport !== null) judged.keep(passport.hash, passport.text);
      const entry = log.append(head, verifier, draft, { sent, token: token === null ? null : tokenMark(token) });
      conduct.count(agents.findOrAdd(entry.agent_id), entry);
      if (document !== null) documents.keep(entry.seq, document);
      if (releasable !== null) releases.add(entry.seq, releasable);
      return entry;
    },
    appendOutcome(draft, acceptedAt) {
      open();
      const entry = log.appendRecord(head, verifier, { type: 'outcome', ...draft });
      const final = !draft.claimed && draft.status !== 'unknown';
      outcomes.add(draft.of, entry.seq, final);
      if (final) conduct.countEnded(agents.findOrAdd(draft.agent_id), acceptedAt, draft.status === 'ok');
      return entry;
    },
    appendInterrupted(draft) {
      open();
      return log.appendRecord(head, verifier, { type: 'interrupted', ...draft });
    },
    isLogged(intentHash, settledAs) {
      open();
      return outcomes.isLogged(intentHash, settledAs, head);
    },
    releasable(seq) {
      open();
      return releases.find(seq);
    },
    releasedSince(agentId, currency, after) {
      open();
      return releases.since(agentId, currency, after);
    },
    giveBack(seq, at) {
      open();
      const found = releases.find(seq);
      if (found === null) throw new Error('what was counted is given back once');
      windows.giveBack(agents.findOrAdd(found.agentId), found);
      releases.mark(seq, at);
    },
    appendErasure(draft) {
      open();
      return log.appendRecord(head, verifier, { type: 'erasure', ...draft });
    },
    decision(seq) {
      open();
      return outcomes.decision(seq);
    },
    acceptedAs(intentHash) {
      open();
      return outcomes.acceptedAs(intentHash, head);
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
export function lookingLedgerOf(tables: LedgerTables, head: LogHeadRow, over: () => boolean): Ledger {
  const { agents, windows } = tables;
  const ledger = ledgerOf(tables, head, over);
  const write = (): never => {
    throw new Error('a look writes nothing');
  };
  return {
    ...ledger,
    read: (agentId, meter, now) => {
      // Throws when the look is over.
      ledger.forgottenUntil(now);
      return windows.read(agents.find(agentId), meter, now);
    },
    spendNonce: write,
    recordUsage: write,
    markRefused: write,
    setFolding: write,
    countFolded: write,
    raiseFloor: write,
    addSpokenName: write,
    openRequest: write,
    spendRequest: write,
    answerRequest: write,
    append: write,
    appendOutcome: write,
    appendInterrupted: write,
    appendErasure: write,
    prune: write,
  };
}
