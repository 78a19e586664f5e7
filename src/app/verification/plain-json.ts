/** Values of programs as JSON holds them: types are gone at run time, and callers may write JavaScript. */
import { lazy } from '../../protocol/lazy.js';
import { MAX_DEPTH } from '../../protocol/limits.js';
import type { Json, JsonObject } from '../../protocol/json/values.js';
import { usage } from '../failure.js';

const LONE_SURROGATE = lazy(() => /\p{Surrogate}/u);

/**
 * A copy of `value` as JSON holds it; members that are undefined are left out. What JSON would silently change (a Date, a
 * Map, NaN, a bigint) fails, because the agent would sign something else than the caller meant.
 */
export function plainParams(value: unknown, what = 'params'): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw usage(`${what} is not an object.`);
  return copied(value, what, 1) as JsonObject;
}

function copied(value: unknown, where: string, depth: number): Json {
  switch (typeof value) {
    case 'string':
      if (LONE_SURROGATE().test(value)) throw usage(`${where} holds half a character (a lone surrogate).`);
      return value;
    case 'number':
      if (!Number.isFinite(value)) throw usage(`${where} is ${value}, which JSON cannot say.`);
      return value;
    case 'boolean':
      return value;
    case 'object':
      if (value === null) return null;
      if (depth >= MAX_DEPTH) throw usage(`${where} is nested deeper than ${MAX_DEPTH}.`);
      // `map` would keep the holes of a sparse list, which no canonical form has.
      if (Array.isArray(value)) return Array.from(value, (entry, i) => copied(entry, `${where}[${i}]`, depth + 1));
      return copiedObject(value, where, depth);
    default:
      throw usage(`${where} is a ${typeof value}, which JSON cannot say.`);
  }
}

function copiedObject(value: object, where: string, depth: number): JsonObject {
  const prototype: unknown = Object.getPrototypeOf(value);
  // Objects of another realm (a vm, a test runner) have an Object.prototype of their own.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw usage(`${where} is a ${value.constructor?.name ?? 'special object'}, not a plain object.`);
  }
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  if (members.some(([name]) => LONE_SURROGATE().test(name)))
    throw usage(`${where} has a member whose name holds half a character (a lone surrogate).`);
  return Object.fromEntries(members.map(([name, member]) => [name, copied(member, `${where}.${name}`, depth + 1)]));
}
