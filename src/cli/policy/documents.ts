/** Passports and cases as the policy commands read them. */
import { Failure } from '../../app/failure.js';
import { standIn } from '../../app/policy/stand-in.js';
import { JsonError, parseJson } from '../../protocol/json/parse.js';
import { ShapeError } from '../../protocol/json/shape.js';
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import type { Passport } from '../../protocol/passport.js';
import { readInput } from '../input/documents.js';
import type { Notices } from '../output.js';
import type { Surroundings } from '../io.js';

/** JSON of at most 4 MiB. Fails with UNREADABLE. */
export function jsonIn(bytes: Uint8Array, name: string): Json {
  try {
    return parseJson(bytes, null, { bytes: 4 * 1024 * 1024, depth: 40 });
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new Failure('UNREADABLE', `${name} is not JSON that can be read: ${error.reason}.`, {
      hint: 'jq . cases.json',
    });
  }
}

/** The same, and an object. Fails with UNREADABLE. */
export function objectIn(bytes: Uint8Array, name: string): JsonObject {
  const json = jsonIn(bytes, name);
  if (isObject(json)) return json;
  throw new Failure('UNREADABLE', `${name} holds no document.`, { hint: 'aip policy test --help' });
}

/**
 * A passport or a draft of one, signed or not: what it allows is asked, and not whether it counts. Fails with NOT_FOUND or UNREADABLE.
 */
export async function draftPassport(
  path: string,
  cli: Notices & Surroundings,
): Promise<{ readonly json: JsonObject; readonly passport: Passport }> {
  const json = objectIn(await readInput(path, cli), path);
  try {
    return { json, passport: standIn(json, false) };
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new Failure('UNREADABLE', `${path} is not a passport: ${error.reason}.`, {
      hint: `aip passport lint ${path}`,
    });
  }
}
