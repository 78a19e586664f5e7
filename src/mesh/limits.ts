/** Every bound and every interval of the mesh in one place. Sizes in bytes, times in milliseconds unless a name says otherwise. */
import { MAX_ENTRY_BYTES } from '../protocol/limits.js';

/** Largest event as it stands in the log and on the wire. */
export const MAX_EVENT_BYTES = 4096;
/** Largest body of a command or any other small request. */
export const MAX_REQUEST_BYTES = 16 * 1024;
/** Largest body with a passport: the document has 64 KiB at most. */
export const MAX_PASSPORT_REQUEST_BYTES = 64 * 1024;
/** Largest body of shipped log entries, of which one by itself may be the longest. */
export const MAX_SHIPMENT_BYTES = MAX_ENTRY_BYTES;
/** Most that a client reads of one answer: a page of a log holds one entry at least. */
export const MAX_ANSWER_BYTES = MAX_ENTRY_BYTES + 64 * 1024;
/** Most that a server reads of one answer of the home that it follows: the tables of a fleet are larger than any one document. */
export const MAX_HOME_ANSWER_BYTES = 64 * 1024 * 1024;
/** Longest checkpoint of a verifier's tree with its signature, in characters. */
export const MAX_CHECKPOINT = 1024;
/** Most hashes of a proof that one tree is the beginning of another: two for each level. */
export const MAX_PROOF_HASHES = 96;
/** Longest reason in characters: at most four bytes each, so that an event with the longest names still fits. */
export const MAX_REASON = 500;
/** Longest name of who gave a command, in characters. */
export const MAX_ACTOR = 200;
/** Longest suspension: a deny that should last longer is a revocation. */
export const MAX_SUSPENSION_MS = 366 * 24 * 3_600_000;

/** A signed command is refused when older than this. */
export const COMMAND_MAX_AGE_MS = 300_000;
/** A signed command is refused when it was made further ahead than this. */
export const COMMAND_MAX_SKEW_MS = 30_000;

/** The stream proves its freshness this often. */
export const HEARTBEAT_MS = 2_000;
/** Heartbeats are spread over this many slices, so that no moment writes to every stream at once. */
export const HEARTBEAT_SLICES = 20;
/** A reader that takes nothing for this long is cut; it resumes by id. */
export const SLOW_READER_MS = 10_000;
/** Most events and bytes in the ring that streams are served from; older ones come from the store. */
export const RING_EVENTS = 8_192;
/** Most bytes of encoded frames that are held for clients that come back. */
export const RING_BYTES = 16 * 1024 * 1024;
/** A client further behind than this many events is sent to the snapshot. */
export const RETAINED_EVENTS = 100_000;
/** Most events a page of the store holds, and most bytes of events in one long-poll answer. */
export const PAGE_EVENTS = 256;
/** Most bytes of one page of events. */
export const PAGE_BYTES = 48 * 1024;
/** Most API keys in one answer; a client reads 64 KiB of it. */
export const PAGE_KEYS = 128;
/** Most principals, keys and the like that are stopped in one answer of the fleet. */
export const FLEET_ABOVE = 50;
/** Most bytes of entries in one answer of the fleet's log. */
export const LOG_PAGE_BYTES = 512 * 1024;
/** Longest wait of a long poll, and of a command for the verifiers' confirmations. */
export const MAX_POLL_WAIT_MS = 20_000;
/** Longest that an order waits for confirmations. */
export const MAX_CONFIRM_WAIT_MS = 10_000;
/** Clients told to go are asked to come back spread over this long. */
export const GOODBYE_SPREAD_MS = 5_000;

/** Without a byte for this long a client gives its connection up: three heartbeats. */
export const SILENCE_MS = 3 * HEARTBEAT_MS;
/** A stream that says nothing for this long is held back by something in between: the client polls instead. */
export const FIRST_FRAME_MS = 4_000;
/** The first reconnection comes within this, later ones with full jitter between these. */
export const RECONNECT_FIRST_MS = 250;
/** Shortest pause before a client comes back, after the first try. */
export const RECONNECT_MIN_MS = 100;
/** Longest pause before a client comes back. */
export const RECONNECT_MAX_MS = 10_000;
