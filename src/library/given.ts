/** What callers hand in, looked at before it is used: types are gone at run time, and callers may write JavaScript. */
import { Failure } from '../app/failure.js';
import { MAX_DEPTH } from '../protocol/limits.js';
import { parseDuration } from '../protocol/time.js';
import type { Json, JsonObject } from '../protocol/values.js';

/** A number and a unit: `'300s'`, `'30m'`, `'24h'`, `'90d'`, `'250ms'`. */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

const LONE_SURROGATE = /\p{Surrogate}/u;

export function usage(message: string, hint?: string): Failure {
  return new Failure('USAGE', message, hint === undefined ? {} : { hint });
}

/** Fails on an option that nobody knows: a misspelt limit must not read as no limit. */
export function onlyKnown(options: object, known: ReadonlySet<string>, what: string): void {
  for (const name in options) {
    if (!known.has(name)) throw usage(`${what} has no option "${name.slice(0, 64)}".`, [...known].join(', '));
  }
}

/** ms. */
export function durationOf(text: string, name: string): number {
  const ms = typeof text === 'string' ? parseDuration(text) : null;
  if (ms === null) throw usage(`"${name}" is not a duration.`, "write it like '300s', '30m', '24h' or '90d'");
  return ms;
}

/**
 * A copy of `value` as JSON holds it; members that are undefined are left out. What JSON would silently change (a Date, a
 * Map, NaN, a bigint) fails, because the agent would sign something else than the caller meant.
 */
export function paramsOf(value: unknown, what = 'params'): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw usage(`${what} is not an object.`);
  return copied(value, what, 1) as JsonObject;
}

function copied(value: unknown, where: string, depth: number): Json {
  switch (typeof value) {
    case 'string':
      if (LONE_SURROGATE.test(value)) throw usage(`${where} holds half a character (a lone surrogate).`);
      return value;
    case 'number':
      if (!Number.isFinite(value)) throw usage(`${where} is ${value}, which JSON cannot say.`);
      return value;
    case 'boolean':
      return value;
    case 'object':
      if (value === null) return null;
      if (depth >= MAX_DEPTH) throw usage(`${where} is nested deeper than ${MAX_DEPTH}.`);
      if (Array.isArray(value)) return value.map((entry, i) => copied(entry, `${where}[${i}]`, depth + 1));
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
  return Object.fromEntries(members.map(([name, member]) => [name, copied(member, `${where}.${name}`, depth + 1)]));
}
