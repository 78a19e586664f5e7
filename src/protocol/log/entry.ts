import type { DialectName } from '../dialects.js';
import type { JsonObject } from '../json/values.js';

/** What an entry is of: a judgement, what became of an accepted intent, a judgement that was never reported, or what was erased. */
export type RecordType = 'verification' | 'outcome' | 'interrupted' | 'erasure';

/** What an entry can be of. */
export const RECORD_TYPES: readonly RecordType[] = ['verification', 'outcome', 'interrupted', 'erasure'];

/** A verification entry before it has its place in the log (protocol, section 7). */
export interface EntryDraft {
  /** RFC 3339 with milliseconds. */
  readonly timestamp: string;
  readonly agent_id: string;
  readonly action: string | null;
  readonly target: string | null;
  /** As `log.params` has it: full, masked, or null. */
  readonly params: JsonObject | null;
  readonly status: 'success' | 'failed';
  readonly error_code: string | null;
  readonly error_message: string | null;
  readonly details: JsonObject | null;
  readonly nonce: string | null;
  readonly signature: string | null;
  readonly intent_hash: string | null;
  /** Unix seconds, as the intent claims. */
  readonly intent_timestamp: number | null;
  /** The key that signed; null where it is not proved. */
  readonly key_id: string | null;
  /** `sha256:` and hex of the passport under which it was judged; null where none was in force. */
  readonly passport_hash: string | null;
  readonly passport_serial: number | null;
  /** The request that a person answered; null where the intent names none. */
  readonly approval_request: string | null;
  readonly dialect: DialectName;
  /** Time the decision took, in microseconds. */
  readonly latency_us: number;
  /** A refusal that a guard only looked on at, so that the call ran; missing in every other entry. */
  readonly observed?: true;
}

/** Its place in the log, which every kind of entry has. */
export interface Placed {
  /** From 1, without a hole. */
  readonly seq: number;
  /** Which state file wrote it, 16 hex digits. */
  readonly verifier: string;
  /** SHA-256 in hex; 64 zeros in the first entry. */
  readonly prev_hash: string;
  /** SHA-256 in hex over this entry as a leaf of the tree, `prev_hash` included. */
  readonly hash: string;
  /**
   * Base64 of 32 random bytes for each member that can be erased, in the order of `slotsOf`; null in an entry of the first version, which
   * hashes what it holds and commits to nothing.
   */
  readonly salts: string | null;
  /**
   * Commitments to params as they were sent, by name, where the log holds another value for them, or none; null where there are none. By the
   * name that is shown, and to the object of that one param, where the name itself shows a secret.
   */
  readonly withheld: Readonly<Record<string, string>> | null;
  /**
   * The commitments of what was erased, by slot, and under `details.…` what erased details said of the agent's standing; null where
   * nothing was erased.
   */
  readonly erased: Readonly<Record<string, string>> | null;
}

/** A verification: the draft with its place in the log. */
export interface Entry extends EntryDraft, Placed {
  readonly type: 'verification';
}

/** What became of an accepted intent, before it has its place. */
export interface OutcomeDraft {
  readonly timestamp: string;
  readonly agent_id: string;
  /** The entry of the decision. */
  readonly of: number;
  readonly status: 'ok' | 'error' | 'unknown';
  readonly exit_code: number | null;
  readonly duration_ms: number | null;
  /** `sha256:` and hex of the result, where there is one to hash. */
  readonly result_hash: string | null;
  readonly detail: string | null;
  /** True where the reporter showed neither the token of the decision nor was the process that asked for it. */
  readonly claimed: boolean;
  /** True where what the decision counted in a daily limit was given back with it; missing where it was not. */
  readonly released?: boolean;
}

/** What became of an accepted intent. */
export interface OutcomeEntry extends OutcomeDraft, Placed {
  readonly type: 'outcome';
}

/**
 * A judgement that a memory shared by several verifiers has kept, and that this one did not live to log: nobody was told it, and what it
 * spent and counted stays so.
 */
export interface InterruptedDraft {
  readonly timestamp: string;
  readonly agent_id: string;
  /** `sha256:` and hex. */
  readonly intent_hash: string;
  /** `accepted`, or the code of the refusal. */
  readonly settled_as: string;
  /** RFC 3339, by the clock of the shared memory. */
  readonly settled_at: string;
}

/** A judgement that was never reported. */
export interface InterruptedEntry extends InterruptedDraft, Placed {
  readonly type: 'interrupted';
}

/** What was erased from earlier entries, before it has its place. */
export interface ErasureDraft {
  readonly timestamp: string;
  readonly agent_id: string;
  /** The entries, ascending. */
  readonly entries: readonly number[];
  /** The param that was erased with what confirms a guess of it; null where it was all of them. */
  readonly param: string | null;
  /** Who had it done: the name that signs for this machine. */
  readonly by: string;
  /** Ed25519 over the RFC 8785 bytes of the other members of this draft and `type`. */
  readonly signature: string;
}

/** A statement that something was erased. */
export interface ErasureEntry extends ErasureDraft, Placed {
  readonly type: 'erasure';
}

/** Any entry of the log. */
export type LogRecord = Entry | OutcomeEntry | InterruptedEntry | ErasureEntry;
