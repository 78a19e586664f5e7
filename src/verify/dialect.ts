/**
 * A dialect is a folder under `dialects/` and one value of this type. Everything that judges, logs or prints documents knows
 * dialects through it alone.
 *
 * A document goes through three types, and only a dialect makes the next from the one before: read (well-formed, nothing in it
 * believed), proven (who sent it is judged), concluded (every step is judged).
 */
import type { Value } from '../protocol/aip1/encoding/numbers.js';
import type { Constraints } from '../protocol/constraints/rules.js';
import type { DialectName } from '../protocol/dialects.js';
import type { VerifyKey } from '../protocol/ed25519/verify.js';
import type { Intent } from '../protocol/intent.js';
import type { Json, JsonObject } from '../protocol/json/values.js';
import type { Passport } from '../protocol/passport.js';
import type { Facts, PinnedKey, Policy, SignatureOracle, SignatureQuestion } from './context.js';
import type { RevocationReport, Violation, Warning } from './decision.js';
import type { Usage } from './meters.js';
import type { Findings } from './pipeline.js';
import type { Trusting } from './trusting.js';

/** One form of signed documents, from its bytes to what is concluded. A third dialect is a folder that exports one. */
export interface Dialect {
  /** As decisions and log entries name it. */
  readonly name: DialectName;
  /** The names of all steps, in the order in which they are reported. */
  readonly steps: readonly string[];
  /** True for a document of this dialect's shape, whatever else is wrong with it. */
  readonly reads: (document: Json) => boolean;
  /** Reads strictly. @throws ShapeError, JsonError: both are told with `malformed`. */
  readonly read: (arrived: Arrived) => ReadDocument | { readonly refused: Findings };
  /** What is found of a document that cannot be read; `offset` is in bytes, null where there is no such place. */
  readonly malformed: (reason: string, offset: number | null) => Findings;
  /** How long after its date an intent may still be presented, in ms: marks against repeated refusals are kept that long. */
  readonly presentableForMs: (policy: Policy) => number;
  /** Codes of refusals that hang on more than document, passport and time, even where nothing came before, so that nobody can find them again from these. */
  readonly circumstances: readonly string[];
  /** True where a log entry that holds all params holds all that was signed. */
  readonly fitsEntry: boolean;
}

/** A document of which nothing is known but that it is JSON. */
export interface Arrived {
  readonly document: Json;
  /** True when a number in it has more digits than a double holds, so that `document` is not what was written. */
  readonly rounded: boolean;
  /** The same with large integers exact. */
  readonly exact: () => Value;
}

/** How a document is judged before anything in it is believed. */
export interface Asking {
  readonly trusting: Trusting;
  /** Limits of the caller, beside the passport's; null when there are none. */
  readonly within: Constraints | null;
  /** The params with the long texts whose hashes the document holds, where the caller has them: what is judged. */
  readonly meant: JsonObject | null;
  readonly policy: Policy;
  readonly signatureHolds: SignatureOracle;
  /** ms since the epoch, or what `--at` says. */
  readonly now: number;
}

/** A well-formed document. Nothing in it is believed yet. */
export interface ReadDocument {
  /** As hooks, approvals, shared checks and the log know it. */
  readonly intent: Intent;
  /** True where the proof is an HMAC: everybody who can check it could have made it, so it shows nothing to a third party. */
  readonly sharesKey: boolean;
  /** True where this key signed it, in one of the spellings of the dialect. */
  signedWith(key: VerifyKey): boolean;
  /** The first signature that `prove` will ask for, so that another core can answer it ahead; null where it depends on more. */
  question(asking: Asking): SignatureQuestion | null;
  /** Judges what needs no memory. */
  prove(asking: Asking): ProvenDocument;
}

/** A document whose sender was judged. */
export interface ProvenDocument {
  /** Null when it is not proved who sent it: its nonce stays unspent, and no hook and no person is asked about it. */
  readonly speaker: Speaker | null;
  /** True when a step before the hooks refuses as `facts` stand. */
  refusesBeforeHooks(facts: Facts): boolean;
  /** Judges all remaining steps. */
  conclude(facts: Facts): Concluded;
}

/** The agent that a document was proved to come from. */
export interface Speaker {
  /** Whole, in force and signed by a pinned principal; null where a dialect speaks without one and none is known. */
  readonly passport: Passport | null;
}

/** What all steps found; `judgementOf` makes the decision of it, once, for all dialects. */
export interface Concluded {
  readonly outcome: Findings;
  readonly revocation: RevocationReport;
  readonly warnings: readonly Warning[];
  /** Null for a document without a speaker: it changes nothing. */
  readonly effects: Effects | null;
  /** The passport that passed step 1, and from now on is the least that counts; null where none did. */
  readonly inForce: InForce | null;
  /** The name that a key spoke under which nothing binds to it; null where a passport or the caller binds it. */
  readonly spoke: { readonly key: string; readonly agentId: string } | null;
}

/** A passport that counts, with the pinned keys of its principal. */
export interface InForce {
  readonly passport: Passport;
  readonly pins: readonly PinnedKey[];
  /** The key of it that signed; null where none of its keys is proved to have. */
  readonly keyId: string | null;
}

/** What a judgement does to the memory. */
export interface Effects {
  /** How long the nonce must be remembered if it is spent, in ms since the epoch. */
  readonly keepUntil: number;
  /** True for a refusal that spends no nonce. */
  readonly leavesNonce: (violation: Violation) => boolean;
  /** What an accepted intent is counted with; null when nothing is counted. */
  readonly usage: Pick<Usage, 'currency' | 'amountMinor'> | null;
  /** The most that may be given back within a day, in minor units; null or missing where nothing is. */
  readonly release?: bigint | null;
}
