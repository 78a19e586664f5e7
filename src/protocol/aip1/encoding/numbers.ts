/**
 * Python has integers of any size, and agents sign them (64-bit ids are common). A double would round them, and what is judged
 * would no longer be what was signed; so integers beyond 2^53 are read exactly.
 */
import { parseJson, parseJsonText, type LargeInteger } from '../../json/parse.js';
import { emptyObject, type Json } from '../../json/values.js';

/** A JSON value whose integers beyond 2^53 are bigints. */
export type Value = null | boolean | number | bigint | string | readonly Value[] | ValueObject;
/** An object whose numbers keep every digit. */
export interface ValueObject {
  readonly [name: string]: Value;
}

/** The document in `bytes` or text, with large integers exact. @throws JsonError as parseJson does. */
export function parseExact(document: Uint8Array | string): Value {
  return typeof document === 'string' ? parseJsonText(document, exactly) : parseJson(document, exactly);
}

/** Other readers of JSON never see these: the type of what `parseExact` returns says so. */
const exactly = ((written: string) =>
  /^-?\d+$/.test(written) ? BigInt(written) : Number(written)) as unknown as LargeInteger;

/** The same value for readers that know no bigints: large integers become strings of digits. */
export function plainJson(value: Value): Json {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null || !holdsBigint(value)) return value as Json;
  if (isList(value)) return value.map(plainJson);
  const copy = emptyObject();
  for (const name of Object.keys(value)) copy[name] = plainJson(value[name]!);
  return copy;
}

function holdsBigint(value: Value): boolean {
  if (typeof value === 'bigint') return true;
  if (typeof value !== 'object' || value === null) return false;
  return isList(value) ? value.some(holdsBigint) : Object.values(value).some(holdsBigint);
}

/** True for a list. */
export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}
