/** What documents are judged over, and what of a document is found out before. */
import type { ActionApproval } from '../../protocol/approvals/approval.js';
import type { Intent } from '../../protocol/intent.js';
import type { ExactApproval } from '../../verify/approvals/approved.js';
import type { Freshness, HookOutcome, KnownTrust, SchemaCheck, StandingRecord } from '../../verify/context.js';
import type { Warning } from '../../verify/decision.js';
import type { Dialect, ProvenDocument } from '../../verify/dialect.js';
import type { Trusting } from '../../verify/trusting.js';
import type { Memory, Random } from '../ports/state.js';
import type { Submission } from './examine.js';
import type { PassportMemory } from './replaced.js';

/** This machine as a verifier that persons answer. */
export interface Requester {
  /** `ed25519:` and hex. */
  readonly publicKey: string;
  /** Gives the signature over the UTF-8 bytes of a text, 128 hex digits. */
  readonly sign: (text: string) => string;
  readonly random: Random;
}

/** What one or several documents are judged over, all at one moment. */
export interface Sitting extends PassportMemory {
  /** Null for a verifier without state. */
  readonly memory: Memory | null;
  /** As the state knows it now. */
  readonly standing: (subject: string) => StandingRecord | null;
  readonly freshness: Freshness;
  readonly trust: (agentId: string) => KnownTrust | null;
  /** True when a valid approval of exactly this intent was given. */
  readonly approved: ExactApproval;
  /** Answers to requests for approval that the caller brings along. */
  readonly answers: readonly ActionApproval[];
  /** Who raises requests for approval; null for a verifier that keeps none. */
  readonly requester: (() => Requester) | null;
  /** Country of the request; null when it is not known. */
  readonly geo: string | null;
  /** ms since the epoch. */
  readonly wallNow: number;
  /** What `--at` says, else `wallNow`. */
  readonly now: number;
  /** True where nothing is accepted, so that it does not matter whether a nonce may be forgotten. */
  readonly dryRun: boolean;
  /** Draws a new outcome token, 32 hex digits; null where nothing is recorded that an outcome could be of. */
  readonly token: () => string | null;
  /** Said of every document. */
  readonly warnings: readonly Warning[];
}

/** A document with all that its remaining steps need from outside of the transaction, because it may take time. */
export interface PreparedDocument {
  readonly dialect: Dialect;
  readonly submission: Submission;
  /** Ticks, in microseconds. */
  readonly startedAt: number;
  readonly intent: Intent;
  readonly proven: ProvenDocument;
  /** The keys of principals that it is judged by. */
  readonly pins: Trusting['pins'];
  readonly hooks: readonly HookOutcome[];
  readonly schemaProblems: SchemaCheck;
}
