/**
 * Every bound of the protocol in one place, so that a reader can audit what a stranger's input may cost.
 * All of them are checked before any signature work.
 */

/** Largest document (intent, passport, envelope, mandate) in bytes. */
export const MAX_DOCUMENT_BYTES = 64 * 1024;
/** Deepest nesting of arrays and objects in a document. */
export const MAX_DEPTH = 32;
/** An intent is refused when older than this, in seconds (the guide's five minutes). */
export const DEFAULT_MAX_AGE_S = 300;
/** An intent is refused when its timestamp is further ahead than this, in seconds. */
export const DEFAULT_MAX_SKEW_S = 30;
/** Spent nonces are kept this many freshness windows. */
export const NONCE_RETENTION_WINDOWS = 2;
/** A rotated key verifies this long after its rotation, in seconds, unless told otherwise. */
export const DEFAULT_KEY_OVERLAP_S = 24 * 60 * 60;
/** Longest action name in characters. */
export const MAX_ACTION_LENGTH = 128;
/** Most actions a passport may declare, and most it may deny. */
export const MAX_ACTIONS = 256;
/** Most former keys a passport may carry: each is a key that still opens the door. */
export const MAX_PREVIOUS_KEYS = 8;
/** Most entries of one allow or deny list in a constraint. */
export const MAX_LIST = 1024;
/** Longest entry of a log as JSON, in bytes: of a document's params each has a salt in it, and a hash where it is masked. */
export const MAX_ENTRY_BYTES = 2 * 1024 * 1024;
/** Longest target, reason or similar free text in characters. */
export const MAX_TEXT = 2048;
