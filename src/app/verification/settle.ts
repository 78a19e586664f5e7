/** The judgement of a proven document over a memory: one function for a transaction, a look, and a verifier without state. */
import { lazy } from '../../protocol/lazy.js';
import type { Facts, HookOutcome } from '../../verify/context.js';
import type { Warning } from '../../verify/decision.js';
import type { InForce } from '../../verify/dialect.js';
import { spendsNonce } from '../../verify/nonce-spending.js';
import { judgementOf, type Judgement } from '../../verify/judge.js';
import type { Meter, MeterReading } from '../../verify/meters.js';
import type { Findings } from '../../verify/pipeline.js';
import { approvingOf, requestUsed, withRequest } from '../approvals/requests.js';
import type { Memory, Releasable } from '../ports/state.js';
import { raise, rememberSpokenName, replacement } from './replaced.js';
import type { PreparedDocument, Sitting } from './sitting.js';

/** A judgement, and whether it spent the intent's nonce. */
export interface Settled {
  readonly judgement: Judgement;
  readonly spent: boolean;
  /** The passport that it was judged under; null where none was in force. */
  readonly inForce: InForce | null;
  /** True where nothing binds the key to the name it spoke under. */
  readonly unbound: boolean;
  /** What an accepted intent was counted with, where it may be given back; null where it may not. */
  readonly releasable: Releasable | null;
}

/** Judges all remaining steps, and spends and counts in the memory what the judgement says. */
export function settleDocument(sitting: Sitting, prepared: PreparedDocument): Settled {
  const { dialect, intent, proven, submission } = prepared;
  const { memory, now, wallNow } = sitting;
  const facts = factsOf(sitting, prepared);
  const { outcome: found, revocation, warnings, effects, inForce, spoke } = proven.conclude(facts);
  if (inForce !== null) raise(inForce, sitting);
  if (spoke !== null) rememberSpokenName(spoke, sitting);
  // Of an agent that is stopped, and of what would be refused all the same, no person is asked.
  const asks = effects !== null && revocation.status === 'active';
  const requested = asks ? withRequest(found, { sitting, prepared, facts }) : found;
  const outcome = submission.asked === true ? markAsked(requested) : requested;
  const judgement = judgementOf({
    dialect,
    intent,
    outcome,
    revocation,
    warnings: allWarnings(warnings, sitting.warnings, prepared.hooks),
    now,
    source: submission.source,
    outcomeToken: sitting.token,
  });
  if (effects === null || memory === null)
    return { judgement, spent: false, inForce, unbound: spoke !== null, releasable: null };
  const { agent_id: agentId, action, nonce } = intent.document;
  const spent = spendsNonce(outcome, effects.leavesNonce);
  if (spent) {
    const result = judgement.decision.error_code ?? 'accepted';
    memory.spendNonce(agentId, nonce, wallNow, result, effects.keepUntil);
  }
  let releasable: Releasable | null = null;
  if (judgement.decision.success && effects.usage !== null && submission.counted !== false) {
    const { currency, amountMinor } = effects.usage;
    memory.recordUsage({ agentId, action, at: now, currency, amountMinor });
    if (effects.release != null && currency !== null && amountMinor !== null)
      releasable = { agentId, action, at: now, currency, amountMinor, mostMinor: effects.release };
  }
  if (judgement.decision.success) {
    const request = requestUsed({ sitting, prepared, facts });
    if (request !== null) memory.spendRequest(request.id, wallNow, intent.hash);
  }
  return { judgement, spent, inForce, unbound: spoke !== null, releasable };
}

/** A question of the caller's own to its user is no signed approval, and the entry must not look like one. A denial is not asked again. */
function markAsked(outcome: Findings): Findings {
  const [first, ...rest] = outcome.violations;
  if (first?.entry.name !== 'APPROVAL_REQUIRED' || first.details.reason === 'denied') return outcome;
  return { ...outcome, violations: [{ ...first, details: { ...first.details, asked: true } }, ...rest] };
}

const CIRCUIT_OPEN: Warning = {
  code: 'circuit_open',
  message: 'A hook has failed again and again: it was not asked, and what it guards is refused.',
};

function allWarnings(
  own: readonly Warning[],
  others: readonly Warning[],
  hooks: readonly HookOutcome[],
): readonly Warning[] {
  const open = hooks.some((outcome) => outcome.result === 'reject' && outcome.circuitOpen === true);
  return others.length === 0 && !open ? own : [...own, ...others, ...(open ? [CIRCUIT_OPEN] : [])];
}

/** True when a step before the hooks refuses as things stand. */
export function refusesBeforeHooks(sitting: Sitting, prepared: PreparedDocument): boolean {
  return prepared.proven.refusesBeforeHooks(factsOf(sitting, prepared));
}

function factsOf(sitting: Sitting, prepared: PreparedDocument): Facts {
  const { intent, submission, hooks, schemaProblems } = prepared;
  const { memory, dryRun, geo, standing, freshness, now, wallNow, standingNow } = sitting;
  return {
    memory: memory === null ? null : recallOf(memory, dryRun, submission.counted ?? true),
    schemaProblems,
    geo,
    approving: lazy(() => approvingOf(sitting, prepared)),
    hooks,
    standing,
    freshness,
    spokenNames: (key) => sitting.spokenNames(key),
    replaced: (passport, pins) => replacement(passport, pins, sitting),
    trust: () => sitting.trust(intent.document.agent_id),
    now,
    wallNow,
    standingNow,
  };
}

function recallOf(memory: Memory, dryRun: boolean, counted: boolean): Facts['memory'] {
  if (!dryRun && counted) return memory;
  return {
    nonceRecord: (agentId, nonce) => memory.nonceRecord(agentId, nonce),
    read: (agentId, meter, now) => (counted ? memory.read(agentId, meter, now) : NOTHING_COUNTED[meter.kind]),
    forgottenUntil: (...asked) => (dryRun ? 0 : memory.forgottenUntil(...asked)),
    approvalRequest: (id) => memory.approvalRequest(id),
    requestOf: (hash, now) => memory.requestOf(hash, now),
    pendingRequests: (agentId, now) => memory.pendingRequests(agentId, now),
  };
}

/** What goes on with a counted call has its place in every window already. */
const NOTHING_COUNTED: Readonly<Record<Meter['kind'], MeterReading>> = {
  count: { kind: 'count', used: 0, roomAt: null },
  sum: { kind: 'sum', spent: 0n },
};
