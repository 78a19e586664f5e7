import { JsonError, parseJson, parseJsonText } from '../protocol/json.js';
import type { Constraints } from '../protocol/constraint.js';
import { readIntent, type Intent } from '../protocol/intent.js';
import { ShapeError } from '../protocol/shape.js';
import type { Claim, PassportFinding, PinnedKey, SignatureOracle } from '../verify/context.js';
import { malformed, type Judgement } from '../verify/judge.js';

/** Whose word counts: where a verifier finds passports and the keys of principals. */
export interface Trusting {
  readonly passport: (agentId: string) => PassportFinding;
  /** The pinned keys of a principal. */
  readonly pins: (principal: string) => readonly PinnedKey[];
}

/** One document to judge. */
export interface Submission {
  /** The document as it arrived: bytes, or text that was decoded already. */
  readonly bytes: Uint8Array | string;
  /** Where it came from, for people: a path, `-`, or `line 12`. */
  readonly source: string | null;
  /** Whose word counts for this document alone, given whose counts for all. */
  readonly trusting?: (own: Trusting) => Trusting;
  /** Limits that hold beside the passport's, so that they can narrow it and never widen it. */
  readonly within?: Constraints;
}

/** A document that is an intent. Nothing in it is believed yet. */
export interface Examined {
  readonly submission: Submission;
  /** Ticks, in microseconds. */
  readonly startedAt: number;
  readonly claim: Claim;
}

/** Reads a document strictly, before any signature work; what is no intent is judged at once. */
export function examine(
  submission: Submission,
  trusting: Trusting,
  signatureHolds: SignatureOracle,
  now: number,
  startedAt: number,
): Examined | Judgement {
  let intent: Intent;
  const { bytes, source } = submission;
  try {
    intent = readIntent(typeof bytes === 'string' ? parseJsonText(bytes) : parseJson(bytes));
  } catch (error) {
    if (error instanceof JsonError) return malformed(error.reason, error.offset, now, source);
    if (error instanceof ShapeError) return malformed(error.reason, null, now, source);
    throw error;
  }
  const { passport, pins } = submission.trusting === undefined ? trusting : submission.trusting(trusting);
  const finding = passport(intent.document.agent_id);
  return { submission, startedAt, claim: { intent, finding, pins, signatureHolds, now } };
}
