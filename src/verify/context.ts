import type { Constraints } from '../protocol/constraints/rules.js';
import type { Intent } from '../protocol/intent.js';
import type { VerifyKey } from '../protocol/ed25519/verify.js';
import type { Passport } from '../protocol/passport.js';
import type { JsonObject } from '../protocol/json/values.js';
import type { BelievedKey } from './believed-keys.js';
import type { Violation } from './decision.js';
import type { Meter, MeterReading } from './meters.js';

/** What the verifier holds of the agent's passport. */
export type PassportFinding =
  | { readonly status: 'unknown' }
  | { readonly status: 'unreadable'; readonly reason: string }
  | { readonly status: 'found'; readonly passport: Passport };

/** A principal's public key that this machine trusts. */
export interface PinnedKey {
  readonly keyId: string;
  readonly key: VerifyKey;
}

/** Verifies one signature; batches inject one that already knows the answer. */
export type SignatureOracle = (key: VerifyKey, message: Uint8Array, signature: Uint8Array) => boolean;

/** What steps 1 and 2 read. Nothing in the intent is believed yet. */
export interface Claim {
  readonly intent: Intent;
  readonly finding: PassportFinding;
  /** The pinned keys of a principal; empty when it is not pinned. */
  readonly pins: (principal: string) => readonly PinnedKey[];
  readonly signatureHolds: SignatureOracle;
  /** ms since the epoch, or what `--at` says. */
  readonly now: number;
}

/** An earlier judgement of the same nonce. */
export interface SpentNonce {
  /** ms since the epoch. */
  readonly firstSeenAt: number;
  /** `accepted`, or the code it was refused with. */
  readonly firstResult: string;
}

/** What a verifier remembers of earlier intents, as checks may use it: they ask, and never write. */
export interface Recall {
  /** Null for a nonce that was never spent, or was forgotten since. */
  spentNonce(agentId: string, nonce: string): SpentNonce | null;
  /** Nonces that were spent until then may be forgotten (ms since the epoch); 0 when none is. */
  forgottenUntil(): number;
  /** What `meter` says of the agent's accepted intents in the window that ends at `now` (ms since the epoch). */
  read(agentId: string, meter: Meter, now: number): MeterReading;
}

/** What is known of the standing of one subject. */
export interface StandingRecord {
  readonly subject: string;
  readonly status: 'active' | 'suspended' | 'revoked';
  readonly reason: string | null;
  /** ms since the epoch. */
  readonly changedAt: number;
  readonly changedBy: string | null;
  /** ms since the epoch; only while suspended. */
  readonly suspendedUntil: number | null;
  readonly version: number;
}

/** How current the local copy of the revocations is. */
export interface Freshness {
  /** False when no mesh is configured, so that this machine's own record is all there is. */
  readonly mesh: boolean;
  /** Age of the last proof from the mesh; null when there never was one. */
  readonly ageMs: number | null;
  readonly maxAgeMs: number;
  readonly onStale: 'last-known' | 'deny';
}

/** What a custom verification said (step 7). */
export type HookOutcome =
  | { readonly hook: string; readonly result: 'allow' }
  | { readonly hook: string; readonly result: 'reject'; readonly violation: Violation }
  | { readonly hook: string; readonly result: 'require-approval'; readonly reason: string };

/** The verifier's own settings. */
export interface Policy {
  readonly maxAgeMs: number;
  readonly maxSkewMs: number;
  /** Minimum trust score, or null when none is set. */
  readonly minTrust: number | null;
}

/** Gives what is wrong with params under a JSON Schema 2020-12: an empty list when nothing is. */
export type SchemaCheck = (schema: JsonObject, params: JsonObject) => readonly { path: string; reason: string }[];

/** What steps 3 to 9 read, all of it inside one transaction. */
export interface Facts {
  /** Null when never seen; undefined when this verifier keeps no state. */
  readonly spent: SpentNonce | null | undefined;
  /** Nonces that were spent until then (ms since the epoch) may be forgotten; not asked for where nothing is accepted. */
  readonly forgottenUntil?: number;
  readonly read: (meter: Meter) => MeterReading;
  readonly schemaProblems: SchemaCheck;
  readonly geo: string | null;
  readonly approved: boolean;
  readonly hooks: readonly HookOutcome[];
  readonly standing: (subject: string) => StandingRecord | null;
  readonly freshness: Freshness;
  /** The agent's score, or null when it has none yet. */
  readonly trust: { readonly score: number; readonly meaningful: boolean } | null;
  /** ms since the epoch; `--at` does not move it, because standing is always judged as known now. */
  readonly wallNow: number;
}

/** Why a check of a verifier without state is skipped. */
export const NO_STATE = 'this verifier keeps no state';

/** False when there is no memory of nonces, windows and revocations to ask. */
export function keepsState(facts: Pick<Facts, 'spent'>): boolean {
  return facts.spent !== undefined;
}

/** An intent whose agent is known and whose signature holds, with all that the remaining steps read. */
export interface Identified {
  readonly intent: Intent;
  readonly passport: Passport;
  /** The passport's own constraints, and those that the caller holds its agent to beside them: all must hold. */
  readonly limits: readonly Constraints[];
  readonly policy: Policy;
  readonly facts: Facts;
  readonly now: number;
  /** The signatures that were believed on the way here. */
  readonly believed: readonly BelievedKey[];
}
