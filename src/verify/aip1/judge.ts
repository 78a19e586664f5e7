import { isAip1, readEnvelope, VersionError, type Envelope, type Tier } from '../../protocol/aip1/envelope.js';
import type { Mandate } from '../../protocol/aip1/mandate.js';
import type { Value } from '../../protocol/aip1/encoding/numbers.js';
import type { Intent } from '../../protocol/intent.js';
import { principalOfAgent } from '../../protocol/identity/did.js';
import type { Concern } from '../../protocol/codes.js';
import type { Passport } from '../../protocol/passport.js';
import { ShapeError } from '../../protocol/json/shape.js';
import { formatTime } from '../../protocol/time.js';
import { degradedWarnings, revocationReport, STANDING_UNKNOWN } from '../checks/revocation.js';
import type { CheckReport, Decision, RevocationReport, Verdict, Violation, Warning } from '../decision.js';
import { spendsNonce } from '../finality.js';
import type { Usage } from '../meters.js';
import { runChecks, type Outcome } from '../pipeline.js';
import { endOf } from './checks/form.js';
import { issuerOf } from '../checks/passport.js';
import { mandate, mandateSigner } from './checks/mandate.js';
import { passportOf, signature, signersOf, type Standing } from './checks/signature.js';
import { intentOf } from './native-view.js';
import { envelopeOf, type Aip1Claim, type Aip1Context, type Aip1Facts, type Reading } from './context.js';
import { AIP1_STEPS, BEFORE_HOOKS, FORM, SUBSTANCE } from './pipeline.js';
import { usageOfEnvelope } from './spending.js';

export { isAip1 };

/** Reads a parsed document as an envelope; whatever is wrong with it is a finding, not an error. */
export function readingOf(document: Value): Reading {
  try {
    return { status: 'read', envelope: readEnvelope(document) };
  } catch (error) {
    if (error instanceof VersionError) return { status: 'version', found: error.found };
    if (error instanceof ShapeError) return { status: 'malformed', reason: error.reason, offset: null };
    throw error;
  }
}

/** What was found before the transaction. Only `examine` makes one. */
export interface Examined {
  readonly claim: Aip1Claim;
  /** The envelope as hooks, approvals, shared checks and the log know it; null when it could not be read. */
  readonly intent: Intent | null;
  readonly form: Outcome;
  /** Null when the form was refused, so that no signature was looked at. */
  readonly proven: {
    readonly signature: Verdict;
    readonly mandate: Verdict;
    readonly standing: Standing;
    readonly tier: Tier;
  } | null;
}

/** The steps that need no state, and the arithmetic of those that have to wait for their turn. */
export function examine(claim: Aip1Claim): Examined {
  const form = runChecks(FORM, claim);
  const { reading } = claim;
  const intent = reading.status === 'read' ? intentOf(reading.envelope) : null;
  if (form.violations.length > 0) return { claim, intent, form, proven: null };
  const standing = passportOf(claim);
  const tier = Math.max(envelopeOf(claim).tier, claim.policy.minTier) as Tier;
  const verdict = signature(claim, standing, tier);
  // A mandate is not worth a verification before the envelope is.
  const granted: Verdict = verdict.status === 'passed' ? mandate(claim) : verdict;
  return { claim, intent, form, proven: { signature: verdict, mandate: granted, standing, tier } };
}

export interface Aip1Judgement {
  readonly decision: Decision;
  readonly concern: Concern | null;
  /** The nonce to spend, and until when (ms since the epoch) it must be remembered; null when it stays open. */
  readonly spend: { readonly nonce: string; readonly keepUntil: number } | null;
  /** What to count; null when refused, or when nothing asks. */
  readonly usage: Pick<Usage, 'currency' | 'amountMinor'> | null;
}

/** True when a step before the hooks refuses, so that none is to be asked. */
export function refusesBeforeHooks({ claim, intent, proven }: Examined, facts: Aip1Facts): boolean {
  if (proven === null || intent === null) return true;
  return runChecks(BEFORE_HOOKS, contextOf(claim, intent, proven, facts)).violations.length > 0;
}

/** The remaining steps, inside the transaction. `facts` is null for a document whose form was refused. */
export function judgeEnvelope(examined: Examined, facts: Aip1Facts | null, source: string | null): Aip1Judgement {
  const { claim, intent, form, proven } = examined;
  if (proven === null || facts === null || intent === null) {
    return { ...decisionOf(claim, form, STANDING_UNKNOWN, [], source), spend: null, usage: null };
  }
  const context = contextOf(claim, intent, proven, facts);
  const outcome = runChecks(SUBSTANCE, context, form.reports);
  const identified = proven.signature.status === 'passed';
  const revocation = identified ? standingOf(context) : STANDING_UNKNOWN;
  const judgement = decisionOf(claim, outcome, revocation, identified ? warningsOf(context, revocation) : [], source);
  return {
    ...judgement,
    spend:
      identified && spends(judgement.decision)
        ? { nonce: context.envelope.entropy, keepUntil: keepUntil(context) }
        : null,
    usage: judgement.decision.success ? usageOfEnvelope(context) : null,
  };
}

/** As in the native dialect, where a cap of 24 hours has a name of its own. */
function spends({ success, violations }: Decision): boolean {
  const named = violations.map((each) =>
    each.error_message === 'MONETARY_LIMIT' && each.details.window === '24h'
      ? { ...each, error_message: 'DAILY_LIMIT_EXCEEDED' }
      : each,
  );
  return spendsNonce({ success, violations: named });
}

function contextOf(
  claim: Aip1Claim,
  intent: Intent,
  proven: NonNullable<Examined['proven']>,
  facts: Aip1Facts,
): Aip1Context {
  const { standing } = proven;
  const passport = standing !== null && 'passport' in standing ? standing.passport : null;
  const granted = proven.mandate.status === 'passed' && claim.mandate.status === 'found' ? claim.mandate.mandate : null;
  const envelope = envelopeOf(claim);
  return {
    envelope,
    intent,
    tier: proven.tier,
    signature: proven.signature,
    mandateVerdict: proven.mandate,
    passport,
    mandate: granted,
    believed: [
      ...signersOf(claim, passport),
      ...(passport === null ? [] : [issuerOf(passport, claim.pins)]),
      ...(granted === null ? [] : [mandateSigner(claim)]).flat(),
    ],
    answerable: answerableFor(envelope, passport, granted),
    limits: [...(passport === null ? [] : [passport.constraints]), ...claim.limits],
    policy: claim.policy,
    facts,
    now: claim.now,
  };
}

/** Remembered until the envelope is out of force by the wall clock, wherever `--at` moved the other: `replay` counts on it. */
function keepUntil({ envelope, policy, facts }: Aip1Context): number {
  return Math.max(facts.wallNow + 2 * policy.maxAgeMs, endOf(envelope) + policy.maxSkewMs);
}

/**
 * The principal that the passport proves, the issuer of the mandate, the principal of the domain that the agent is named in, and the
 * one that the envelope claims: an agent that claims another does not leave its own.
 */
function answerableFor(envelope: Envelope, passport: Passport | null, granted: Mandate | null): string[] {
  const { agentId, principal } = envelope;
  const known = [passport?.document.principal, granted?.issuer, principalOfAgent(agentId) ?? undefined, principal];
  return [...new Set(known.filter((each) => each !== undefined))];
}

function standingOf({ facts, envelope, answerable }: Aip1Context): RevocationReport {
  const reports = answerable.map((principal) => revocationReport(facts, envelope.agentId, principal));
  // Where no copy was ever heard of, whoever is not denied is unknown: that must not hide who is.
  return reports.find(({ status }) => status === 'revoked' || status === 'suspended') ?? reports[0]!;
}

function warningsOf({ passport, mandate: granted, envelope }: Aip1Context, revocation: RevocationReport): Warning[] {
  const warnings: Warning[] = [];
  if (passport === null && granted === null) {
    warnings.push({
      code: 'self_declared_boundaries',
      message: `Only ${envelope.agentId} itself says what it may do: neither a passport nor a mandate of it is known here.`,
    });
  }
  warnings.push(...degradedWarnings(revocation));
  return warnings;
}

function decisionOf(
  { reading, now }: Aip1Claim,
  { reports, violations }: Outcome,
  revocation: RevocationReport,
  warnings: readonly Warning[],
  source: string | null,
): { readonly decision: Decision; readonly concern: Concern | null } {
  const [first] = violations;
  if (first === undefined && reports.length !== AIP1_STEPS.length)
    throw new Error('a decision without all of its steps');
  const envelope = reading.status === 'read' ? reading.envelope : null;
  const decision: Decision = {
    success: first === undefined && envelope !== null,
    dialect: 'aip-1',
    agent_id: envelope?.agentId ?? null,
    action: envelope?.action ?? null,
    intent_hash: envelope?.hash ?? null,
    error_code: first?.entry.code ?? null,
    error_message: first?.entry.name ?? null,
    message: first?.message ?? `${envelope?.agentId} may do "${envelope?.action}".`,
    details: first?.details ?? null,
    violations: violations.map(({ entry, details }: Violation) => ({
      error_code: entry.code,
      error_message: entry.name,
      details,
    })),
    checks:
      reports.length === AIP1_STEPS.length
        ? reports
        : [...reports, ...AIP1_STEPS.slice(reports.length).map(notReached)],
    revocation,
    warnings,
    verified_at: formatTime(now),
    source,
  };
  return { decision, concern: first?.entry.concern ?? null };
}

function notReached(check: string): CheckReport {
  return { check, status: 'skipped', reason: 'an earlier step failed' };
}
