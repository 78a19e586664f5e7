import { isAip1 } from '../../protocol/aip1/envelope.js';
import { parseExact } from '../../protocol/aip1/encoding/numbers.js';
import { losesDigits } from '../../protocol/json/decimals.js';
import { JsonError, parseJson, parseJsonText } from '../../protocol/json/parse.js';
import type { Constraints } from '../../protocol/constraints/rules.js';
import { readIntent, type Intent } from '../../protocol/intent.js';
import { ShapeError } from '../../protocol/json/shape.js';
import type { Claim, PassportFinding, PinnedKey, Policy, SignatureOracle } from '../../verify/context.js';
import { malformed, type Judgement } from '../../verify/judge.js';
import { examineEnvelope, type EnvelopeTrust, type ExaminedEnvelope } from './envelope.js';

/** Whose word counts: where a verifier finds passports and the keys of principals. */
export interface Trusting {
  readonly passport: (agentId: string) => PassportFinding;
  /** The pinned keys of a principal. */
  readonly pins: (principal: string) => readonly PinnedKey[];
  /** Nothing of the kind where it is absent. */
  readonly envelopes?: EnvelopeTrust;
}

/** One document to judge. */
export interface Submission {
  /** The document as it arrived: bytes, or text that was decoded already. */
  readonly bytes: Uint8Array | string;
  /** Where it came from, for people: a path, `-`, or `line 12`. */
  readonly source: string | null;
  /** Whose word counts for this document alone, given whose counts for all. */
  readonly trusting?: (own: Trusting) => Trusting;
  /** True for an intent that a person has approved, for this document alone. */
  readonly approved?: (intent: Intent) => boolean;
  /** Limits that hold beside the passport's, so that they can narrow it and never widen it. */
  readonly within?: Constraints;
}

/** A document that is an intent. Nothing in it is believed yet. */
export interface ExaminedIntent {
  readonly dialect: 'native';
  readonly submission: Submission;
  /** Ticks, in microseconds. */
  readonly startedAt: number;
  readonly claim: Claim;
}

export type Examined = ExaminedIntent | ExaminedEnvelope;

export interface ExamineSetting {
  readonly trusting: Trusting;
  readonly policy: Policy;
  readonly signatureHolds: SignatureOracle;
  /** ms since the epoch, or what `--at` says. */
  readonly now: number;
  /** Ticks, in microseconds. */
  readonly startedAt: number;
}

/** Reads a document strictly, before any signature work, in the dialect of its shape; what is neither is judged at once. */
export function examine(submission: Submission, setting: ExamineSetting): Examined | Judgement {
  const { bytes, source, trusting } = submission;
  const { signatureHolds, now, startedAt } = setting;
  const own = trusting === undefined ? setting.trusting : trusting(setting.trusting);
  let intent: Intent;
  try {
    let exact = true;
    let rounded = false;
    const nearest = (written: string): number => {
      exact = false;
      const value = Number(written);
      rounded ||= losesDigits(written, value);
      return value;
    };
    const document = typeof bytes === 'string' ? parseJsonText(bytes, nearest) : parseJson(bytes, nearest);
    if (isAip1(document)) {
      return examineEnvelope(exact ? document : parseExact(bytes), submission, own, setting);
    }
    // What is signed is the double's own spelling (RFC 8785), and an executor in another language reads the number as it is written.
    if (rounded) throw new ShapeError('a number in it has more digits than can be read exactly; write it as text');
    intent = readIntent(document);
  } catch (error) {
    if (error instanceof JsonError) return malformed(error.reason, error.offset, now, source);
    if (error instanceof ShapeError) return malformed(error.reason, null, now, source);
    throw error;
  }
  const { passport, pins } = own;
  const finding = passport(intent.document.agent_id);
  return { dialect: 'native', submission, startedAt, claim: { intent, finding, pins, signatureHolds, now } };
}
