import type { Passport } from '../../../protocol/passport.js';
import type { Intent } from '../../../protocol/intent.js';
import type { BelievedKey } from '../../believed-keys.js';
import type { Held, PassportFinding, PinnedKey, Policy, SignatureOracle } from '../../context.js';

/** What steps 1 and 2 read. Nothing in the intent is believed yet. */
export interface NativeClaim {
  readonly intent: Intent;
  readonly finding: PassportFinding;
  /** The pinned keys of a principal; empty when it is not pinned. */
  readonly pins: (principal: string) => readonly PinnedKey[];
  readonly signatureHolds: SignatureOracle;
  /** How far ahead of this machine's clock a passport may be dated, in ms. */
  readonly maxSkewMs: number;
  /** ms since the epoch, or what `--at` says. */
  readonly now: number;
}

/** An intent whose agent is known and whose signature holds, with all that the remaining steps read. */
export interface Identified extends Held {
  readonly passport: Passport;
  readonly policy: Policy;
  /** The signatures that were believed on the way here. */
  readonly believed: readonly BelievedKey[];
}
