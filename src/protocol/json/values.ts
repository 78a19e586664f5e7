/** JSON as the strict parser yields it: objects inherit nothing, so `__proto__` and `constructor` are ordinary names. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
/** A JSON object. */
export interface JsonObject {
  readonly [name: string]: Json;
}

/** True for a JSON object, and so not for a list or null. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const Members = function () {} as unknown as new () => Record<string, Json>;
Object.defineProperty(Members, 'prototype', { value: Object.freeze(Object.create(null)) });

/**
 * An object that inherits nothing. It has a prototype that is empty, rather than none: V8 keeps an object without one as a
 * dictionary, which made parsing an intent twice as slow.
 */
export function emptyObject(): Record<string, Json> {
  return new Members();
}
