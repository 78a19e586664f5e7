/**
 * Which refusals say something about the agent: one table over both catalogues. Only the agent's own bytes count against it. What a
 * presenter, the moment, the verifier's own settings or a person decides never lowers trust, or a stranger could get an agent revoked.
 */
import { AIP1_CODES, type Aip1CodeName } from '../aip1/codes.js';
import { NATIVE_CODES, type NativeCodeName } from '../codes.js';
import { isDialectName, type DialectName } from '../dialects.js';
import type { JsonObject } from '../json/values.js';
import type { Entry } from './entry.js';

/** Member of an entry's details: this very intent was refused before. */
export const PRESENTED_BEFORE = 'presented_before';
/** Member of an entry's details: the key is bound to no agent, and its holder chose the name. */
export const UNBOUND = 'unbound_key';
/** Member of an accepted entry's details: it goes on with a call that was counted, so that no window holds it. */
export const CONTINUED = 'continued';
/** Member of a refusal's details: what was judged was found by a word in a name, and not by the name that the passport means. */
export const GUESSED = 'guessed';
/** Member of a refusal's details: nothing was measured, and this verifier refuses that. */
export const UNMEASURED = 'unmeasured';
/** Member of a refusal's details: whose rule was broken. */
export const BOUND = 'bound';
/** How the reason of a refusal begins where params were not judged by their schema: it cannot be used, or its time ran out. */
export const UNJUDGED = 'cannot be judged';

/** Beside the commitments of an erased entry: `true` or `false`, whether it counted for or against the agent. */
export const ERASED_COUNTS = 'details.attributable';
/** The same: of the revocation that the entry was refused for, its time. */
export const ERASED_REVOKED_AT = 'details.revoked_at';

/**
 * `agent`: the agent's signed bytes break its passport. `passport`: that, where the passport's own constraint or schema says so, and
 * else circumstance. `pending`: a person is asked. `circumstance`: it depends on who presented it, when, or where. `unproven`: the
 * bytes may be a stranger's.
 */
export type Attribution = 'agent' | 'passport' | 'pending' | 'circumstance' | 'unproven';

/** By name, as catalogues of both dialects grow: a code without a row does not compile. */
export const NATIVE_ATTRIBUTION: { readonly [Name in NativeCodeName]: Attribution } = {
  MALFORMED_INTENT: 'unproven',
  INVALID_SIGNATURE: 'unproven',
  UNKNOWN_AGENT: 'unproven',
  PASSPORT_INVALID: 'unproven',
  PASSPORT_EXPIRED: 'unproven',
  KEY_NOT_VALID: 'unproven',
  ACTION_NOT_DECLARED: 'agent',
  MONETARY_LIMIT_EXCEEDED: 'agent',
  DOMAIN_RESTRICTION_VIOLATED: 'agent',
  SYMBOL_NOT_ALLOWED: 'agent',
  RATE_LIMIT_EXCEEDED: 'agent',
  VALUE_NOT_ALLOWED: 'agent',
  VALUE_LIMIT_EXCEEDED: 'agent',
  REQUIRED_PARAM_MISSING: 'passport',
  APPROVAL_REQUIRED: 'pending',
  // Who lost the answer to an accepted intent asks again.
  APPROVAL_SPENT: 'circumstance',
  ACTION_DENIED: 'agent',
  PARAMS_INVALID: 'passport',
  DAILY_LIMIT_EXCEEDED: 'agent',
  TIME_WINDOW_VIOLATION: 'circumstance',
  GEO_RESTRICTION_VIOLATED: 'circumstance',
  TOOL_CHANGED: 'circumstance',
  REPLAY_DETECTED: 'unproven',
  TIMESTAMP_EXPIRED: 'unproven',
  TIMESTAMP_IN_FUTURE: 'unproven',
  NONCE_INVALID: 'unproven',
  AGENT_REVOKED: 'circumstance',
  AGENT_SUSPENDED: 'circumstance',
  PRINCIPAL_REVOKED: 'circumstance',
  TRUST_SCORE_LOW: 'circumstance',
  REVOCATION_STALE: 'circumstance',
  KEY_REVOKED: 'circumstance',
  MESH_UNAVAILABLE: 'circumstance',
  PROPAGATION_INCOMPLETE: 'circumstance',
};

/** The same for envelopes. Mandates, delegations in force and the registry of frameworks are brought along by others than the agent. */
export const AIP1_ATTRIBUTION: { readonly [Name in Aip1CodeName]: Attribution } = {
  INVALID_SIGNATURE: 'unproven',
  EXPIRED_ENVELOPE: 'unproven',
  REPLAY_DETECTED: 'unproven',
  SCHEMA_INVALID: 'unproven',
  VERSION_UNSUPPORTED: 'unproven',
  NONCE_INVALID: 'unproven',
  ACTION_NOT_ALLOWED: 'agent',
  ACTION_DENIED: 'agent',
  MONETARY_LIMIT: 'agent',
  TIME_WINDOW_VIOLATION: 'circumstance',
  GEO_RESTRICTION: 'circumstance',
  RATE_LIMIT: 'agent',
  VALUE_NOT_ALLOWED: 'agent',
  VALUE_LIMIT: 'agent',
  REQUIRED_PARAM: 'passport',
  APPROVAL_REQUIRED: 'pending',
  PARAMS_INVALID: 'passport',
  TOOL_CHANGED: 'circumstance',
  APPROVAL_SPENT: 'circumstance',
  MODEL_HASH_MISMATCH: 'agent',
  PROMPT_HASH_MISMATCH: 'agent',
  FRAMEWORK_UNREGISTERED: 'circumstance',
  INTENT_DRIFT: 'agent',
  AGENT_REVOKED: 'circumstance',
  AGENT_SUSPENDED: 'circumstance',
  PRINCIPAL_REVOKED: 'circumstance',
  DELEGATION_INVALID: 'circumstance',
  TRUST_SCORE_LOW: 'circumstance',
  MANDATE_REQUIRED: 'circumstance',
  MANDATE_INVALID: 'circumstance',
  MANDATE_EXPIRED: 'circumstance',
  MANDATE_SUBJECT_MISMATCH: 'circumstance',
  MESH_UNAVAILABLE: 'circumstance',
  REVOCATION_STALE: 'circumstance',
  HANDSHAKE_TIMEOUT: 'circumstance',
};

const NATIVE = byCode(NATIVE_CODES, NATIVE_ATTRIBUTION);
const AIP1 = byCode(AIP1_CODES, AIP1_ATTRIBUTION);
const ROWS: Readonly<Record<DialectName, ReadonlyMap<string, Attribution>>> = { native: NATIVE, 'aip-1': AIP1 };

function byCode<Name extends string>(
  catalogue: { readonly [Each in Name]: { readonly code: string } },
  table: { readonly [Each in Name]: Attribution },
): Map<string, Attribution> {
  const names = Object.keys(catalogue) as Name[];
  return new Map(names.map((name) => [catalogue[name].code, table[name]]));
}

/** The members that the judgement reads. */
export type Attributed = Pick<Entry, 'dialect' | 'error_code'> &
  Partial<Pick<Entry, 'details' | 'erased' | 'observed'>>;

/** False for a refusal that a guard only looked on at: its call ran, and no score, tally, rate or notice is made of it. */
export function isCounted({ observed }: Partial<Pick<Entry, 'observed'>>): boolean {
  return observed !== true;
}

/** False for what goes on with a call that has its place already. */
export function takesPlace({ details }: Pick<Entry, 'details'>): boolean {
  return details?.[CONTINUED] !== true;
}

/** True when an entry says something about the agent: a yes, or a refusal that it can be held to. */
export function isAttributable(entry: Attributed): boolean {
  const { dialect, error_code, details = null, erased = null } = entry;
  if (error_code === null) return true;
  if (!isCounted(entry)) return false;
  if (details !== null && isExcused(details)) return false;
  // What would have excused it is gone; without a word on it nobody is held to it.
  if (erased !== null && Object.hasOwn(erased, 'details')) return erased[ERASED_COUNTS] === 'true';
  // The verifier's own hook did not decide.
  if (error_code === 'HOOK_FAILED') return false;
  const row = isDialectName(dialect) ? ROWS[dialect].get(error_code) : undefined;
  // A hook's own code is its judgement of what the agent asked; a number of a catalogue that has no row is not known to be one.
  if (row === undefined) return !/^AIP-E\d/.test(error_code);
  return row === 'agent' || (row === 'passport' && isOfPassport(details));
}

const PENDING: ReadonlySet<string> = new Set(
  [NATIVE, AIP1].flatMap((rows) => [...rows].filter(([, row]) => row === 'pending').map(([code]) => code)),
);

/** True for a code of what waits for a person: it is neither the agent's failure nor a stranger's rubbish. */
export function isPending(code: string): boolean {
  return PENDING.has(code);
}

function isExcused(details: JsonObject): boolean {
  return [PRESENTED_BEFORE, UNBOUND, GUESSED, UNMEASURED].some((excuse) => details[excuse] === true);
}

/**
 * The verifier's own limits, beside the passport's, are marked as the caller's. What was not judged says nothing: the schema is the principal's,
 * and the time that the verifier took its own.
 */
function isOfPassport(details: JsonObject | null): boolean {
  const reason = details?.['reason'];
  if (typeof reason === 'string' && reason.startsWith(UNJUDGED)) return false;
  const bound = details?.[BOUND];
  return bound === undefined || bound === 'passport' || bound === 'mandate' || bound === 'envelope';
}
