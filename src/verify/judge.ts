import type { Intent } from '../protocol/intent.js';
import type { Passport } from '../protocol/passport.js';
import type { Concern } from '../protocol/codes.js';
import { formatTime } from '../protocol/time.js';
import { revocationReport, STANDING_UNKNOWN } from './checks/revocation.js';

export { STANDING_UNKNOWN } from './checks/revocation.js';
import type { Claim, Identified } from './context.js';
import {
  violation,
  type CheckReport,
  type Decision,
  type Refusal,
  type RevocationReport,
  type Violation,
  type Warning,
} from './decision.js';
import type { BelievedKey } from './believed-keys.js';
import { issuerOf } from './checks/passport.js';
import { candidateKeys } from './checks/signature.js';
import { runChecks, BEFORE_HOOKS, FROM_HOOKS, STEPS, WHO, type Outcome } from './pipeline.js';

/** A decision, and what its refusal is about; null when it is a yes. */
export interface Judgement {
  readonly decision: Decision;
  readonly concern: Concern | null;
}

/** The agent an intent was proved to come from. Only `identify` makes one. */
export interface Identity {
  readonly passport: Passport;
  readonly reports: readonly CheckReport[];
  /** The signatures on the intent and on the passport. */
  readonly believed: readonly BelievedKey[];
}

/** Steps 1 and 2. */
export function identify(claim: Claim): { readonly identity: Identity } | { readonly refused: Outcome } {
  const outcome = runChecks(WHO, claim);
  if (outcome.violations.length > 0 || claim.finding.status !== 'found') return { refused: outcome };
  const { passport } = claim.finding;
  return { identity: { passport, reports: outcome.reports, believed: believedIn(claim, passport) } };
}

function believedIn({ intent, pins, signatureHolds, now }: Claim, passport: Passport): BelievedKey[] {
  const { signedBytes, signature } = intent;
  return [
    {
      role: 'agent',
      candidates: candidateKeys(passport, intent, now),
      holds: (key) => signature !== null && signatureHolds(key, signedBytes, signature),
    },
    issuerOf(passport, pins),
  ];
}

const WHETHER = [...BEFORE_HOOKS, ...FROM_HOOKS];

/** True when one of steps 3 to 6 refuses, so that no hook is to be asked. */
export function refusesBeforeHooks({ believed }: Identity, given: Omit<Identified, 'believed'>): boolean {
  return runChecks(BEFORE_HOOKS, { ...given, believed }).violations.length > 0;
}

/** Steps 3 to 9. */
export function judge(
  identity: Identity,
  given: Omit<Identified, 'believed'>,
): { outcome: Outcome; revocation: RevocationReport } {
  const context: Identified = { ...given, believed: identity.believed };
  const outcome = runChecks(WHETHER, context, identity.reports);
  const { passport } = context;
  return {
    outcome,
    revocation: revocationReport(context.facts, passport.agent.id, passport.document.principal),
  };
}

export interface DecisionParts {
  readonly intent: Intent;
  readonly outcome: Outcome;
  readonly revocation: RevocationReport;
  readonly warnings: readonly Warning[];
  /** ms since the epoch. */
  readonly now: number;
  readonly source: string | null;
}

/** Puts a decision together. It is a yes only when every step reported and none failed. */
export function decide({ intent, outcome, revocation, warnings, now, source }: DecisionParts): Judgement {
  const { agent_id, action } = intent.document;
  const [first] = outcome.violations;
  const complete = outcome.reports.length === STEPS.length;
  if (first === undefined && !complete) throw new Error('a decision without all of its steps');
  const decision: Decision = {
    success: first === undefined && complete,
    dialect: 'native',
    agent_id,
    action,
    intent_hash: intent.hash,
    error_code: first?.entry.code ?? null,
    error_message: first?.entry.name ?? null,
    message: first?.message ?? `${agent_id} may do "${action}".`,
    details: first?.details ?? null,
    violations: outcome.violations.map(refusalOf),
    checks: withSkipped(outcome.reports),
    revocation,
    warnings,
    verified_at: formatTime(now),
    source,
  };
  return { decision, concern: first?.entry.concern ?? null };
}

/** The decision on something that is no intent at all: E100, with nothing in it believed. */
export function malformed(reason: string, offset: number | null, now: number, source: string | null): Judgement {
  const found = violation('MALFORMED_INTENT', `This is not an intent: ${reason}.`, { reason, offset, agent_id: null });
  const reports: CheckReport[] = [{ check: 'passport', status: 'failed', reason: found.entry.name }];
  const decision: Decision = {
    success: false,
    dialect: 'native',
    agent_id: null,
    action: null,
    intent_hash: null,
    error_code: found.entry.code,
    error_message: found.entry.name,
    message: found.message,
    details: found.details,
    violations: [refusalOf(found)],
    checks: withSkipped(reports),
    revocation: STANDING_UNKNOWN,
    warnings: [],
    verified_at: formatTime(now),
    source,
  };
  return { decision, concern: found.entry.concern };
}

function refusalOf({ entry, details }: Violation): Refusal {
  return { error_code: entry.code, error_message: entry.name, details };
}

function withSkipped(reports: readonly CheckReport[]): readonly CheckReport[] {
  const rest = STEPS.slice(reports.length);
  if (rest.length === 0) return reports;
  return [
    ...reports,
    ...rest.map((check) => ({ check, status: 'skipped' as const, reason: 'an earlier step failed' })),
  ];
}
