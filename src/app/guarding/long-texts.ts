/** Long texts of a call as its intent holds them: the file that a tool writes need not travel, and its hash still says which one it was. */
import { sha256Hex } from '../../protocol/hash.js';
import { canonicalize } from '../../protocol/json/canonical.js';
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';

/** The longest text that is signed as it is, in bytes of UTF-8. */
const LONGEST_SIGNED_TEXT = 16 * 1024;
/** The most that the params of a guarded call may hold, in bytes of their RFC 8785 form. */
export const MAX_CALL_BYTES = 1024 * 1024;

/** `params` with every longer text as `{sha256, bytes}`; the same object where there is none. */
export function withHashes(params: JsonObject): JsonObject {
  const changed = hashed(params);
  return changed === params ? params : (changed as JsonObject);
}

/** True when the params of a document are those of `meant`, its long texts as hashes. */
export function standsFor(signed: JsonObject, meant: JsonObject): boolean {
  return canonicalize(signed) === canonicalize(withHashes(meant));
}

function hashed(value: Json): Json {
  if (typeof value === 'string') {
    // A text has no more bytes than three times its length.
    if (value.length * 3 <= LONGEST_SIGNED_TEXT) return value;
    const bytes = Buffer.byteLength(value);
    return bytes <= LONGEST_SIGNED_TEXT ? value : { sha256: sha256Hex(Buffer.from(value)), bytes };
  }
  if (Array.isArray(value)) {
    const items = (value as readonly Json[]).map(hashed);
    return items.every((item, i) => item === (value as readonly Json[])[i]) ? value : items;
  }
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([name, member]) => [name, hashed(member)] as const);
  return entries.every(([name, member]) => member === value[name]) ? value : Object.fromEntries(entries);
}
