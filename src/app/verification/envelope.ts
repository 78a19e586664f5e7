/** What `verify-intents.ts` does for an intent, done for an envelope of AIP-1. */
import type { Envelope, Tier } from '../../protocol/aip1/envelope.js';
import { readMandate } from '../../protocol/aip1/mandate.js';
import { parseExact, type Value } from '../../protocol/aip1/encoding/numbers.js';
import type { VerifyKey } from '../../protocol/ed25519/verify.js';
import type { Intent } from '../../protocol/intent.js';
import { JsonError } from '../../protocol/json/parse.js';
import type { Passport } from '../../protocol/passport.js';
import { ShapeError } from '../../protocol/json/shape.js';
import type { AttestationRegistry, Aip1Claim, Aip1Facts, MandateFinding } from '../../verify/aip1/context.js';
import {
  examine,
  judgeEnvelope,
  readingOf,
  refusesBeforeHooks,
  type Aip1Judgement,
  type Examined,
} from '../../verify/aip1/judge.js';
import type { Judgement } from '../../verify/judge.js';
import type { ExamineSetting, Submission, Trusting } from './examine.js';
import { Failure } from '../failure.js';
import { factsOf, type Prepared, type Sitting } from './facts.js';

/** What envelopes are held to beside passports and pins. */
export interface EnvelopeTrust {
  /** A key that the user vouches for: it speaks for every agent without a known passport. */
  readonly publicKey: VerifyKey | null;
  /** Shared with the agent, for tier 0. */
  readonly hmacKey: Uint8Array | null;
  /** The mandate that the caller was given for an agent. */
  readonly mandate: (agentId: string) => MandateFinding;
  readonly requireMandate: boolean;
  readonly minTier: Tier;
  readonly registry: AttestationRegistry | null;
}

const NOTHING: EnvelopeTrust = {
  publicKey: null,
  hmacKey: null,
  mandate: () => ({ status: 'none' }),
  requireMandate: false,
  minTier: 0,
  registry: null,
};

/** A document that is an envelope. Nothing in it is believed yet. */
export interface ExaminedEnvelope {
  readonly dialect: 'aip-1';
  readonly submission: Submission;
  /** Ticks, in microseconds. */
  readonly startedAt: number;
  readonly envelope: Envelope;
  readonly claim: Aip1Claim;
}

/** Reads a parsed document as an envelope; what is none, or of another version, is judged at once. */
export function examineEnvelope(
  document: Value,
  submission: Submission,
  trusting: Trusting,
  { policy, signatureHolds, now, startedAt }: ExamineSetting,
): ExaminedEnvelope | Judgement {
  const { publicKey, hmacKey, mandate, requireMandate, minTier, registry } = trusting.envelopes ?? NOTHING;
  const reading = readingOf(document);
  const envelope = reading.status === 'read' ? reading.envelope : null;
  const claim: Aip1Claim = {
    reading,
    finding: envelope === null ? { status: 'unknown' } : trusting.passport(envelope.agentId),
    pins: trusting.pins,
    publicKey,
    hmacKey,
    mandate: envelope === null ? { status: 'none' } : mandate(envelope.agentId),
    limits: submission.within === undefined ? [] : [submission.within],
    policy: {
      maxAgeMs: policy.maxAgeMs,
      maxSkewMs: policy.maxSkewMs,
      minTrust: policy.minTrust,
      requireMandate,
      minTier,
      registry,
    },
    signatureHolds,
    now,
  };
  if (envelope === null) return judgeEnvelope(examine(claim), null, submission.source);
  return { dialect: 'aip-1', submission, startedAt, envelope, claim };
}

/** The form, the clock, the signature and the mandate: all that is judged before the transaction. */
export interface ProvenEnvelope extends ExaminedEnvelope {
  readonly proof: Examined;
  /** As hooks, approvals and the log know it. */
  readonly intent: Intent;
}

export function proveEnvelope({ dialect, submission, startedAt, envelope, claim }: ExaminedEnvelope): ProvenEnvelope {
  const proof = examine(claim);
  return { dialect, submission, startedAt, envelope, claim, proof, intent: proof.intent! };
}

/** An envelope that was signed as it stands by a key that speaks for its agent, with the passport that counts. */
export function signedIn({
  proof: { proven },
  intent,
}: ProvenEnvelope): { intent: Intent; passport: Passport | null } | null {
  if (proven === null || proven.signature.status !== 'passed') return null;
  const { standing } = proven;
  return { intent, passport: standing !== null && 'passport' in standing ? standing.passport : null };
}

/** The steps that need the transaction; spends the nonce and counts the amount as the judgement says. */
export function concludeEnvelope(sitting: Sitting, prepared: ProvenEnvelope & Prepared): Aip1Judgement {
  const { ledger, wallNow, now } = sitting;
  const { envelope, proof, submission } = prepared;
  const judgement = judgeEnvelope(
    proof,
    proof.proven === null ? null : envelopeFacts(sitting, prepared),
    submission.source,
  );
  const { decision, spend, usage } = judgement;
  const { agentId, action } = envelope;
  if (spend !== null) {
    ledger.spendNonce(agentId, spend.nonce, wallNow, decision.error_code ?? 'accepted', spend.keepUntil);
  }
  if (usage !== null) ledger.recordUsage({ agentId, action, at: now, ...usage });
  return judgement;
}

/** True when a step before the hooks refuses as things stand. */
export function envelopeRefusedEarly(sitting: Sitting, prepared: ProvenEnvelope & Prepared): boolean {
  return refusesBeforeHooks(prepared.proof, {
    ...factsOf(sitting, prepared, prepared.intent, true),
    trust: null,
    history: null,
  });
}

function envelopeFacts(sitting: Sitting, prepared: ProvenEnvelope & Prepared): Aip1Facts {
  const { deps, options, ledger } = sitting;
  const { envelope, intent } = prepared;
  const known = options.policy.minTrust === null ? null : deps.trust(ledger, envelope.agentId);
  // How deep it was delegated, the envelope itself says.
  const history = known === null ? null : { ...known.history, delegationDepth: 1 };
  return { ...factsOf(sitting, prepared, intent, true), trust: null, history };
}

export type GivenMandate = Exclude<MandateFinding, { status: 'none' }>;

/** What the bytes given as a mandate are. `issuerKey` is null where the pins say whose word counts. */
export function mandateFinding(bytes: Uint8Array, issuerKey: VerifyKey | null): GivenMandate {
  try {
    return { status: 'found', mandate: readMandate(parseExact(bytes)), issuerKey };
  } catch (error) {
    if (error instanceof JsonError || error instanceof ShapeError)
      return { status: 'unreadable', reason: error.reason };
    throw error;
  }
}

/** The mandate of each agent; where none is its own the first stands, to be refused by its name. */
export function mandatesByAgent(given: readonly GivenMandate[]): EnvelopeTrust['mandate'] {
  const own = new Map<string, MandateFinding>();
  for (const each of given) {
    if (each.status !== 'found') continue;
    const { subject } = each.mandate;
    if (own.has(subject)) throw new Failure('USAGE', `Two mandates are for ${subject}.`, { hint: 'name one of them' });
    own.set(subject, each);
  }
  return (agentId) => own.get(agentId) ?? given[0] ?? { status: 'none' };
}
