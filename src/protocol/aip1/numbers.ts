/**
 * Python has integers of any size, and agents sign them (64-bit ids are common). A double would round them, and what is judged
 * would no longer be what was signed; so integers beyond 2^53 are read exactly.
 */
import { parseJson } from '../json.js';
import { ShapeError } from '../shape.js';
import { emptyObject, type Json, type JsonObject } from '../values.js';

/** A JSON value whose integers beyond 2^53 are bigints. */
export type Value = null | boolean | number | bigint | string | readonly Value[] | ValueObject;
export interface ValueObject {
  readonly [name: string]: Value;
}

const MAYBE_LARGE = /[0-9]{16}/;
const STRING_OR_INTEGER = /"(?:[^"\\]|\\.)*"|(?<![\w.+-])-?[0-9]{16,}(?![\w.])/g;
/** The member name that marks an exact integer between two readings; no document that holds it in any form gets this far. */
const MARK = '\u0000';
const ESCAPED_MARK = '\\u0000';

/**
 * The document in `bytes`, with large integers exact.
 * @throws JsonError as parseJson does. @throws ShapeError when a document mixes large integers with NUL characters.
 */
export function parseExact(bytes: Uint8Array): Value {
  const value = parseJson(bytes);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  if (!MAYBE_LARGE.test(text)) return value;
  // The text is strict JSON by now, so a pattern tells strings from numbers reliably.
  let found = false;
  const marked = text.replace(STRING_OR_INTEGER, (token) => {
    if (token.startsWith('"') || Number.isSafeInteger(Number(token))) return token;
    found = true;
    return `{"${ESCAPED_MARK}":"${token}"}`;
  });
  if (!found) return value;
  if (text.includes(ESCAPED_MARK)) throw new ShapeError('it holds a NUL character beside an integer beyond 2^53');
  return unmark(parseJson(Buffer.from(marked, 'utf8')));
}

function unmark(value: Json): Value {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(unmark);
  const object = value as JsonObject;
  const digits = object[MARK];
  if (digits !== undefined) return BigInt(digits as string);
  const copy = Object.create(null) as Record<string, Value>;
  for (const name of Object.keys(object)) copy[name] = unmark(object[name]!);
  return copy;
}

/** The same value for readers that know no bigints: large integers become strings of digits. */
export function plain(value: Value): Json {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null || !holdsBigint(value)) return value as Json;
  if (isList(value)) return value.map(plain);
  const copy = emptyObject();
  for (const name of Object.keys(value)) copy[name] = plain(value[name]!);
  return copy;
}

function holdsBigint(value: Value): boolean {
  if (typeof value === 'bigint') return true;
  if (typeof value !== 'object' || value === null) return false;
  return isList(value) ? value.some(holdsBigint) : Object.values(value).some(holdsBigint);
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}
