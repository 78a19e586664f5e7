/** The judgement of a proven document over a memory: one function for a transaction, a look, and a verifier without state. */
import type { Intent } from '../../protocol/intent.js';
import type { Facts, Freshness, HookOutcome, KnownTrust, SchemaCheck, StandingRecord } from '../../verify/context.js';
import type { Warning } from '../../verify/decision.js';
import type { Dialect, InForce, ProvenDocument } from '../../verify/dialect.js';
import { spendsNonce } from '../../verify/finality.js';
import { decide, type Judgement } from '../../verify/judge.js';
import type { Meter, MeterReading } from '../../verify/meters.js';
import type { Memory } from '../ports/state.js';
import { raise, remember, replacement, type PassportMemory } from './replaced.js';
import type { Submission } from './examine.js';

/** What one or several documents are judged over, all at one moment. */
export interface Sitting extends PassportMemory {
  /** Null for a verifier without state. */
  readonly memory: Memory | null;
  /** As the state knows it now. */
  readonly standing: (subject: string) => StandingRecord | null;
  readonly freshness: Freshness;
  readonly trust: (agentId: string) => KnownTrust | null;
  /** True when a valid approval of exactly this intent was given. */
  readonly approved: (intent: Intent) => boolean;
  /** Country of the request; null when it is not known. */
  readonly geo: string | null;
  /** ms since the epoch. */
  readonly wallNow: number;
  /** What `--at` says, else `wallNow`. */
  readonly now: number;
  /** True where nothing is accepted, so that it does not matter whether a nonce may be forgotten. */
  readonly dryRun: boolean;
  /** Draws a new outcome token, 32 hex digits; null where nothing is recorded that an outcome could be of. */
  readonly token: () => string | null;
  /** Said of every document. */
  readonly warnings: readonly Warning[];
}

/** A document with all that its remaining steps need from outside of the transaction, because it may take time. */
export interface PreparedDocument {
  readonly dialect: Dialect;
  readonly submission: Submission;
  /** Ticks, in microseconds. */
  readonly startedAt: number;
  readonly intent: Intent;
  readonly proven: ProvenDocument;
  readonly hooks: readonly HookOutcome[];
  readonly schemaProblems: SchemaCheck;
}

/** A judgement, and whether it spent the intent's nonce. */
export interface Settled {
  readonly judgement: Judgement;
  readonly spent: boolean;
  /** The passport that it was judged under; null where none was in force. */
  readonly inForce: InForce | null;
}

/** Judges all remaining steps, and spends and counts in the memory what the judgement says. */
export function conclude(sitting: Sitting, prepared: PreparedDocument): Settled {
  const { dialect, intent, proven, submission } = prepared;
  const { memory, now, wallNow } = sitting;
  const { outcome, revocation, warnings, effects, inForce, spoke } = proven.conclude(factsOf(sitting, prepared));
  if (inForce !== null) raise(inForce, sitting);
  if (spoke !== null) remember(spoke, sitting);
  const judgement = decide({
    dialect,
    intent,
    outcome,
    revocation,
    warnings: allWarnings(warnings, sitting.warnings, prepared.hooks),
    now,
    source: submission.source,
    outcomeToken: sitting.token,
  });
  if (effects === null || memory === null) return { judgement, spent: false, inForce };
  const { agent_id: agentId, action, nonce } = intent.document;
  const spent = spendsNonce(outcome, effects.final);
  if (spent) {
    const result = judgement.decision.error_code ?? 'accepted';
    memory.spendNonce(agentId, nonce, wallNow, result, effects.keepUntil);
  }
  if (judgement.decision.success && effects.usage !== null && submission.counted !== false) {
    const { currency, amountMinor } = effects.usage;
    memory.recordUsage({ agentId, action, at: now, currency, amountMinor });
  }
  return { judgement, spent, inForce };
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

function factsOf(sitting: Sitting, { intent, proven, submission, hooks, schemaProblems }: PreparedDocument): Facts {
  const { memory, dryRun, geo, standing, freshness, now, wallNow } = sitting;
  return {
    memory: memory === null ? null : recallOf(memory, dryRun, submission.counted ?? true),
    schemaProblems,
    geo,
    approved: proven.speaker !== null && (sitting.approved(intent) || submission.approved?.(intent) === true),
    hooks,
    standing,
    freshness,
    spokenNames: (key) => sitting.spokenNames(key),
    replaced: (passport, pins) => replacement(passport, pins, sitting),
    trust: () => sitting.trust(intent.document.agent_id),
    now,
    wallNow,
    standingNow: wallNow - Math.max(0, freshness.clockAheadMs ?? 0),
  };
}

function recallOf(memory: Memory, dryRun: boolean, counted: boolean): Facts['memory'] {
  if (!dryRun && counted) return memory;
  return {
    spentNonce: (agentId, nonce) => memory.spentNonce(agentId, nonce),
    read: (agentId, meter, now) => (counted ? memory.read(agentId, meter, now) : NOTHING_COUNTED[meter.kind]),
    forgottenUntil: (...asked) => (dryRun ? 0 : memory.forgottenUntil(...asked)),
  };
}

/** What goes on with a counted call has its place in every window already. */
const NOTHING_COUNTED: Readonly<Record<Meter['kind'], MeterReading>> = {
  count: { kind: 'count', used: 0, roomAt: null },
  sum: { kind: 'sum', spent: 0n },
};
