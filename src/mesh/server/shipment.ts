/** Shipped log entries, read strictly: each must be whole, hash to what it says, and follow from the one before it. */
import { isDialectName } from '../../protocol/dialects.js';
import { entryHash } from '../../protocol/log/chain.js';
import type { Entry } from '../../protocol/log/entry.js';
import { objectOf, ShapeError } from '../../protocol/json/shape.js';
import { parseTime } from '../../protocol/time.js';
import { isObject, type Json } from '../../protocol/json/values.js';
import { isHash, isLogId } from '../log/head.js';
import type { ShippedEntry } from '../log/store.js';

export interface ReadShipment {
  readonly logId: string;
  readonly verifier: string;
  /** None: the verifier asks how far its log is held. */
  readonly entries: readonly ShippedEntry[];
}

/** Params nest as deep as an intent may, inside an entry inside the shipment. */
const MAX_NESTING = 40;
const MAX_ENTRIES = 1_000;

/** The shipment in a request's body. Throws ShapeError. */
export function readShipment(body: Uint8Array): ReadShipment {
  const { log_id, verifier, entries } = objectOf(parsed(body), 'the shipment', ['log_id', 'verifier', 'entries']);
  if (typeof log_id !== 'string' || !isLogId(log_id)) throw new ShapeError('"log_id" is not a log id');
  if (typeof verifier !== 'string' || !/^[A-Za-z0-9._-]{1,64}$/.test(verifier)) {
    throw new ShapeError('"verifier" is no name');
  }
  if (!Array.isArray(entries) || entries.length > MAX_ENTRIES) {
    throw new ShapeError(`"entries" is not a list of up to ${MAX_ENTRIES}`);
  }
  const read = (entries as readonly Json[]).map((entry) => readEntry(entry, verifier));
  for (let i = 1; i < read.length; i++) {
    const [before, entry] = [read[i - 1]!, read[i]!];
    if (entry.seq !== before.seq + 1 || entry.prevHash !== before.hash) {
      throw new ShapeError('the entries are not one chain');
    }
  }
  return { logId: log_id, verifier, entries: read };
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

const MEMBERS = [
  ...['seq', 'timestamp', 'agent_id', 'action', 'params', 'status', 'error_code', 'error_message', 'details', 'nonce'],
  ...['signature', 'intent_hash', 'dialect', 'verifier', 'latency_us', 'prev_hash', 'hash'],
];
const TEXTS_OR_NULL = ['action', 'error_code', 'error_message', 'nonce', 'signature', 'intent_hash'];

function readEntry(value: Json, verifier: string): ShippedEntry {
  const entry = objectOf(value, 'an entry', MEMBERS);
  const { seq, prev_hash, hash, agent_id, status, timestamp, error_code } = entry;
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
    (status === 'success' || status === 'failed') &&
    isDialectName(entry.dialect) &&
    TEXTS_OR_NULL.every((name) => entry[name] === null || typeof entry[name] === 'string') &&
    [entry.params, entry.details].every((each) => each === null || isObject(each)) &&
    typeof entry.latency_us === 'number' &&
    at !== null;
  if (!sound) throw new ShapeError('an entry is not one of a verification log');
  if (entry.verifier !== verifier) throw new ShapeError('an entry is of another verifier');
  if (!hashes(entry as unknown as Entry)) throw new ShapeError('an entry was changed after it was written');
  const text = JSON.stringify(entry);
  return { seq, prevHash: prev_hash, hash, agentId: agent_id, status, code: error_code as string | null, at, text };
}

/** What has no canonical form, such as a lone surrogate, has no hash either. */
function hashes(entry: Entry): boolean {
  try {
    return entryHash(entry) === entry.hash;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}
