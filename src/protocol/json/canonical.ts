/**
 * The bytes that are signed: RFC 8785 (JCS). One value has exactly one text, in whatever order its members were written.
 */
import type { Json, JsonObject } from './values.js';
import { lazy } from '../lazy.js';

/** ASCII that JSON writes as it is; anything else goes through JSON.stringify. */
const PLAIN = /^[ !#-[\]-~]*$/;
const LONE_SURROGATE = lazy(() => /\p{Surrogate}/u);

/**
 * The canonical text of `value`; its UTF-8 encoding is what is signed. Throws TypeError on what no parsed document holds:
 * a number that is not finite, a lone surrogate (RFC 8785, section 3.2.2.2), undefined.
 */
export function canonicalize(value: Json): string {
  switch (typeof value) {
    case 'string':
      return quote(value);
    case 'number':
      // ECMAScript's own number format is the one JCS prescribes (section 3.2.2.3); it writes -0 as 0.
      if (!Number.isFinite(value)) throw new TypeError('a number that is not finite has no canonical form');
      return String(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      return isList(value) ? canonicalList(value) : canonicalObject(value, null);
    default:
      throw new TypeError(`${typeof value} has no canonical form`);
  }
}

/** The canonical text of `object` without its own member `member`: how a signature is left out of what it signs. */
export function canonicalizeWithout(object: JsonObject, member: string): string {
  return canonicalObject(object, member);
}

function canonicalList(list: readonly Json[]): string {
  let text = '[';
  for (let i = 0; i < list.length; i++) {
    if (i > 0) text += ',';
    text += canonicalize(list[i]!);
  }
  return `${text}]`;
}

function canonicalObject(object: JsonObject, without: string | null): string {
  const names = sortNames(Object.keys(object));
  let text = '';
  for (const name of names) {
    if (name === without) continue;
    text += (text === '' ? '{' : ',') + quote(name) + ':' + canonicalize(object[name]!);
  }
  return text === '' ? '{}' : text + '}';
}

/** Objects are small and often in order already; sorting those by insertion takes no memory. */
const FEW = 16;

/** In place. Comparison is by UTF-16 code units, as section 3.2.3 asks; the default sort compares so too. */
export function sortNames(names: string[]): string[] {
  if (names.length > FEW) return names.sort();
  for (let i = 1; i < names.length; i++) {
    const name = names[i]!;
    let to = i;
    for (; to > 0 && names[to - 1]! > name; to--) names[to] = names[to - 1]!;
    names[to] = name;
  }
  return names;
}

/** True where both are the same JSON, in whatever order their members stand. */
export function sameJson(one: Json | undefined, other: Json): boolean {
  return one !== undefined && canonicalize(one) === canonicalize(other);
}

function quote(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  if (LONE_SURROGATE().test(text)) throw new TypeError('a lone surrogate has no canonical form');
  return JSON.stringify(text);
}

function isList(value: readonly Json[] | JsonObject): value is readonly Json[] {
  return Array.isArray(value);
}
