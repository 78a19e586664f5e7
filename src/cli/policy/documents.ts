/** Passports and cases as the policy commands read them. */
import { Failure } from '../../app/failure.js';
import { standIn } from '../../app/policy/stand-in.js';
import type { JsonBounds } from '../../protocol/json/bounds.js';
import { ShapeError } from '../../protocol/json/shape.js';
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import type { Passport } from '../../protocol/passport.js';
import { jsonIn, readInput } from '../input/documents.js';
import type { Notices } from '../output.js';
import type { Surroundings } from '../io.js';

/** Many cases stand in one file. */
const CASES_BOUNDS: JsonBounds = { bytes: 4 * 1024 * 1024, depth: 40 };

/** JSON of at most 4 MiB. Fails with UNREADABLE. */
export function casesJson(bytes: Uint8Array, name: string): Json {
  return jsonIn(bytes, name, null, CASES_BOUNDS);
}

/** The same, and an object. Fails with UNREADABLE. */
export function objectIn(bytes: Uint8Array, name: string): JsonObject {
  const json = casesJson(bytes, name);
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
