import { NATIVE_CODES, type CodeEntry, type NativeCodeName } from '../protocol/codes.js';
import type { DialectName } from '../protocol/dialects.js';
import type { JsonObject } from '../protocol/json/values.js';
import type { ApprovalPolicy } from './approvals/approving.js';

/** The steps of section 4, by the names that decisions use. */
export type CheckName =
  'passport' | 'signature' | 'nonce' | 'timestamp' | 'action' | 'constraints' | 'hooks' | 'revocation' | 'trust';

/** One thing wrong: a catalogue entry (or a hook's own code) with its facts and one sentence for people. */
export interface Violation {
  readonly entry: Pick<CodeEntry, 'code' | 'name' | 'concern'>;
  readonly message: string;
  readonly details: JsonObject;
  /** Who has to approve, where a person's approval would lift it. */
  readonly asks?: ApprovalPolicy;
}

/** What a check says. There is no default: a check that could not run is `skipped` with its reason, never `passed`. */
export type Verdict =
  | { readonly status: 'passed' }
  | { readonly status: 'skipped'; readonly reason: string }
  | { readonly status: 'failed'; readonly violations: readonly [Violation, ...Violation[]] };

/** The verdict of a step that has nothing against the document. */
export const PASSED: Verdict = { status: 'passed' };

/** A step that did not run, with the reason that reports show. */
export function skipped(reason: string): Verdict {
  return { status: 'skipped', reason };
}

/** A violation of the native dialect; `details` are the facts of its catalogue entry. */
export function violation(name: NativeCodeName, message: string, details: JsonObject): Violation {
  return { entry: NATIVE_CODES[name], message, details };
}

/** The verdict of a step that refuses, with everything it found wrong. */
export function failed(first: Violation, ...rest: Violation[]): Verdict {
  return { status: 'failed', violations: [first, ...rest] };
}

/** `passed` when nothing was collected, `failed` with all of it otherwise. */
export function verdictOf(violations: readonly Violation[]): Verdict {
  const [first, ...rest] = violations;
  return first === undefined ? PASSED : failed(first, ...rest);
}

/** What became of one step; `reason` says why it failed or was skipped. */
export interface CheckReport {
  /** The name of the step, `signature`. */
  readonly check: string;
  readonly status: 'passed' | 'failed' | 'skipped';
  readonly reason?: string;
}

/** One thing wrong, as a decision lists it. */
export interface Refusal {
  /** `AIP-E202`, or the code that a verification hook gave. */
  readonly error_code: string;
  /** The name of the code, or what the hook said. */
  readonly error_message: string;
  /** The facts that it rests on. */
  readonly details: JsonObject;
}

/** How fresh the knowledge of the agent's standing was (protocol, "Decision"). */
export interface RevocationReport {
  /** Of the agent, or of what stops it: its principal, everyone. `unknown` where no copy of the mesh says. */
  readonly status: 'active' | 'suspended' | 'revoked' | 'unknown';
  /** Since the local copy of the mesh was last proven current; null without a mesh, and while it never was. */
  readonly age_ms: number | null;
  /** Judged by what was last known: the copy is older than it may be, and the mesh did not answer. */
  readonly degraded: boolean;
}

/** What an acceptance or refusal leaves in doubt; it changes neither. */
export interface Warning {
  /** Stable, `revocation_degraded`. */
  readonly code: string;
  /** One sentence for people; its wording may change. */
  readonly message: string;
}

/** What `aip intent verify --json` prints: stable keys, always present. */
export interface Decision {
  /** True when no step refused; which were skipped, and why, is in `checks`. Committed before it is reported, but for a dry run. */
  readonly success: boolean;
  /** Which document it was, and whose codes `error_code` is from. */
  readonly dialect: DialectName;
  /** As the intent claims, whatever became of it; null where it could not be read. */
  readonly agent_id: string | null;
  /** The same of the action. */
  readonly action: string | null;
  /** `sha256:` and the hash of the signed bytes: what an approval and the log refer to. */
  readonly intent_hash: string | null;
  /** `AIP-E202`, or the code that a verification hook gave; null on success. */
  readonly error_code: string | null;
  /** The name of the code, `MONETARY_LIMIT_EXCEEDED`, or what the hook said; null on success. */
  readonly error_message: string | null;
  /** One sentence for people; its wording may change. */
  readonly message: string;
  /** The facts of the first violation, always with `agent_id`; null on success. */
  readonly details: JsonObject | null;
  /** Everything the failing step found, the one of `error_code` first. */
  readonly violations: readonly Refusal[];
  /** Every step in its order. */
  readonly checks: readonly CheckReport[];
  /** How the agent stood, and how fresh that knowledge was. */
  readonly revocation: RevocationReport;
  /** What the decision leaves in doubt. */
  readonly warnings: readonly Warning[];
  /** RFC 3339 UTC with milliseconds. */
  readonly verified_at: string;
  /** The file it came from, `-` for stdin; of the library the option `source`. */
  readonly source: string | null;
  /**
   * 128 random bits that the caller alone gets: with them it may say later what became of the action. Null on a refusal, and where nothing
   * was recorded.
   */
  readonly outcome_token: string | null;
}
