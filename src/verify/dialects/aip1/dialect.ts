/** The envelope of RFC-001 as a dialect (`aip-1`). */
import { isAip1, readEnvelope, VersionError, type Envelope, type Tier } from '../../../protocol/aip1/envelope.js';
import type { Mandate } from '../../../protocol/aip1/mandate.js';
import { principalOfAgent } from '../../../protocol/identity/did.js';
import type { Intent } from '../../../protocol/intent.js';
import type { Passport } from '../../../protocol/passport.js';
import { verifySignature, type VerifyKey } from '../../../protocol/ed25519/verify.js';
import { formatPublicKey } from '../../../protocol/identity/keys.js';
import { issuerOf } from '../../checks/issuer.js';
import { warningsOfConstraints } from '../../checks/constraints.js';
import { degradedWarnings, revocationReport, STANDING_UNKNOWN } from '../../checks/revocation.js';
import type { Facts, SignatureQuestion } from '../../context.js';
import {
  failed,
  type CheckReport,
  type RevocationReport,
  type Verdict,
  type Violation,
  type Warning,
} from '../../decision.js';
import { signingKeyId } from '../../believed-keys.js';
import type { Asking, Concluded, Dialect, InForce, ProvenDocument, ReadDocument, Speaker } from '../../dialect.js';
import { leavesNonce } from '../../nonce-spending.js';
import { runChecks, type Findings } from '../../pipeline.js';
import { endOf, MAX_LIFETIME_MS } from './checks/form.js';
import { mandate, mandateSigner } from './checks/mandate.js';
import { firstQuestion, holderPassport, holds, passportViolation, signature, signersOf } from './checks/signature.js';
import type { Aip1Claim, Aip1Context, Reading } from './context.js';
import { intentOf } from './native-view.js';
import { AIP1_STEPS, BEFORE_HOOKS, FORM, SHAPE, SUBSTANCE } from './pipeline.js';
import { usageOfEnvelope } from './spending.js';
import { NO_ENVELOPE_TRUST } from './trust.js';

/** Length of an HMAC-SHA256; a signature has twice as many. */
const HMAC_BYTES = 32;

/** The AIP-1 dialect. */
export const AIP1: Dialect = {
  name: 'aip-1',
  steps: AIP1_STEPS,
  reads: isAip1,
  read: ({ exact }) => {
    let envelope: Envelope;
    try {
      envelope = readEnvelope(exact());
    } catch (error) {
      if (error instanceof VersionError) return { refused: shapeOf({ status: 'version', found: error.found }) };
      throw error;
    }
    return new ReadEnvelope(envelope);
  },
  malformed: (reason, offset) => shapeOf({ status: 'malformed', reason, offset }),
  // An envelope may be in force longer than an intent of the native dialect is fresh.
  presentableForMs: ({ maxAgeMs }) => Math.max(maxAgeMs, MAX_LIFETIME_MS),
  circumstances: ['AIP-E101', 'AIP-E203', 'AIP-E204', 'AIP-E404', 'AIP-E501'],
  fitsEntry: false,
};

function shapeOf(reading: Reading): Findings {
  return runChecks(SHAPE, reading);
}

class ReadEnvelope implements ReadDocument {
  readonly intent: Intent;
  readonly #envelope: Envelope;

  constructor(envelope: Envelope) {
    this.#envelope = envelope;
    this.intent = intentOf(envelope);
  }

  get sharesKey(): boolean {
    return this.#envelope.proof?.length === HMAC_BYTES;
  }

  signedWith(key: VerifyKey): boolean {
    const { proof } = this.#envelope;
    return proof !== null && holds(this.#envelope, (text) => verifySignature(key, text, proof));
  }

  question({ trusting }: Asking): SignatureQuestion | null {
    const { publicKey, boundKey } = trusting.envelopes ?? NO_ENVELOPE_TRUST;
    const { agentId } = this.#envelope;
    return firstQuestion(this.#envelope, trusting.passport(agentId), boundKey?.(agentId) ?? publicKey);
  }

  prove(asking: Asking): ProvenDocument {
    const claim = claimOf(this.#envelope, asking);
    const form = runChecks(FORM, claim, shapeOf({ status: 'read', envelope: this.#envelope }).reports);
    return form.violations.length > 0
      ? new RefusedEnvelope(form)
      : new JudgedEnvelope(claim, this.intent, form.reports);
  }
}

function claimOf(envelope: Envelope, { trusting, within, policy, signatureHolds, now }: Asking): Aip1Claim {
  const {
    publicKey,
    boundKey,
    sharedKey,
    mandate: given,
    requireMandate,
    minTier,
    registry,
  } = trusting.envelopes ?? NO_ENVELOPE_TRUST;
  const { agentId } = envelope;
  const bound = boundKey?.(agentId) ?? null;
  return {
    envelope,
    finding: trusting.passport(agentId),
    pins: trusting.pins,
    publicKey: bound ?? publicKey,
    unbound: bound === null,
    sharedKey: sharedKey(agentId),
    mandate: given(agentId),
    limits: within === null ? [] : [within],
    policy: { ...policy, requireMandate, minTier, registry },
    signatureHolds,
    now,
  };
}

/** An envelope whose form was refused, so that no signature was looked at. */
class RefusedEnvelope implements ProvenDocument {
  readonly speaker = null;
  readonly #form: Findings;

  constructor(form: Findings) {
    this.#form = form;
  }

  refusesBeforeHooks(): boolean {
    return true;
  }

  conclude(): Concluded {
    return {
      outcome: this.#form,
      revocation: STANDING_UNKNOWN,
      warnings: [],
      effects: null,
      inForce: null,
      spoke: null,
    };
  }
}

/**
 * An envelope whose signature and mandate were judged. A signature that does not hold is reported in its place, after replay, as the
 * reference does; until then it only means that nothing is believed.
 */
class JudgedEnvelope implements ProvenDocument {
  readonly speaker: Speaker | null;
  readonly #claim: Aip1Claim;
  readonly #intent: Intent;
  readonly #form: readonly CheckReport[];
  readonly #tier: Tier;
  readonly #passport: Passport | null;
  readonly #signature: Verdict;
  readonly #mandate: Verdict;

  constructor(claim: Aip1Claim, intent: Intent, form: readonly CheckReport[]) {
    const standing = holderPassport(claim);
    this.#claim = claim;
    this.#intent = intent;
    this.#form = form;
    this.#passport = standing !== null && 'passport' in standing ? standing.passport : null;
    this.#tier = Math.max(claim.envelope.tier, claim.policy.minTier) as Tier;
    this.#signature = signature(claim, standing, this.#tier);
    const holds = this.#signature.status === 'passed';
    // A mandate is not worth a verification before the envelope is.
    this.#mandate = holds ? mandate(claim) : this.#signature;
    this.speaker = holds ? { passport: this.#passport } : null;
  }

  refusesBeforeHooks(facts: Facts): boolean {
    return this.#replaced(facts) !== null || runChecks(BEFORE_HOOKS, this.#context(facts)).violations.length > 0;
  }

  conclude(facts: Facts): Concluded {
    const gone = this.#replaced(facts);
    if (gone !== null) {
      const context = { ...this.#context(facts), signature: gone, mandateVerdict: gone };
      const outcome = runChecks(SUBSTANCE, context, this.#form);
      return { outcome, revocation: STANDING_UNKNOWN, warnings: [], effects: null, inForce: null, spoke: null };
    }
    const passport = this.#passport;
    const context = this.#context(facts);
    const inForce = passport === null ? null : this.#inForce(passport, context);
    const outcome = runChecks(SUBSTANCE, context, this.#form);
    if (this.speaker === null)
      return { outcome, revocation: STANDING_UNKNOWN, warnings: [], effects: null, inForce, spoke: null };
    const revocation = standingOf(context);
    return {
      outcome,
      revocation,
      warnings: warningsOf(context, this.#claim, revocation),
      effects: {
        keepUntil: keepUntil(context),
        leavesNonce: leavesNonceHere,
        usage: outcome.violations.length > 0 ? null : usageOfEnvelope(context),
      },
      inForce,
      spoke:
        this.#bareKey === null
          ? null
          : { key: formatPublicKey(this.#bareKey.publicKey), agentId: context.envelope.agentId },
    };
  }

  #inForce(passport: Passport, { believed }: Aip1Context): InForce {
    const signed = this.speaker === null ? undefined : believed.find(({ role }) => role === 'agent');
    const pins = this.#claim.pins(passport.document.principal);
    return { passport, pins, keyId: signed === undefined ? null : signingKeyId(signed) };
  }

  /** The key that proved it, where nothing binds the key to the name it spoke under. */
  get #bareKey(): VerifyKey | null {
    const { unbound, publicKey, envelope } = this.#claim;
    const proved = this.speaker !== null && this.#passport === null && envelope.proof?.length === 64;
    return proved && unbound ? publicKey : null;
  }

  /** The passport was replaced: it proves nothing, and no key that the user names stands in for it. Null where it counts. */
  #replaced(facts: Facts): Verdict | null {
    const passport = this.#passport;
    const gone = passport === null ? null : facts.replaced(passport, this.#claim.pins(passport.document.principal));
    if (gone === null) return null;
    const { message, details } = gone;
    return failed(passportViolation({ problem: message, code: 'MANDATE_INVALID', details }, this.#claim.envelope));
  }

  #context(facts: Facts): Aip1Context {
    const claim = this.#claim;
    const passport = this.#passport;
    const granted =
      this.#mandate.status === 'passed' && claim.mandate.status === 'found' ? claim.mandate.mandate : null;
    return {
      envelope: claim.envelope,
      intent: this.#intent,
      tier: this.#tier,
      signature: this.#signature,
      mandateVerdict: this.#mandate,
      passport,
      mandate: granted,
      believed: [
        ...signersOf(claim, passport),
        ...(passport === null ? [] : [issuerOf(passport, claim.pins)]),
        ...(granted === null ? [] : mandateSigner(claim)),
      ],
      bareKey: this.#bareKey,
      answerable: answerableFor(claim.envelope, passport, granted),
      limits: [...(passport === null ? [] : [passport.constraints]), ...claim.limits],
      policy: claim.policy,
      facts,
    };
  }
}

/** What was spent in 24 hours may have left the window later; the native dialect has a code of its own for it. */
function leavesNonceHere(violation: Violation): boolean {
  const { entry, details } = violation;
  return leavesNonce(violation) && !(entry.name === 'MONETARY_LIMIT' && details['window'] === '24h');
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
  // Where no copy was ever heard of, an agent that is not denied is unknown: that must not hide one that is.
  return reports.find(({ status }) => status === 'revoked' || status === 'suspended') ?? reports[0]!;
}

function warningsOf(context: Aip1Context, { sharedKey }: Aip1Claim, revocation: RevocationReport): Warning[] {
  const { passport, mandate: granted, envelope, bareKey } = context;
  const warnings: Warning[] = [];
  if (envelope.proof?.length === HMAC_BYTES && sharedKey?.ofSeveral === true) {
    warnings.push({
      code: 'shared_key',
      message: `The key that proved the envelope is shared by several agents: each of them can speak as ${envelope.agentId}.`,
    });
  }
  if (passport === null && granted === null) {
    warnings.push({
      code: 'self_declared_boundaries',
      message: `Only ${envelope.agentId} itself says what it may do: neither a passport nor a mandate of it is known here.`,
    });
  }
  if (bareKey !== null && granted === null) {
    warnings.push({
      code: 'unbound_key',
      message: `The key is bound to no agent: its holder chose the name ${envelope.agentId}. To bind it: --public-key ${envelope.agentId}=<key>.`,
    });
  }
  warnings.push(...degradedWarnings(revocation));
  if (passport !== null) warnings.push(...warningsOfConstraints(context));
  return warnings;
}
