/**
 * The verification log is a hash chain: every entry holds the hash of the one before it, so whoever changes, removes or
 * reorders an entry breaks the chain at that place. A cut-off end leaves a shorter chain that is whole in itself: it is
 * found only against a link kept elsewhere, the head that the state remembers or a signed checkpoint.
 */
import { canonicalize, canonicalizeWithout } from '../json/canonical.js';
import type { Entry, EntryDraft } from './entry.js';
import { sha256Hex } from '../hash.js';

/** `prev_hash` of the first entry. */
export const GENESIS = '0'.repeat(64);

/** A place in the chain: an entry's number and hash. */
export interface Link {
  readonly seq: number;
  readonly hash: string;
}

/** The place before the first entry. */
export const START: Link = { seq: 0, hash: GENESIS };

/** 64 lower-case hex digits: SHA-256 over the RFC 8785 bytes of the entry without `hash`. */
export function entryHash(entry: Entry | Omit<Entry, 'hash'>): string {
  return sha256Hex(hashedText(entry) ?? canonicalizeWithout({ ...entry }, 'hash'));
}

const HASHED = [
  ...([
    'action',
    'agent_id',
    'details',
    'dialect',
    'error_code',
    'error_message',
    'intent_hash',
    'latency_us',
  ] as const),
  ...(['nonce', 'params', 'prev_hash', 'seq', 'signature', 'status', 'timestamp', 'verifier'] as const),
];

/**
 * The canonical text of an entry that has exactly the members of one, written in the order that sorting gives; null otherwise. Checking a log is
 * mostly this.
 */
function hashedText(entry: Entry | Omit<Entry, 'hash'>): string | null {
  const { action, agent_id, details, dialect, error_code, error_message, intent_hash, latency_us } = entry;
  const { nonce, params, prev_hash, seq, signature, status, timestamp, verifier } = entry;
  if (Object.keys(entry).length !== ('hash' in entry ? 17 : 16)) return null;
  for (const name of HASHED) if (entry[name] === undefined) return null;
  return (
    `{"action":${canonicalize(action)},"agent_id":${canonicalize(agent_id)},"details":${canonicalize(details)},` +
    `"dialect":${canonicalize(dialect)},"error_code":${canonicalize(error_code)},` +
    `"error_message":${canonicalize(error_message)},"intent_hash":${canonicalize(intent_hash)},` +
    `"latency_us":${canonicalize(latency_us)},"nonce":${canonicalize(nonce)},"params":${canonicalize(params)},` +
    `"prev_hash":${canonicalize(prev_hash)},"seq":${canonicalize(seq)},"signature":${canonicalize(signature)},` +
    `"status":${canonicalize(status)},"timestamp":${canonicalize(timestamp)},"verifier":${canonicalize(verifier)}}`
  );
}

/** The entry that follows `after`. Throws TypeError on what has no canonical form. */
export function seal(draft: EntryDraft, verifier: string, after: Link): Entry {
  const entry = {
    seq: after.seq + 1,
    timestamp: draft.timestamp,
    agent_id: draft.agent_id,
    action: draft.action,
    params: draft.params,
    status: draft.status,
    error_code: draft.error_code,
    error_message: draft.error_message,
    details: draft.details,
    nonce: draft.nonce,
    signature: draft.signature,
    intent_hash: draft.intent_hash,
    dialect: draft.dialect,
    verifier,
    latency_us: draft.latency_us,
    prev_hash: after.hash,
    hash: '',
  };
  entry.hash = entryHash(entry);
  return entry;
}

export interface ChainExpectation {
  /** The link before the first entry given; `START` unless the log was pruned. */
  readonly after?: Link;
  /** Where the log must end. Without it a cut-off end goes unnoticed, unless a checkpoint lies beyond the cut. */
  readonly head?: Link;
  /** Links vouched for elsewhere. Those before `after` cannot be checked and are passed over. */
  readonly checkpoints?: readonly Link[];
}

export type ChainReport =
  | { readonly ok: true; readonly head: Link; readonly count: number }
  /** `seq`: the first number at which the log is not what it was. */
  | { readonly ok: false; readonly seq: number; readonly reason: string };

/** Walks the log once, in constant memory, and stops at the first entry that is not what was written. */
export function verifyChain(entries: Iterable<Entry>, expected: ChainExpectation = {}): ChainReport {
  const start = expected.after ?? START;
  const vouched = new Map<number, string[]>();
  for (const { seq, hash } of expected.checkpoints ?? []) vouched.set(seq, [...(vouched.get(seq) ?? []), hash]);
  const contradicted = (link: Link): boolean => vouched.get(link.seq)?.some((hash) => hash !== link.hash) === true;

  let last = start;
  let count = 0;
  if (contradicted(start)) return broken(start.seq, 'it is not the entry that the checkpoint names');
  for (const entry of entries) {
    const due = last.seq + 1;
    if (entry.seq > due) return broken(due, missing(due, entry.seq - 1));
    if (entry.seq < due) return broken(due, `entry ${entry.seq} stands where entry ${due} belongs`);
    if (entry.prev_hash !== last.hash) return broken(due, 'it does not follow from the entry before it');
    if (!hashes(entry)) return broken(due, 'it was changed after it was written');
    last = { seq: entry.seq, hash: entry.hash };
    count += 1;
    if (contradicted(last)) return broken(due, 'it is not the entry that the checkpoint names');
  }

  const end = Math.max(expected.head?.seq ?? 0, ...vouched.keys());
  if (end > last.seq) return broken(last.seq + 1, missing(last.seq + 1, end));
  if (expected.head !== undefined && expected.head.seq !== last.seq) {
    return broken(expected.head.seq + 1, 'it was added after the head that the log remembers');
  }
  if (expected.head !== undefined && expected.head.hash !== last.hash) {
    return broken(last.seq, 'it is not the entry that the log remembers as its head');
  }
  return { ok: true, head: last, count };
}

/** A damaged entry can hold what has no canonical form; then it has no hash either. */
function hashes(entry: Entry): boolean {
  try {
    return entryHash(entry) === entry.hash;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

function missing(from: number, to: number): string {
  return from === to ? 'it is missing' : `it and the entries up to ${to} are missing`;
}

function broken(seq: number, reason: string): ChainReport {
  return { ok: false, seq, reason };
}
