/** Reading the members of AIP-1 documents: typed and bounded. */
import { ShapeError } from '../../json/shape.js';
import { parseTime } from '../../time.js';
import { isList, type Value, type ValueObject } from './numbers.js';

/** A string of at most `max` characters; an empty one only where `min` is 0. */
export function requiredText(object: ValueObject, name: string, max: number, min = 1): string {
  const value = object[name];
  if (typeof value !== 'string') throw new ShapeError(`"${name}" is not a string`);
  if (value.length < min) throw new ShapeError(`"${name}" is empty`);
  if (value.length > max) throw new ShapeError(`"${name}" is longer than ${max} characters`);
  return value;
}

/** The text member `name` of up to `max` characters, or null. @throws ShapeError */
export function textOrNull(object: ValueObject, name: string, max: number): string | null {
  return object[name] === null ? null : requiredText(object, name, max, 0);
}

/** The member `name`, one of `values`. @throws ShapeError */
export function oneOf<T extends string>(object: ValueObject, name: string, values: readonly T[]): T {
  const value = object[name];
  if (!values.includes(value as T))
    throw new ShapeError(`"${name}" is not ${values.map((v) => `"${v}"`).join(' or ')}`);
  return value as T;
}

/** ms since the epoch. */
export function requiredTime(object: ValueObject, name: string): number {
  const ms = parseTime(requiredText(object, name, 64));
  if (ms === null) throw new ShapeError(`"${name}" is not an RFC 3339 time ending in Z`);
  return ms;
}

/** The time member `name` in ms since the epoch, or null. @throws ShapeError */
export function timeOrNull(object: ValueObject, name: string): number | null {
  return object[name] === null ? null : requiredTime(object, name);
}

/** The list member `name` of up to `max` entries. @throws ShapeError */
export function requiredList(object: ValueObject, name: string, max: number): readonly Value[] {
  const value = object[name]!;
  if (!isList(value)) throw new ShapeError(`"${name}" is not a list`);
  if (value.length > max) throw new ShapeError(`"${name}" has more than ${max} entries`);
  return value;
}

/** The list member `name`, of texts that are not empty. @throws ShapeError */
export function textsOf(object: ValueObject, name: string, maxEntries: number, maxLength: number): readonly string[] {
  const list = requiredList(object, name, maxEntries);
  for (const entry of list) {
    if (typeof entry !== 'string' || entry.length === 0 || entry.length > maxLength) {
      throw new ShapeError(`an entry of "${name}" is not a string of 1 to ${maxLength} characters`);
    }
  }
  return list as readonly string[];
}
