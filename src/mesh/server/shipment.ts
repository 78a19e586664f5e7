/** Shipped log entries, read strictly: each must be whole, hash to what it says, and follow from the one before it. */
import { isDialectName } from '../../protocol/dialects.js';
import { hashHolds } from '../../protocol/log/chain.js';
import type { LogRecord, RecordType } from '../../protocol/log/entry.js';
import { objectOf, ShapeError } from '../../protocol/json/shape.js';
import { parseTime } from '../../protocol/time.js';
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import { isHash, isLogId } from '../log/head.js';
import type { ShippedEntry } from '../log/store.js';
import type { Request } from './http/exchange.js';
import { schemaMembers } from '../schemas.js';

/** A shipment as read. */
export interface ReadShipment {
  readonly logId: string;
  readonly verifier: string;
  /** None: the verifier asks how far its log is held. */
  readonly entries: readonly ShippedEntry[];
  /** When it was sent, by the verifier's clock, in ms since the epoch; null where it does not say. */
  readonly sentAt: number | null;
}

/** Params nest as deep as an intent may, inside an entry inside the shipment. */
const MAX_NESTING = 40;
const MAX_ENTRIES = 1_000;

/** The shipment of a request. Throws ShapeError. */
export function readShipment({ body, headers }: Pick<Request, 'body' | 'headers'>): ReadShipment {
  const { log_id, verifier, entries } = objectOf(parsed(body), 'the shipment', ...schemaMembers('Shipment'));
  if (typeof log_id !== 'string' || !isLogId(log_id)) throw new ShapeError('"log_id" is not a log id');
  if (typeof verifier !== 'string' || !isVerifierName(verifier)) {
    throw new ShapeError('"verifier" is no name');
  }
  if (!Array.isArray(entries) || entries.length > MAX_ENTRIES) {
    throw new ShapeError(`"entries" is not a list of up to ${MAX_ENTRIES}`);
  }
  // A header, which a mesh of an earlier version passes over.
  const said = headers['aip-sent-at'];
  const sentAt = said === undefined ? null : parseTime(said);
  if (said !== undefined && sentAt === null) throw new ShapeError('"Aip-Sent-At" is not an RFC 3339 time');
  const read = (entries as readonly Json[]).map((entry) => readEntry(entry, verifier));
  for (let i = 1; i < read.length; i++) {
    const [before, entry] = [read[i - 1]!, read[i]!];
    if (entry.seq !== before.seq + 1 || entry.prevHash !== before.hash) {
      throw new ShapeError('the entries are not one chain');
    }
  }
  return { logId: log_id, verifier, entries: read, sentAt };
}

/** True for the name under which a verifier may ship its log. */
export function isVerifierName(text: string): boolean {
  return /^[A-Za-z0-9._-]{1,64}$/.test(text);
}

/**
 * A shipment is larger than a document may be, and what it says twice or spells oddly cannot do harm: every entry is written
 * anew, and its canonical form must have the hash that its verifier gave it.
 */
function parsed(body: Uint8Array): Json {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < body.length; i++) {
    const byte = body[i]!;
    if (quoted) {
      if (byte === 0x5c) i++;
      else if (byte === 0x22) quoted = false;
    } else if (byte === 0x22) quoted = true;
    else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > MAX_NESTING) throw new ShapeError('the shipment is nested too deep');
    } else if (byte === 0x5d || byte === 0x7d) depth--;
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as Json;
  } catch {
    throw new ShapeError('the shipment is not JSON');
  }
}

/** Of the first version, and since. */
const FIRST_MEMBERS = [
  ...['seq', 'timestamp', 'agent_id', 'action', 'params', 'status', 'error_code', 'error_message', 'details', 'nonce'],
  ...['signature', 'intent_hash', 'dialect', 'verifier', 'latency_us', 'prev_hash', 'hash'],
];
const LATER_MEMBERS = [
  ...['type', 'target', 'intent_timestamp', 'key_id', 'passport_hash', 'passport_serial', 'approval_request'],
  ...['salts', 'withheld', 'erased', 'observed'],
];
const PLACE = ['type', 'seq', 'timestamp', 'agent_id', 'verifier', 'prev_hash', 'hash', 'salts', 'withheld', 'erased'];
/** The members of each other kind of entry: those that it always has, and those that it may have. A kind that is missing stops a whole log. */
const OTHER_MEMBERS: Readonly<Record<Exclude<RecordType, 'verification'>, readonly [string[], string[]]>> = {
  outcome: [[...PLACE, 'of', 'status', 'exit_code', 'duration_ms', 'result_hash', 'detail', 'claimed'], ['released']],
  interrupted: [[...PLACE, 'intent_hash', 'settled_as', 'settled_at'], []],
  erasure: [[...PLACE, 'entries', 'param', 'by', 'signature'], []],
};
const TEXTS_OR_NULL = ['action', 'error_code', 'error_message', 'nonce', 'signature', 'intent_hash'];

function readEntry(value: Json, verifier: string): ShippedEntry {
  const type = isObject(value) && typeof value['type'] === 'string' ? value['type'] : 'verification';
  const others = Object.hasOwn(OTHER_MEMBERS, type) ? OTHER_MEMBERS[type as keyof typeof OTHER_MEMBERS] : null;
  const entry = objectOf(value, 'an entry', ...(others ?? ([FIRST_MEMBERS, LATER_MEMBERS] as const)));
  const { seq, prev_hash, hash, agent_id, timestamp } = entry;
  const at = typeof timestamp === 'string' ? parseTime(timestamp) : null;
  const sound =
    typeof seq === 'number' &&
    Number.isSafeInteger(seq) &&
    seq >= 1 &&
    typeof prev_hash === 'string' &&
    isHash(prev_hash) &&
    typeof hash === 'string' &&
    isHash(hash) &&
    typeof agent_id === 'string' &&
    (others === null ? isVerification(entry, type) : true) &&
    at !== null;
  // Where entries are looked for by it, a database takes no NUL; of a log that somebody made up, it is not for lack of room.
  if (!sound || [agent_id, entry.error_code].some((name) => String(name).includes('\0')))
    throw new ShapeError('an entry is not one of a verification log');
  if (entry.verifier !== verifier) throw new ShapeError('an entry is of another verifier');
  if (!hashHolds(entry as unknown as LogRecord)) throw new ShapeError('an entry was changed after it was written');
  const text = JSON.stringify(entry);
  // Filters by status and code are for verifications; what else there is goes by its kind.
  const status = others === null ? (entry.status as string) : type;
  const code = others === null ? (entry.error_code as string | null) : null;
  const observed = entry.observed === true ? { observed: true as const } : null;
  return { seq, prevHash: prev_hash, hash, agentId: agent_id, status, code, at, ...observed, text };
}

function isVerification(entry: JsonObject, type: string): boolean {
  return (
    type === 'verification' &&
    (entry.status === 'success' || entry.status === 'failed') &&
    isDialectName(entry.dialect) &&
    TEXTS_OR_NULL.every((name) => entry[name] === null || typeof entry[name] === 'string') &&
    [entry.params, entry.details].every((each) => each === null || isObject(each)) &&
    typeof entry.latency_us === 'number' &&
    (entry.observed === undefined || (entry.observed === true && entry.status === 'failed'))
  );
}
