import { AIP1_CODES, type Aip1CodeName } from '../../../protocol/aip1/codes.js';
import { NATIVE_CODES, type CodeEntry, type NativeCodeName } from '../../../protocol/codes.js';
import type { JsonObject } from '../../../protocol/json/values.js';
import type { Verdict, Violation } from '../../decision.js';

/** A violation of the AIP-1 dialect; `details` are the facts of its catalogue entry. */
export function aip1Violation(name: Aip1CodeName, message: string, details: JsonObject): Violation {
  return { entry: AIP1_CODES[name], message, details };
}

/** What AIP-1 calls the things that shared checks find. Every native code has a word here, so that none reaches a decision of AIP-1. */
const WORDS: Readonly<Record<NativeCodeName, CodeEntry>> = {
  MALFORMED_INTENT: AIP1_CODES.SCHEMA_INVALID,
  INVALID_SIGNATURE: AIP1_CODES.INVALID_SIGNATURE,
  UNKNOWN_AGENT: AIP1_CODES.INVALID_SIGNATURE,
  PASSPORT_INVALID: AIP1_CODES.MANDATE_INVALID,
  PASSPORT_EXPIRED: AIP1_CODES.MANDATE_EXPIRED,
  KEY_NOT_VALID: AIP1_CODES.INVALID_SIGNATURE,
  ACTION_NOT_DECLARED: AIP1_CODES.ACTION_NOT_ALLOWED,
  MONETARY_LIMIT_EXCEEDED: AIP1_CODES.MONETARY_LIMIT,
  DOMAIN_RESTRICTION_VIOLATED: AIP1_CODES.VALUE_NOT_ALLOWED,
  SYMBOL_NOT_ALLOWED: AIP1_CODES.VALUE_NOT_ALLOWED,
  RATE_LIMIT_EXCEEDED: AIP1_CODES.RATE_LIMIT,
  VALUE_NOT_ALLOWED: AIP1_CODES.VALUE_NOT_ALLOWED,
  VALUE_LIMIT_EXCEEDED: AIP1_CODES.VALUE_LIMIT,
  REQUIRED_PARAM_MISSING: AIP1_CODES.REQUIRED_PARAM,
  APPROVAL_REQUIRED: AIP1_CODES.APPROVAL_REQUIRED,
  APPROVAL_SPENT: AIP1_CODES.APPROVAL_SPENT,
  ACTION_DENIED: AIP1_CODES.ACTION_DENIED,
  PARAMS_INVALID: AIP1_CODES.PARAMS_INVALID,
  DAILY_LIMIT_EXCEEDED: AIP1_CODES.MONETARY_LIMIT,
  TIME_WINDOW_VIOLATION: AIP1_CODES.TIME_WINDOW_VIOLATION,
  GEO_RESTRICTION_VIOLATED: AIP1_CODES.GEO_RESTRICTION,
  TOOL_CHANGED: AIP1_CODES.TOOL_CHANGED,
  REPLAY_DETECTED: AIP1_CODES.REPLAY_DETECTED,
  TIMESTAMP_EXPIRED: AIP1_CODES.EXPIRED_ENVELOPE,
  TIMESTAMP_IN_FUTURE: AIP1_CODES.EXPIRED_ENVELOPE,
  NONCE_INVALID: AIP1_CODES.NONCE_INVALID,
  AGENT_REVOKED: AIP1_CODES.AGENT_REVOKED,
  AGENT_SUSPENDED: AIP1_CODES.AGENT_SUSPENDED,
  PRINCIPAL_REVOKED: AIP1_CODES.PRINCIPAL_REVOKED,
  TRUST_SCORE_LOW: AIP1_CODES.TRUST_SCORE_LOW,
  REVOCATION_STALE: AIP1_CODES.REVOCATION_STALE,
  KEY_REVOKED: AIP1_CODES.AGENT_REVOKED,
  MESH_UNAVAILABLE: AIP1_CODES.MESH_UNAVAILABLE,
  PROPAGATION_INCOMPLETE: AIP1_CODES.MESH_UNAVAILABLE,
};

const BY_ENTRY: ReadonlyMap<Violation['entry'], CodeEntry> = new Map(
  (Object.keys(WORDS) as NativeCodeName[]).map((name) => [NATIVE_CODES[name], WORDS[name]]),
);

/** A shared check's violation in the words of AIP-1. A hook's own codes are its own. */
export function inAip1(found: Violation): Violation {
  return { ...found, entry: BY_ENTRY.get(found.entry) ?? found.entry };
}

/** The verdict of a shared check, with the codes of this catalogue. */
export function verdictInAip1(verdict: Verdict): Verdict {
  if (verdict.status !== 'failed') return verdict;
  const [first, ...rest] = verdict.violations;
  return { status: 'failed', violations: [inAip1(first), ...rest.map(inAip1)] };
}
