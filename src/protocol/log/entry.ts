import type { DialectName } from '../dialects.js';
import type { JsonObject } from '../json/values.js';

/** A verification entry before it has its place in the log (protocol, section 7). */
export interface EntryDraft {
  /** RFC 3339 with milliseconds. */
  readonly timestamp: string;
  readonly agent_id: string;
  readonly action: string | null;
  /** As `log.params` has it: full, masked, or null. */
  readonly params: JsonObject | null;
  readonly status: 'success' | 'failed';
  readonly error_code: string | null;
  readonly error_message: string | null;
  readonly details: JsonObject | null;
  readonly nonce: string | null;
  readonly signature: string | null;
  readonly intent_hash: string | null;
  readonly dialect: DialectName;
  /** Time the decision took, in microseconds. */
  readonly latency_us: number;
}

/** An entry of the log: the draft with its sequence number, the verifier that made it, and its links in the hash chain. */
export interface Entry extends EntryDraft {
  /** From 1, without a hole. */
  readonly seq: number;
  /** Which state file wrote it, 16 hex digits. */
  readonly verifier: string;
  /** SHA-256 in hex; 64 zeros in the first entry. */
  readonly prev_hash: string;
  /** SHA-256 in hex over this entry, `prev_hash` included. */
  readonly hash: string;
}
