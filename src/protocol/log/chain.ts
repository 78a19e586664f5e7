/**
 * The verification log is a hash chain: every entry holds the hash of the one before it, so one who changes, removes or
 * reorders an entry breaks the chain at that place. A cut-off end leaves a shorter chain that is whole in itself: it is
 * found only against a link kept elsewhere, the head that the state remembers or a signed checkpoint.
 */
import { canonicalize, sortNames } from '../json/canonical.js';
import { emptyObject, type Json, type JsonObject } from '../json/values.js';
import type { Entry, EntryDraft, ErasureDraft, InterruptedDraft, LogRecord, OutcomeDraft } from './entry.js';
import { sha256Hex } from '../hash.js';
import { commitment, hashedText, SALT_BYTES, sealedLeaf, slotsOf } from './leaf.js';

/** `prev_hash` of the first entry. */
export const GENESIS = '0'.repeat(64);

/** A place in the chain: an entry's number and hash. */
export interface Link {
  readonly seq: number;
  readonly hash: string;
}

/** The place before the first entry. */
export const START: Link = { seq: 0, hash: GENESIS };

/** 64 lower-case hex digits: SHA-256 over the entry as a leaf, without `hash`. Throws TypeError on what has no canonical form. */
export function entryHash(entry: LogRecord): string {
  if (entry.salts === null || entry.salts === undefined) return firstVersionHash(entry);
  const text = hashedText(entry);
  if (text === null) throw new TypeError('an entry without the salts that it needs');
  return sha256Hex(text);
}

const FIRST_VERSION = [
  ...['action', 'agent_id', 'details', 'dialect', 'error_code', 'error_message', 'intent_hash', 'latency_us', 'nonce'],
  ...['params', 'prev_hash', 'seq', 'signature', 'status', 'timestamp', 'verifier'],
];

/** Of an entry of the first version: over all that it holds. What came later must be empty in it, or it would be covered by nothing. */
function firstVersionHash(entry: LogRecord): string {
  const held = emptyObject();
  for (const [name, value] of Object.entries(entry) as [string, Json][]) {
    if (FIRST_VERSION.includes(name)) held[name] = value;
    else if (name === 'type' ? value !== 'verification' : name !== 'hash' && value !== null)
      throw new TypeError(`an entry of the first version has no "${name}"`);
  }
  return sha256Hex(canonicalize(held));
}

/** The entry that follows `after`, with its leaf. `random` gives the salts. Throws TypeError on what has no canonical form. */
export function seal(
  draft: EntryDraft,
  sent: JsonObject | null,
  verifier: string,
  after: Link,
  random: (n: number) => Uint8Array,
): { readonly entry: Entry; readonly leaf: string } {
  const withheld =
    sent === null ? [] : sortNames(Object.keys(sent).filter((name) => !isShown(draft.params, sent, name)));
  const placed = {
    type: 'verification' as const,
    seq: after.seq + 1,
    timestamp: draft.timestamp,
    agent_id: draft.agent_id,
    action: draft.action,
    target: draft.target,
    params: draft.params,
    status: draft.status,
    error_code: draft.error_code,
    error_message: draft.error_message,
    details: draft.details,
    nonce: draft.nonce,
    signature: draft.signature,
    intent_hash: draft.intent_hash,
    intent_timestamp: draft.intent_timestamp,
    key_id: draft.key_id,
    passport_hash: draft.passport_hash,
    passport_serial: draft.passport_serial,
    approval_request: draft.approval_request,
    dialect: draft.dialect,
    verifier,
    latency_us: draft.latency_us,
    prev_hash: after.hash,
    hash: '',
    salts: '',
    withheld: null as Entry['withheld'],
    erased: null,
    // No member where it is not true: other entries keep the bytes that they are hashed by.
    ...(draft.observed === true ? { observed: true as const } : null),
  };
  const slots = slotsOf(placed);
  const own = slots.length;
  const salts = random(SALT_BYTES * (own + withheld.length));
  if (withheld.length > 0) {
    const made: Record<string, string> = Object.create(null) as Record<string, string>;
    withheld.forEach((name, i) => {
      made[name] = commitment(salts.subarray(SALT_BYTES * (own + i), SALT_BYTES * (own + i + 1)), sent![name]!);
    });
    placed.withheld = made;
  }
  placed.salts = Buffer.from(salts).toString('base64');
  const { hash, leaf } = sealedLeaf(placed, slots, salts);
  placed.hash = hash;
  return { entry: placed, leaf };
}

/** An entry that is no verification, before it has its place. */
export type RecordDraft =
  | ({ readonly type: 'outcome' } & OutcomeDraft)
  | ({ readonly type: 'interrupted' } & InterruptedDraft)
  | ({ readonly type: 'erasure' } & ErasureDraft);

/** The same for the other kinds of entries. */
export function sealRecord(
  draft: RecordDraft,
  verifier: string,
  after: Link,
  random: (n: number) => Uint8Array,
): { readonly entry: Exclude<LogRecord, Entry>; readonly leaf: string } {
  const places = { seq: after.seq + 1, verifier, prev_hash: after.hash, withheld: null, erased: null };
  const unsealed = { ...draft, ...places, hash: '', salts: '' };
  const slots = slotsOf(unsealed);
  const salts = random(SALT_BYTES * slots.length);
  unsealed.salts = Buffer.from(salts).toString('base64');
  const { hash, leaf } = sealedLeaf(unsealed, slots, salts);
  return { entry: { ...unsealed, hash }, leaf };
}

function isShown(params: JsonObject | null, sent: JsonObject, name: string): boolean {
  return params !== null && Object.hasOwn(params, name) && params[name] === sent[name];
}

/** What is known of a log before it is checked. */
export interface ChainExpectation {
  /** The link before the first entry given; `START` unless the log was pruned. */
  readonly after?: Link;
  /** Where the log must end. Without it a cut-off end goes unnoticed, unless a checkpoint lies beyond the cut. */
  readonly head?: Link;
  /** Links vouched for elsewhere. Those before `after` cannot be checked and are passed over. */
  readonly checkpoints?: readonly Link[];
}

/** Whether a log is what was written, and where it is not. */
export type ChainReport =
  | { readonly ok: true; readonly head: Link; readonly count: number }
  /** `seq`: the first number at which the log is not what it was. */
  | { readonly ok: false; readonly seq: number; readonly reason: string };

/** Walks the log once, in constant memory, and stops at the first entry that is not what was written. */
export function verifyChain(entries: Iterable<LogRecord>, expected: ChainExpectation = {}): ChainReport {
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
    if (!hashHolds(entry)) return broken(due, 'it was changed after it was written');
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

/** True for an entry whose hash is its own. What has no canonical form, such as a lone surrogate in a damaged entry, has no hash either. */
export function hashHolds(entry: LogRecord): boolean {
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
