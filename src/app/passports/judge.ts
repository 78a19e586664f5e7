import { NATIVE_CODES } from '../../protocol/codes.js';
import { JsonError, parseJson } from '../../protocol/json/parse.js';
import { passportIn, passportOf, type Passport } from '../../protocol/passport.js';
import { readOrNull, ShapeError } from '../../protocol/json/shape.js';
import { isObject, type Json } from '../../protocol/json/values.js';
import { deniedKeys } from '../../verify/believed-keys.js';
import { issuerOf, issuerProblem } from '../../verify/checks/issuer.js';
import type { PinnedKey } from '../../verify/context.js';
import { DEFAULT_MAX_SKEW_S } from '../../protocol/limits.js';
import { floorProblem } from '../../verify/checks/floor.js';
import type { Violation } from '../../verify/decision.js';
import { Failure } from '../failure.js';
import { pinnedKeys, requireIssued } from '../keys/principals.js';
import type { State } from '../ports/state.js';
import { bindingFloors } from './floors.js';

/** What `aip passport verify` says of one file. */
export interface PassportReport {
  readonly valid: boolean;
  readonly agent_id: string | null;
  readonly principal: string | null;
  readonly key_id: string | null;
  readonly issued_at: string | null;
  readonly expires_at: string | null;
  readonly error_code: string | null;
  readonly error_message: string | null;
  readonly message: string;
  readonly source: string;
}

/** The judgement of one document. */
export interface PassportVerdict {
  readonly report: PassportReport;
  readonly passport: Passport | null;
  readonly replaced?: Violation;
  readonly unsigned?: boolean;
}

/** What is remembered of passports and standings; reading it raises nothing. */
export type FloorMemory = Pick<State, 'floors' | 'standing' | 'standingNow'>;

/** Why a passport that holds by itself was replaced, as known here; null when it counts. */
function replacedIn(
  memory: FloorMemory,
  passport: Passport,
  pins: readonly PinnedKey[],
  now: number,
): Violation | null {
  return floorProblem(passport, bindingFloors(memory.floors(passport.agent.id), pins, standingFacts(memory, now)));
}

/** Why the key that signed a passport counts no longer, as known here; null when it is in good standing. */
export function issuerDenial(
  memory: FloorMemory,
  passport: Passport,
  pins: readonly PinnedKey[],
  now: number,
): Violation | null {
  const [denied = null] = deniedKeys(standingFacts(memory, now), [issuerOf(passport, () => pins)], passport.agent.id);
  return denied;
}

function standingFacts(memory: FloorMemory, now: number) {
  return { standing: (subject: string) => memory.standing(subject), standingNow: memory.standingNow(now) };
}

/**
 * A passport that its pinned principal did not sign, or that was replaced, is never signed again: an agent would get its edit, or the
 * wider limits it once had, back by having its key rotated.
 */
export function requireCurrent(
  state: FloorMemory & Pick<State, 'pins' | 'passport'>,
  passport: Passport,
  now: number,
): void {
  requireIssued(state, passport);
  const pins = pinnedKeys(state.pins(passport.document.principal));
  const denied = issuerDenial(state, passport, pins, now);
  const known = denied === null ? null : state.passport(passport.agent.id);
  // What is known here was believed before its key was denied, and is to be signed by another. Any other may be forged, or an older one
  // that was wider: the floors of a denied key bind no more.
  if (denied !== null && (known === null || passportIn(known.text)?.hash() !== passport.hash()))
    throw new Failure('KEY_REVOKED', `AIP-E406 KEY_REVOKED: ${denied.message}`, {
      hint:
        known === null
          ? `get one that another key of ${passport.document.principal} signed`
          : `use the one that is known: aip passport show ${passport.agent.id}`,
    });
  const problem = replacedIn(state, passport, pins, now);
  if (problem === null) return;
  throw new Failure('PASSPORT_REFUSED', `AIP-E103 PASSPORT_INVALID: ${problem.message}`, {
    hint: `use the one that is known: aip passport show ${passport.agent.id}`,
  });
}

/** The pinned keys of a principal; a promise where they have to be fetched. */
export type PinLookup = (principal: string) => Promise<readonly PinnedKey[]> | readonly PinnedKey[];

/**
 * Judges a passport by itself. Bytes that are no JSON are the caller's mistake (a failure); a document that is no passport,
 * was edited, or is out of force is refused with a code. `replaced`: what is in force instead, where that is why; `unsigned`: it is a draft.
 */
export async function judgePassport(
  bytes: Uint8Array,
  source: string,
  pins: PinLookup,
  now: number,
  memory: FloorMemory,
): Promise<PassportVerdict> {
  let json: Json;
  try {
    json = parseJson(bytes);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new Failure('UNREADABLE', `${source} is not strict JSON: ${error.reason} at byte ${error.offset}.`);
  }
  let passport: Passport;
  try {
    passport = passportOf(json);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    return {
      report: refused(null, source, 'PASSPORT_INVALID', `This is not a valid passport: ${error.reason}.`),
      passport: null,
      unsigned: isUnsigned(json),
    };
  }
  const keys = await pins(passport.document.principal);
  const problem = issuerProblem(passport, keys);
  if (problem !== null) return { report: refused(passport, source, 'PASSPORT_INVALID', problem), passport };
  const denied = issuerDenial(memory, passport, keys, now);
  if (denied !== null) return { report: refused(passport, source, 'KEY_REVOKED', denied.message), passport };
  if (passport.issuedAt - now > DEFAULT_MAX_SKEW_S * 1000) {
    const ahead = `The passport is dated ahead: it is in force from ${passport.document.issued_at}.`;
    return { report: refused(passport, source, 'PASSPORT_EXPIRED', ahead), passport };
  }
  const gone = replacedIn(memory, passport, keys, now);
  if (gone !== null)
    return { report: refused(passport, source, 'PASSPORT_INVALID', gone.message), passport, replaced: gone };
  if (passport.expiresAt !== null && now >= passport.expiresAt) {
    const message = `The passport expired at ${passport.document.expires_at}.`;
    return { report: refused(passport, source, 'PASSPORT_EXPIRED', message), passport };
  }
  const message = `The passport of ${passport.agent.id} is whole, signed by ${passport.document.principal}, and in force.`;
  return {
    report: { ...about(passport, source), valid: true, error_code: null, error_message: null, message },
    passport,
  };
}

/** True for a document that lacks nothing of a passport but the signature. */
function isUnsigned(json: Json): boolean {
  if (!isObject(json) || Object.hasOwn(json, 'issuer_signature')) return false;
  return readOrNull(() => passportOf({ ...json, issuer_signature: '0'.repeat(128) })) !== null;
}

function refused(
  passport: Passport | null,
  source: string,
  name: 'PASSPORT_INVALID' | 'PASSPORT_EXPIRED' | 'KEY_REVOKED',
  message: string,
): PassportReport {
  return {
    ...about(passport, source),
    valid: false,
    error_code: NATIVE_CODES[name].code,
    error_message: name,
    message,
  };
}

function about(passport: Passport | null, source: string) {
  return {
    agent_id: passport?.agent.id ?? null,
    principal: passport?.document.principal ?? null,
    key_id: passport?.document.key_id ?? null,
    issued_at: passport?.document.issued_at ?? null,
    expires_at: passport?.document.expires_at ?? null,
    source,
  };
}
