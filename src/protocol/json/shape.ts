import { parseTime } from '../time.js';
import { JsonError, parseJson, parseJsonText } from './parse.js';
import { isObject, type Json, type JsonObject } from './values.js';

/** A document that is JSON but not the document it claims to be; `reason` names the member and never quotes its value. */
export class ShapeError extends Error {
  readonly reason: string;
  constructor(reason: string) {
    super(reason);
    this.name = 'ShapeError';
    this.reason = reason;
  }
}

/** The JSON in a document's bytes, strictly read. @throws ShapeError */
export function jsonOf(bytes: Uint8Array | string): Json {
  try {
    return parseJson(typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new ShapeError(`it is not strict JSON: ${error.reason} at byte ${error.offset}`);
  }
}

/** What `read` gives; null where it throws JsonError or ShapeError: the document is not the one that it should be. */
export function readOrNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof JsonError || error instanceof ShapeError) return null;
    throw error;
  }
}

/** The JSON object that a text holds, strictly read; null for every other text. */
export function jsonObjectIn(text: string): JsonObject | null {
  const json = readOrNull(() => parseJsonText(text));
  return isObject(json) ? json : null;
}

/** The object `value`, holding every required member and none beyond the optional ones. */
export function objectOf(
  value: Json | undefined,
  what: string,
  required: readonly string[],
  optional: readonly string[] = [],
): JsonObject {
  if (!isObject(value)) throw new ShapeError(`${what} is not an object`);
  for (const name of required) {
    if (value[name] === undefined) throw new ShapeError(`${what} lacks "${name}"${looksLike(value, what)}`);
  }
  let known = required.length;
  for (const name of optional) if (value[name] !== undefined) known++;
  if (Object.keys(value).length !== known) {
    const stranger = Object.keys(value).find((name) => !required.includes(name) && !optional.includes(name));
    throw new ShapeError(`${what} has an unknown member ${JSON.stringify((stranger ?? '').slice(0, 64))}`);
  }
  return value;
}

/** Members that a document of each kind has, and no other kind: two files are soon mixed up. */
const TELLTALES: readonly (readonly [what: string, members: readonly string[]])[] = [
  ['passport', ['agent_name', 'actions', 'constraints']],
  ['intent', ['action', 'params', 'nonce', 'signature']],
];

/** What else the document may be, by its members; empty where that is what it was taken for. */
function looksLike(value: JsonObject, what: string): string {
  const kind = TELLTALES.find(([, members]) => members.every((member) => value[member] !== undefined))?.[0];
  return kind === undefined || what.includes(kind) ? '' : `; it looks like ${kind === 'intent' ? 'an' : 'a'} ${kind}`;
}

/** The string member `name`, of 1 to `max` characters. */
export function textOf(object: JsonObject, name: string, max: number): string {
  const value = object[name];
  if (typeof value !== 'string') throw new ShapeError(`"${name}" is not a string`);
  if (value.length === 0) throw new ShapeError(`"${name}" is empty`);
  if (value.length > max) throw new ShapeError(`"${name}" is longer than ${max} characters`);
  return value;
}

/** The time in a member, in ms since the epoch. @throws ShapeError */
export function timeOf(object: JsonObject, name: string): number {
  const time = parseTime(textOf(object, name, 64));
  if (time === null) throw new ShapeError(`"${name}" is not an RFC 3339 time ending in Z`);
  return time;
}

/** The list member `name`, of up to `max` entries. @throws ShapeError */
export function listOf(object: JsonObject, name: string, max: number): readonly Json[] {
  const value = object[name];
  if (!Array.isArray(value)) throw new ShapeError(`"${name}" is not a list`);
  if (value.length > max) throw new ShapeError(`"${name}" has more than ${max} entries`);
  return value;
}
