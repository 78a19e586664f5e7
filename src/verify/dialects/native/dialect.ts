/** The guide's flat intent as a dialect (protocol, sections 3 and 4). */
import { verifySignature, type VerifyKey } from '../../../protocol/ed25519/verify.js';
import { readIntent, type Intent } from '../../../protocol/intent.js';
import { ShapeError } from '../../../protocol/json/shape.js';
import type { Passport } from '../../../protocol/passport.js';
import { membersRead, warningsOfConstraints } from '../../checks/constraints.js';
import { issuerOf } from '../../checks/issuer.js';
import { degradedWarnings, revocationReport, STANDING_UNKNOWN } from '../../checks/revocation.js';
import { signingKeyId, type BelievedKey } from '../../believed-keys.js';
import { accountingOf, releaseOf, usageOf } from '../../limits/usage.js';
import type { Facts, PinnedKey, SignatureQuestion } from '../../context.js';
import { violation, type CheckReport, type Violation } from '../../decision.js';
import type { Asking, Concluded, Dialect, InForce, ProvenDocument, ReadDocument, Speaker } from '../../dialect.js';
import { leavesNonce } from '../../nonce-spending.js';
import { runChecks, type Findings } from '../../pipeline.js';
import { rememberedUntil } from '../../retention.js';
import { candidateKeys, signingKeys } from './checks/signature.js';
import type { NativeClaim, Identified } from './context.js';
import { BEFORE_HOOKS, NATIVE_STEPS, WHETHER, WHO } from './pipeline.js';

/** The native dialect. Its shape is tried last, so every document that no other dialect claims is told its mistakes. */
export const NATIVE: Dialect = {
  name: 'native',
  steps: NATIVE_STEPS,
  reads: () => true,
  read: ({ document, rounded }) => {
    // What is signed is the double's own spelling (RFC 8785), and an executor in another language reads the number as it is written.
    if (rounded) throw new ShapeError('a number in it has more digits than can be read exactly; write it as text');
    return new ReadIntent(readIntent(document));
  },
  malformed: (reason, offset) => {
    const found = violation('MALFORMED_INTENT', `This is not an intent: ${reason}.`, {
      reason,
      offset,
      agent_id: null,
    });
    return { reports: [{ check: NATIVE_STEPS[0]!, status: 'failed', reason: found.entry.name }], violations: [found] };
  },
  presentableForMs: ({ maxAgeMs }) => maxAgeMs,
  circumstances: ['AIP-E213', 'AIP-E214', 'AIP-E404', 'AIP-E405'],
  fitsEntry: true,
};

class ReadIntent implements ReadDocument {
  readonly intent: Intent;
  readonly sharesKey = false;

  constructor(intent: Intent) {
    this.intent = intent;
  }

  signedWith(key: VerifyKey): boolean {
    const { signedBytes, signature } = this.intent;
    return signature !== null && verifySignature(key, signedBytes, signature);
  }

  question({ trusting, now }: Asking): SignatureQuestion | null {
    const { intent } = this;
    const finding = trusting.passport(intent.document.agent_id);
    if (finding.status !== 'found' || intent.signature === null) return null;
    const keys = signingKeys(finding.passport, intent, now);
    const key = Array.isArray(keys) ? keys[0] : undefined;
    return key === undefined ? null : { key, message: intent.signedBytes, signature: intent.signature };
  }

  prove(asking: Asking): ProvenDocument {
    const { intent } = this;
    const { trusting, signatureHolds, now } = asking;
    const finding = trusting.passport(intent.document.agent_id);
    const { maxSkewMs } = asking.policy;
    const claim: NativeClaim = { intent, finding, pins: trusting.pins, signatureHolds, maxSkewMs, now };
    const outcome = runChecks(WHO, claim);
    if (outcome.violations.length > 0 || finding.status !== 'found') {
      return new UnprovenIntent(outcome, inForceOf(claim, outcome.reports));
    }
    return new ProvenIntent(claim, finding.passport, asking, outcome.reports);
  }
}

/** The passport that passed step 1 of these reports. */
function inForceOf({ finding, pins }: NativeClaim, [first]: readonly CheckReport[]): InForce | null {
  if (finding.status !== 'found' || first?.status !== 'passed') return null;
  const { passport } = finding;
  return { passport, pins: pins(passport.document.principal), keyId: null };
}

/** Step 1 refuses after all: what it found in the memory. */
function refusedAsReplaced(found: Violation): Concluded {
  const outcome: Findings = {
    reports: [{ check: NATIVE_STEPS[0]!, status: 'failed', reason: found.entry.name }],
    violations: [found],
  };
  return { outcome, revocation: STANDING_UNKNOWN, warnings: [], effects: null, inForce: null, spoke: null };
}

/** An intent whose sender is not proven. */
class UnprovenIntent implements ProvenDocument {
  readonly speaker = null;
  readonly #refused: Findings;
  readonly #inForce: InForce | null;

  constructor(refused: Findings, inForce: InForce | null) {
    this.#refused = refused;
    this.#inForce = inForce;
  }

  refusesBeforeHooks(): boolean {
    return true;
  }

  conclude(facts: Facts): Concluded {
    const inForce = this.#inForce;
    // Step 1 comes before the signature that was refused.
    const gone = inForce === null ? null : facts.replaced(inForce.passport, inForce.pins);
    if (gone !== null) return refusedAsReplaced(gone);
    return { outcome: this.#refused, revocation: STANDING_UNKNOWN, warnings: [], effects: null, inForce, spoke: null };
  }
}

/** An intent that was signed by a key of the passport that counts. Only `prove` makes one. */
class ProvenIntent implements ProvenDocument, Speaker {
  readonly passport: Passport;
  readonly #claim: NativeClaim;
  readonly #asking: Asking;
  readonly #reports: readonly CheckReport[];

  constructor(claim: NativeClaim, passport: Passport, asking: Asking, reports: readonly CheckReport[]) {
    this.passport = passport;
    this.#claim = claim;
    this.#asking = asking;
    this.#reports = reports;
  }

  get speaker(): Speaker {
    return this;
  }

  refusesBeforeHooks(facts: Facts): boolean {
    if (facts.replaced(this.passport, this.#pins) !== null) return true;
    return runChecks(BEFORE_HOOKS, this.#identified(facts)).violations.length > 0;
  }

  conclude(facts: Facts): Concluded {
    const pins = this.#pins;
    const gone = facts.replaced(this.passport, pins);
    if (gone !== null) return refusedAsReplaced(gone);
    const identified = this.#identified(facts);
    const { intent, passport, limits, policy } = identified;
    const { agent_id, action, timestamp, params } = intent.document;
    const outcome = runChecks(WHETHER, identified, this.#reports);
    const revocation = revocationReport(facts, agent_id, passport.document.principal);
    const accounting = outcome.violations.length > 0 ? null : accountingOf(limits);
    return {
      outcome,
      revocation,
      warnings: outcome.reports.some(({ check }) => check === 'constraints')
        ? [...degradedWarnings(revocation), ...warningsOfConstraints(identified)]
        : degradedWarnings(revocation),
      effects: {
        keepUntil: rememberedUntil(facts.wallNow, timestamp, policy.maxAgeMs),
        leavesNonce,
        usage: accounting === null ? null : usageOf(accounting, params, membersRead(identified)),
        release: accounting === null ? null : releaseOf(limits, action),
      },
      inForce: { passport, pins, keyId: signingKeyId(identified.believed[0]!) },
      spoke: null,
    };
  }

  get #pins(): readonly PinnedKey[] {
    return this.#claim.pins(this.passport.document.principal);
  }

  #identified(facts: Facts): Identified {
    const { passport } = this;
    const { within, policy, meant } = this.#asking;
    const { document } = this.#claim.intent;
    // What is judged is what the tool gets, not the hashes that stand for it.
    const intent =
      meant === null ? this.#claim.intent : { ...this.#claim.intent, document: { ...document, params: meant } };
    const limits = within === null ? [passport.constraints] : [passport.constraints, within];
    return { intent, passport, limits, policy, facts, believed: this.#believed() };
  }

  #believed(): BelievedKey[] {
    const { intent, pins, signatureHolds, now } = this.#claim;
    const { signedBytes, signature } = intent;
    return [
      {
        role: 'agent',
        candidates: candidateKeys(this.passport, intent, now),
        holds: (key) => signature !== null && signatureHolds(key, signedBytes, signature),
      },
      issuerOf(this.passport, pins),
    ];
  }
}
