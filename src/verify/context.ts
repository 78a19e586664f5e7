import type { Constraints } from '../protocol/constraints/rules.js';
import type { DialectName } from '../protocol/dialects.js';
import type { Intent } from '../protocol/intent.js';
import type { VerifyKey } from '../protocol/ed25519/verify.js';
import type { TrustHistory } from '../protocol/aip1/trust-score.js';
import type { Passport } from '../protocol/passport.js';
import type { JsonObject } from '../protocol/json/values.js';
import type { Approving, RequestRecord } from './approvals/approving.js';
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

/** A signature to be judged. */
export interface SignatureQuestion {
  readonly key: VerifyKey;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

/** Verifies one signature; batches inject one that already knows the answer. */
export type SignatureOracle = (key: VerifyKey, message: Uint8Array, signature: Uint8Array) => boolean;

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
  nonceRecord(agentId: string, nonce: string): SpentNonce | null;
  /**
   * Nonces that were spent until then may be forgotten (ms since the epoch); 0 when none is. `since` is the first moment at which the
   * document that is judged may have been spent: it is refused where that is not later.
   */
  forgottenUntil(since: number): number;
  /** What `meter` says of the agent's accepted intents in the window that ends at `now` (ms since the epoch). */
  read(agentId: string, meter: Meter, now: number): MeterReading;
  /** A request for approval with the answers to it; null for an id that is not known. */
  approvalRequest(id: string): RequestRecord | null;
  /** The request for this action that is open and not over, or else that was denied last; null where there is none. */
  requestOf(actionHash: string, now: number): RequestRecord | null;
  /** How many requests wait now: of this agent, and of all. */
  pendingRequests(agentId: string, now: number): { readonly agent: number; readonly all: number };
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
  /** True where the mesh does not miss this machine, and has not answered now: its copy vouches for nothing, however old. */
  readonly unmissed?: boolean;
  /** True where the mesh refuses this machine's API key: nobody who follows under it hears anything. */
  readonly keyRefused?: boolean;
  /** How far this machine's clock is ahead of the mesh's, in ms; null or missing where that is not known. */
  readonly clockAheadMs?: number | null;
}

/** What a custom verification said (step 7). */
export type HookOutcome =
  | { readonly hook: string; readonly result: 'allow' }
  | {
      readonly hook: string;
      readonly result: 'reject';
      readonly violation: Violation;
      /** True where it was not asked, because it has failed again and again. */
      readonly circuitOpen?: boolean;
    }
  | { readonly hook: string; readonly result: 'require-approval'; readonly reason: string };

/** The verifier's own settings. */
export interface Policy {
  readonly maxAgeMs: number;
  /** How old a document of any dialect may be, where the user has set it; absent leaves it to a lifetime that the document has. */
  readonly ageLimitMs?: number;
  readonly maxSkewMs: number;
  /** Minimum trust score, or null when none is set. */
  readonly minTrust: number | null;
  /** What becomes of params in which a limit finds nothing to measure; `warn` where it is left out. */
  readonly unmeasured?: 'warn' | 'deny';
  /** The dialects that are accepted; absent accepts all. */
  readonly dialects?: readonly DialectName[];
}

/** Gives what is wrong with params under a JSON Schema 2020-12: an empty list when nothing is. */
export type SchemaCheck = (schema: JsonObject, params: JsonObject) => readonly { path: string; reason: string }[];

/** An agent's score under this verifier's rules, and the past that RFC-001 weighs. */
export interface KnownTrust {
  /** From 0 to 1. */
  readonly score: number;
  /** False while there is too little history to go by. */
  readonly meaningful: boolean;
  readonly history: Omit<TrustHistory, 'delegationDepth'>;
}

/** What is read about a document that was proved to come from its agent: all of it inside one transaction, or in one look at the state. */
export interface Facts {
  /** Null when this verifier keeps no state: then what needs a memory is skipped or refused, and the decision says so. */
  readonly memory: Recall | null;
  readonly schemaProblems: SchemaCheck;
  /** Country of the request, ISO 3166-1 alpha-2; null when it is not known. */
  readonly geo: string | null;
  /** What persons have approved of it. */
  readonly approving: () => Approving;
  readonly hooks: readonly HookOutcome[];
  readonly standing: (subject: string) => StandingRecord | null;
  readonly freshness: Freshness;
  /** The names that a key (`ed25519:` and hex) which is bound to no agent has spoken under here. */
  readonly spokenNames: (key: string) => readonly string[];
  /** Why a passport that holds by itself counts no longer, in the words of step 1; null when it does. `pins` are its principal's. */
  readonly replaced: (passport: Passport, pins: readonly PinnedKey[]) => Violation | null;
  /** Asked only where a minimum is set; null for an agent that has no score yet. */
  readonly trust: () => KnownTrust | null;
  /** What `--at` says, else `wallNow`: the clock of expiry and windows, in ms since the epoch. */
  readonly now: number;
  /** ms since the epoch; `--at` does not move it, because standing is always judged as known now. */
  readonly wallNow: number;
  /** The clock that suspensions end by: the mesh's where it is known and this machine's is ahead of it, else `wallNow`. */
  readonly standingNow: number;
}

/** Why a check of a verifier without state is skipped. */
export const NO_STATE = 'this verifier keeps no state';

/** What checks that every dialect shares read: an intent whose signature holds, and what it is held to. */
export interface Held {
  /** In any dialect under the native names: the same agent, action and params. */
  readonly intent: Intent;
  /** The constraints of the passport, where there is one, and those that the caller holds the agent to beside: all must hold. */
  readonly limits: readonly Constraints[];
  readonly facts: Facts;
}
