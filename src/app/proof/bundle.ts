/**
 * A bundle: what shows a stranger one action. It is canonical JSON with a hash over itself, so that a copy that was changed by accident is told from a
 * forged one; nothing in it is believed for that.
 */
import { sha256Hex } from '../../protocol/hash.js';
import { canonicalize, canonicalizeWithout, sameJson } from '../../protocol/json/canonical.js';
import { parseJson } from '../../protocol/json/parse.js';
import { objectOf, ShapeError } from '../../protocol/json/shape.js';
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import type { Entry, LogRecord, OutcomeEntry } from '../../protocol/log/entry.js';
import { isSentText, type SignedForm } from './sent.js';

/** Where a leaf stands in the tree, and the path from it to the root; hashes in base64, from the leaf up. */
export interface Inclusion {
  readonly index: number;
  readonly hashes: readonly string[];
}

/** One action, as `aip logs prove` writes it. */
export interface Bundle {
  readonly type: 'aip-proof';
  readonly version: 1;
  /** The document as it was signed; null where the log does not hold all of it. */
  readonly intent: SignedForm | null;
  /** The passport under which it was judged; null where none was in force. */
  readonly passport: JsonObject | null;
  /** The key that signed the passport, as this verifier had it pinned; for people: it proves nothing. */
  readonly principal_key: string | null;
  /** The verifier's request for approval, and what persons signed: answers to it, or approvals of exactly this intent. */
  readonly approvals: readonly JsonObject[];
  /** The decision's entry, without the members that the intent shows. */
  readonly decision: JsonObject;
  readonly inclusion: Inclusion;
  /** What became of it: the entry and its place; null where nothing is recorded. */
  readonly outcome: { readonly entry: JsonObject; readonly inclusion: Inclusion } | null;
  /** A C2SP tlog-checkpoint with its signatures. */
  readonly checkpoint: string;
}

const MEMBERS = [
  ...['type', 'version', 'intent', 'passport', 'principal_key', 'approvals', 'decision', 'inclusion', 'outcome'],
  ...['checkpoint', 'hash'],
];
/** A bundle holds a passport of at most 64 KiB and an intent of as much, some of it twice. */
const MAX_BUNDLE_BYTES = 512 * 1024;
/** A passport names fewer approvers. */
const MOST_APPROVALS = 1025;
/** Members of the entry that a reader takes from the intent. */
const SHOWN_BY_INTENT = ['agent_id', 'action', 'target', 'params', 'nonce', 'signature'] as const;
/** The members that a decision has beside them. */
const DECISION = [
  ...[
    'type',
    'seq',
    'timestamp',
    'status',
    'error_code',
    'error_message',
    'details',
    'intent_hash',
    'intent_timestamp',
  ],
  ...['key_id', 'passport_hash', 'passport_serial', 'approval_request', 'dialect', 'verifier', 'latency_us'],
  ...['prev_hash', 'hash', 'salts', 'withheld', 'erased'],
];
/** Members that some decisions have as well. */
const SOME_HAVE = ['observed'];
/** The last second that a time is written of: the end of the year 9999. */
const LAST_SECOND = 253_402_300_799;

/** The bundle as text, with its line feed. */
export function writeBundle(bundle: Bundle): string {
  const object = bundle as unknown as JsonObject;
  return `${canonicalize({ ...object, hash: sha256Hex(canonicalize(object)) })}\n`;
}

/** Reads a bundle strictly: no byte of it is left to choice. @throws JsonError, ShapeError */
export function readBundle(bytes: Uint8Array): Bundle {
  if (bytes.length > MAX_BUNDLE_BYTES) throw new ShapeError(`a bundle has at most ${MAX_BUNDLE_BYTES} bytes`);
  const text = Buffer.from(bytes).toString('utf8');
  const object = objectOf(bounded(bytes), 'the bundle', MEMBERS);
  if (object['type'] !== 'aip-proof' || object['version'] !== 1) throw new ShapeError('it is not a proof of version 1');
  if (`${canonicalize(object)}\n` !== text)
    throw new ShapeError('it is not in the canonical form in which it was written');
  if (object['hash'] !== sha256Hex(canonicalizeWithout(object, 'hash')))
    throw new ShapeError('it was changed after it was written: its hash is of other bytes');
  const { intent, passport, principal_key, approvals, decision, inclusion, outcome, checkpoint } = object;
  for (const each of [passport, outcome])
    if (each !== null && !isObject(each)) throw new ShapeError('a part of it is no object');
  if (intent !== null && !isObject(intent) && !(typeof intent === 'string' && isSentText(intent)))
    throw new ShapeError('"intent" is no document');
  if (principal_key !== null && typeof principal_key !== 'string') throw new ShapeError('"principal_key" is not text');
  if (
    !Array.isArray(approvals) ||
    approvals.length > MOST_APPROVALS ||
    !approvals.every((each: Json) => isObject(each))
  )
    throw new ShapeError('"approvals" is not a list of documents');
  if (typeof checkpoint !== 'string') throw new ShapeError('a part of it is missing');
  checkDecision(objectOf(decision, 'the decision', DECISION, [...SHOWN_BY_INTENT, ...SOME_HAVE]));
  if (outcome !== null) {
    const { entry, inclusion: place } = objectOf(outcome, 'the outcome', ['entry', 'inclusion']);
    if (!isObject(entry)) throw new ShapeError('the outcome is no entry');
    checkErased(entry);
    readInclusion(place!);
  }
  readInclusion(inclusion!);
  const { hash: _, ...rest } = object;
  return rest as unknown as Bundle;
}

/** Documents may nest as deep as an intent; the bundle holds them two levels down. */
function bounded(bytes: Uint8Array): Json {
  return parseJson(bytes, null, { bytes: MAX_BUNDLE_BYTES, depth: 40 });
}

function checkDecision(decision: JsonObject): void {
  const { type, seq, timestamp, status, error_code, intent_timestamp: claimed, salts, withheld, observed } = decision;
  if (type !== 'verification' || !Number.isSafeInteger(seq)) throw new ShapeError('the decision is no entry of one');
  if (typeof timestamp !== 'string') throw new ShapeError('"timestamp" is not text');
  if (status === 'success' ? error_code !== null : status !== 'failed' || typeof error_code !== 'string')
    throw new ShapeError('"status" is "success", or "failed" with the code of a refusal');
  const isTime = typeof claimed === 'number' && Number.isSafeInteger(claimed) && claimed >= 0 && claimed <= LAST_SECOND;
  if (claimed !== null && !isTime) throw new ShapeError('"intent_timestamp" is not Unix seconds');
  if (observed !== undefined && (observed !== true || status !== 'failed'))
    throw new ShapeError('"observed" is true, and of a refusal');
  if (typeof salts !== 'string') throw new ShapeError('"salts" is not text');
  if (withheld !== null && !isObject(withheld)) throw new ShapeError('"withheld" holds no commitments');
  checkErased(decision);
}

/** Nothing is said in two ways: what is erased is listed, and null stands for nothing. */
function checkErased({ erased }: JsonObject): void {
  if (erased === null) return;
  if (!isObject(erased ?? null) || Object.keys(erased as JsonObject).length === 0)
    throw new ShapeError('"erased" holds no commitments');
}

/** The path in `value`, with nothing beside it. @throws ShapeError */
export function readInclusion(value: Json): Inclusion {
  const { index, hashes } = objectOf(value, 'the inclusion proof', ['index', 'hashes']);
  const sound =
    typeof index === 'number' &&
    Number.isSafeInteger(index) &&
    index >= 0 &&
    Array.isArray(hashes) &&
    hashes.length <= 48 &&
    hashes.every((each: Json) => typeof each === 'string' && /^[A-Za-z0-9+/]{43}=$/.test(each));
  if (!sound) throw new ShapeError('the inclusion proof is not whole');
  return value as unknown as Inclusion;
}

/** The entry without what the intent shows as well; null for `intent` where the bundle holds none. */
export function withoutShown(entry: Entry, intent: JsonObject | null): JsonObject {
  const left: Record<string, Json> = { ...(entry as unknown as JsonObject) };
  if (intent === null) return left;
  for (const name of SHOWN_BY_INTENT) if (sameJson(left[name], intent[name] ?? null)) delete left[name];
  return left;
}

/** The entry as it is in the log: what was left out is taken from the intent. */
export function withShown(decision: JsonObject, intent: JsonObject | null): Entry {
  const whole: Record<string, Json> = { ...decision };
  for (const name of SHOWN_BY_INTENT) if (!Object.hasOwn(whole, name)) whole[name] = intent?.[name] ?? null;
  return whole as unknown as Entry;
}

/** The outcome's entry. */
export function outcomeIn(bundle: Bundle): OutcomeEntry | null {
  return bundle.outcome === null ? null : (bundle.outcome.entry as unknown as OutcomeEntry);
}

/** As it stands in a bundle. */
export function entryJson(record: LogRecord): JsonObject {
  return record as unknown as JsonObject;
}
