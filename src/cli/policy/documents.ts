/** Passports and cases as the policy commands read them. */
import { Failure } from '../../app/failure.js';
import { findPassport, looksLikePath, type FoundPassport } from '../../app/passports/find.js';
import { filledUp, standIn } from '../../app/policy/stand-in.js';
import type { JsonBounds } from '../../protocol/json/bounds.js';
import { ShapeError } from '../../protocol/json/shape.js';
import { isObject, type Json, type JsonObject } from '../../protocol/json/values.js';
import type { Passport } from '../../protocol/passport.js';
import { jsonIn, readInput } from '../input/documents.js';
import type { Notices } from '../output.js';
import type { Surroundings } from '../io.js';
import type { Setting } from '../setting.js';
import { fileExists } from '../../workspace/files.js';
import { localState } from '../../workspace/state.js';

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

/** A passport as the policy commands judge by it. */
export interface PolicyPassport {
  readonly json: JsonObject;
  readonly passport: Passport;
  /** How a case names it: the file, or the document where it is kept here alone. */
  readonly named: string | JsonObject;
}

/**
 * A passport or a draft of one, signed or not: what it allows is asked, and not whether it counts. A name or an id is that of a passport known here.
 * What a draft leaves out is that of `like`.
 * Fails with NOT_FOUND, UNREADABLE or USAGE.
 */
export async function draftPassport(
  given: string,
  cli: Setting & Notices & Surroundings,
  like: JsonObject | null = null,
): Promise<PolicyPassport> {
  const known = await knownPassport(given, cli);
  if (known !== null) {
    const json = known.passport.document as unknown as JsonObject;
    return { json, passport: standIn(json, false), named: known.path ?? json };
  }
  const json = filledUp(objectIn(await readInput(given, cli), given), like);
  try {
    return { json, passport: standIn(json, false), named: given };
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new Failure('UNREADABLE', `${given} is not a passport: ${error.reason}.`, {
      hint: `aip passport lint ${given}`,
    });
  }
}

/** The passport that is known by this name or id; null for a path, and where none is known and a file has the name. Fails with NOT_FOUND. */
export async function knownPassport(name: string, cli: Setting & Surroundings): Promise<FoundPassport | null> {
  if (name === '' || looksLikePath(name)) return null;
  try {
    return await findPassport({ state: await localState(cli.workspace), readFile: () => Promise.resolve(null) }, name);
  } catch (error) {
    if (error instanceof Failure && error.code === 'NOT_FOUND' && (await fileExists(name))) return null;
    throw error;
  }
}
