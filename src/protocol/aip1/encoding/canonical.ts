/**
 * The bytes that AIP-1 signs, as the Python reference writes them: keys by code point, no white space, whole floats as integers,
 * Python's spelling of other floats. Text beyond ASCII is written as escapes there, raw by the normative text.
 */
import { canonicalize } from '../../json/canonical.js';
import { isList, plainJson, type Value, type ValueObject } from './numbers.js';

/** How text beyond ASCII is written. */
export type Spelling = 'escaped' | 'raw';

/** Text that stands between its quotes as it is. */
const PLAIN = /^[ !#-[\]-~]*$/;
/** Python's ASCII form escapes everything outside space to tilde, DEL included. */
const BEYOND_ASCII = /[\u007f-\uffff]/g;
const SURROGATE = /[\ud800-\udfff]/;

/** The canonical text of `value` in the reference's form. */
export function referenceText(value: Value, spelling: Spelling): string {
  switch (typeof value) {
    case 'string':
      return quote(value, spelling);
    case 'number':
      return numberText(value);
    case 'bigint':
      return String(value);
    case 'boolean':
      return value ? 'true' : 'false';
    default:
      if (value === null) return 'null';
      return isList(value) ? listText(value, spelling) : objectText(value, spelling);
  }
}

/** The text of RFC 8785 for the same value, or null when it holds an integer that JCS cannot write exactly. */
export function jcsText(value: Value): string | null {
  const json = plainJson(value);
  return json === value ? canonicalize(json) : null;
}

function listText(list: readonly Value[], spelling: Spelling): string {
  let text = '[';
  for (let i = 0; i < list.length; i++) {
    if (i > 0) text += ',';
    text += referenceText(list[i]!, spelling);
  }
  return `${text}]`;
}

function objectText(object: ValueObject, spelling: Spelling): string {
  const names = sortedNames(object);
  let text = '{';
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!;
    if (i > 0) text += ',';
    text += `${quote(name, spelling)}:${referenceText(object[name]!, spelling)}`;
  }
  return `${text}}`;
}

function sortedNames(object: ValueObject): string[] {
  const names = Object.keys(object).sort();
  // The default order is by UTF-16 unit, which differs from code points only where a surrogate stands.
  return names.some((name) => SURROGATE.test(name)) ? names.sort(byCodePoint) : names;
}

function byCodePoint(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** A string with its quotes. */
function quote(text: string, spelling: Spelling): string {
  if (PLAIN.test(text)) return `"${text}"`;
  const quoted = JSON.stringify(text);
  return spelling === 'raw' ? quoted : quoted.replace(BEYOND_ASCII, escapeUnit);
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** A float as the reference writes it: exact integers when whole, else Python's repr (exponents below 1e-4, two digits at least). */
function numberText(value: number): string {
  if (Number.isInteger(value)) return Number.isSafeInteger(value) ? String(value) : String(BigInt(value));
  if (!Number.isFinite(value)) throw new TypeError('a number that is not finite has no canonical form');
  if (Math.abs(value) >= 1e-4) return String(value);
  return value.toExponential().replace(/e-(\d)$/, 'e-0$1');
}
