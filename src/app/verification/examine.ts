import type { ActionApproval } from '../../protocol/approvals/approval.js';
import { parseExact } from '../../protocol/aip1/encoding/numbers.js';
import { losesDigits } from '../../protocol/json/decimals.js';
import { JsonError, parseJson, parseJsonText } from '../../protocol/json/parse.js';
import type { Constraints } from '../../protocol/constraints/rules.js';
import { ShapeError } from '../../protocol/json/shape.js';
import type { Json, JsonObject } from '../../protocol/json/values.js';
import type { ExactApproval } from '../../verify/approvals/approved.js';
import type { Policy, SignatureOracle } from '../../verify/context.js';
import type { Asking, Dialect, ReadDocument } from '../../verify/dialect.js';
import { DIALECTS, dialectOf } from '../../verify/dialects/registry.js';
import { unreadable, type Judgement } from '../../verify/judge.js';
import type { Trusting } from '../../verify/trusting.js';
import { standsFor } from '../guarding/long-texts.js';

/** One document to judge. */
export interface Submission {
  /** The document as it arrived: bytes, or text that was decoded already. */
  readonly bytes: Uint8Array | string;
  /** Where it came from, for people: a path, `-`, or `line 12`. */
  readonly source: string | null;
  /** Whose word counts for this document alone, given whose counts for all. */
  readonly trusting?: (own: Trusting) => Trusting;
  /** True for an intent that a person has approved, for this document alone. */
  readonly approved?: ExactApproval;
  /** Answers to requests for approval that came with this document. */
  readonly answers?: readonly ActionApproval[];
  /** The request that was approved, for a document that names none: an envelope cannot. */
  readonly approvalRequest?: string;
  /** Limits that hold beside the passport's, so that they can narrow it and never widen it. */
  readonly within?: Constraints;
  /** The params with their long texts, where the document holds hashes of these: what is judged. They must be those of the document. */
  readonly meant?: JsonObject;
  /**
   * False for what goes on with a call that was counted already: no window counts it a second time, and it may name the request that the
   * call has spent.
   */
  readonly counted?: boolean;
  /** True where the caller only looks on: a refusal counts for nothing then, and asks nobody. */
  readonly observed?: boolean;
  /** True where the caller puts its own question to its user when only a person's word is missing: the refusal says so then. */
  readonly asked?: boolean;
}

/** A document that was read in its dialect. Nothing in it is believed yet. */
export interface Claim {
  readonly dialect: Dialect;
  readonly submission: Submission;
  /** Ticks, in microseconds. */
  readonly startedAt: number;
  readonly document: ReadDocument;
  readonly asking: Asking;
}

/** How a batch is judged before anything is believed. */
export interface ExamineSetting {
  readonly trusting: Trusting;
  readonly policy: Policy;
  readonly signatureHolds: SignatureOracle;
  /** ms since the epoch, or what `--at` says. */
  readonly now: number;
  /** Ticks, in microseconds. */
  readonly startedAt: number;
}

/** Reads a document strictly, before any signature work, in the dialect of its shape; what cannot be read is judged at once. */
export function examine(submission: Submission, setting: ExamineSetting): Claim | Judgement {
  const { bytes, source, trusting: changed, within = null, meant = null } = submission;
  const { policy, signatureHolds, now, startedAt } = setting;
  let dialect = DIALECTS.native;
  try {
    const { document: json, exact, rounded } = parsed(bytes);
    dialect = dialectOf(json);
    if (policy.dialects?.includes(dialect.name) === false) {
      const outcome = dialect.malformed(`this verifier accepts no documents of the dialect ${dialect.name}`, null);
      return unreadable(dialect, outcome, now, source);
    }
    const document = dialect.read({ document: json, rounded, exact: () => (exact ? json : parseExact(bytes)) });
    if ('refused' in document) return unreadable(dialect, document.refused, now, source);
    const trusting = changed === undefined ? setting.trusting : changed(setting.trusting);
    if (meant !== null && !standsFor(document.intent.document.params, meant))
      throw new TypeError('the params that are meant are not those of the document');
    const asking = { trusting, within, meant, policy, signatureHolds, now };
    return { dialect, submission, startedAt, document, asking };
  } catch (error) {
    if (error instanceof JsonError)
      return unreadable(dialect, dialect.malformed(error.reason, error.offset), now, source);
    if (error instanceof ShapeError) return unreadable(dialect, dialect.malformed(error.reason, null), now, source);
    throw error;
  }
}

/** `exact` is false where a number is an integer that a double may round, `rounded` where one did. */
function parsed(bytes: Uint8Array | string): { document: Json; exact: boolean; rounded: boolean } {
  let exact = true;
  let rounded = false;
  const nearest = (written: string): number => {
    exact = false;
    const value = Number(written);
    rounded ||= losesDigits(written, value);
    return value;
  };
  const document = typeof bytes === 'string' ? parseJsonText(bytes, nearest) : parseJson(bytes, nearest);
  return { document, exact, rounded };
}
