import type { Constraints } from '../../../protocol/constraints/rules.js';
import type { Envelope, Tier } from '../../../protocol/aip1/envelope.js';
import type { Mandate } from '../../../protocol/aip1/mandate.js';
import type { VerifyKey } from '../../../protocol/ed25519/verify.js';
import type { Passport } from '../../../protocol/passport.js';
import type { BelievedKey } from '../../believed-keys.js';
import type { Held, PassportFinding, PinnedKey, Policy, SignatureOracle } from '../../context.js';
import type { Verdict } from '../../decision.js';
import type { SharedKey } from './hmac-keys.js';
import type { AttestationRegistry, MandateFinding } from './trust.js';

/** Whose boundaries they are. */
export type Bound = 'envelope' | 'mandate';

/** What became of a document that means to be an envelope. */
export type Reading =
  | { readonly status: 'read'; readonly envelope: Envelope }
  | { readonly status: 'version'; readonly found: string }
  | { readonly status: 'malformed'; readonly reason: string; readonly offset: number | null };

/** The verifier's policy, and what it asks of envelopes alone. */
export interface Aip1Policy extends Policy {
  /** Envelopes of a lower tier are judged at this one; a higher tier is never lowered. */
  readonly minTier: Tier;
  readonly requireMandate: boolean;
  readonly registry: AttestationRegistry | null;
}

/** What can be judged from bytes, keys and the clock. */
export interface Aip1Claim {
  readonly envelope: Envelope;
  readonly finding: PassportFinding;
  readonly pins: (principal: string) => readonly PinnedKey[];
  /** A key that the user vouches for, used where no passport is known. */
  readonly publicKey: VerifyKey | null;
  /** True where that key is bound to no agent, so that its holder picks the name it speaks under. */
  readonly unbound: boolean;
  /** Shared with the agent, for tier 0. */
  readonly sharedKey: SharedKey | null;
  readonly mandate: MandateFinding;
  /** Constraints that the caller holds the agent to beside all others. */
  readonly limits: readonly Constraints[];
  readonly policy: Aip1Policy;
  readonly signatureHolds: SignatureOracle;
  /** ms since the epoch, or what `--at` says. */
  readonly now: number;
}

/** An envelope with all that the remaining steps read. The two verdicts were reached outside the transaction. */
export interface Aip1Context extends Held {
  readonly envelope: Envelope;
  readonly tier: Tier;
  readonly signature: Verdict;
  readonly mandateVerdict: Verdict;
  /** Whole, in force and signed by a pinned principal; null when none is known. */
  readonly passport: Passport | null;
  /** Null when none was given, or it does not count. */
  readonly mandate: Mandate | null;
  /** The signatures that were believed: on the envelope, the passport, the mandate. */
  readonly believed: readonly BelievedKey[];
  /** The key that proved the envelope and is bound to no agent; null where a passport or a bound key speaks. */
  readonly bareKey: VerifyKey | null;
  /** Every principal that answers for the agent, at least one. */
  readonly answerable: readonly string[];
  readonly policy: Aip1Policy;
}
