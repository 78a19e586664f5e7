import type { Constraints } from '../../protocol/constraints/rules.js';
import type { VerifyKey } from '../../protocol/ed25519/verify.js';
import type { Envelope, Tier } from '../../protocol/aip1/envelope.js';
import type { Mandate } from '../../protocol/aip1/mandate.js';
import type { Intent } from '../../protocol/intent.js';
import type { Passport } from '../../protocol/passport.js';
import type { Facts, PassportFinding, PinnedKey, Policy, SignatureOracle } from '../context.js';
import type { BelievedKey } from '../believed-keys.js';
import type { Verdict } from '../decision.js';
import type { TrustHistory } from '../../protocol/aip1/trust-score.js';

/** What became of a document that means to be an envelope. */
export type Reading =
  | { readonly status: 'read'; readonly envelope: Envelope }
  | { readonly status: 'version'; readonly found: string }
  | { readonly status: 'malformed'; readonly reason: string; readonly offset: number | null };

/** What the verifier was given as a mandate. */
export type MandateFinding =
  | { readonly status: 'none' }
  | { readonly status: 'unreadable'; readonly reason: string }
  | {
      readonly status: 'found';
      readonly mandate: Mandate;
      /** Named by the user for this mandate; null leaves the issuer to the pins. */
      readonly issuerKey: VerifyKey | null;
    };

/** What this verifier knows of frameworks, builds and prompts; null members are not asked about. */
export interface AttestationRegistry {
  readonly frameworks: ReadonlySet<string> | null;
  /** Build hashes by framework. */
  readonly builds: ReadonlyMap<string, string>;
  /** Hashes of system prompts by agent. */
  readonly prompts: ReadonlyMap<string, string>;
}

export interface Aip1Policy extends Policy {
  /** Envelopes of a lower tier are judged at this one; a higher tier is never lowered. */
  readonly minTier: Tier;
  readonly requireMandate: boolean;
  readonly registry: AttestationRegistry | null;
}

/** What can be judged from bytes, keys and the clock. */
export interface Aip1Claim {
  readonly reading: Reading;
  readonly finding: PassportFinding;
  readonly pins: (principal: string) => readonly PinnedKey[];
  /** A key that the user vouches for, used where no passport is known. */
  readonly publicKey: VerifyKey | null;
  /** Shared with the agent, for tier 0. */
  readonly hmacKey: Uint8Array | null;
  readonly mandate: MandateFinding;
  /** Constraints that the caller holds the agent to beside all others. */
  readonly limits: readonly Constraints[];
  readonly policy: Aip1Policy;
  readonly signatureHolds: SignatureOracle;
  /** ms since the epoch, or what `--at` says. */
  readonly now: number;
}

/** An envelope with all that the remaining steps read. The two verdicts were reached outside the transaction. */
export interface Aip1Context {
  readonly envelope: Envelope;
  /** The same under native names, for the checks that both dialects share. */
  readonly intent: Intent;
  readonly tier: Tier;
  readonly signature: Verdict;
  readonly mandateVerdict: Verdict;
  /** Whole, in force and signed by a pinned principal; null when none is known. */
  readonly passport: Passport | null;
  /** Null when none was given, or it does not count. */
  readonly mandate: Mandate | null;
  /** The signatures that were believed: on the envelope, the passport, the mandate. */
  readonly believed: readonly BelievedKey[];
  /** Every principal that answers for the agent, at least one. */
  readonly answerable: readonly string[];
  /** The constraints of the passport and of the caller. */
  readonly limits: readonly Constraints[];
  readonly policy: Aip1Policy;
  readonly facts: Aip1Facts;
  readonly now: number;
}

/** What the steps after the form read, all of it inside one transaction. */
export interface Aip1Facts extends Facts {
  readonly history: TrustHistory | null;
}

/** The envelope of a claim whose form was judged before. */
export function envelopeOf({ reading }: Pick<Aip1Claim, 'reading'>): Envelope {
  if (reading.status !== 'read') throw new Error('an envelope judged before its form');
  return reading.envelope;
}
