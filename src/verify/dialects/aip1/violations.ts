import { AIP1_CODES, type Aip1CodeName } from '../../../protocol/aip1/codes.js';
import { NATIVE_CODES } from '../../../protocol/codes.js';
import type { JsonObject } from '../../../protocol/json/values.js';
import type { Verdict, Violation } from '../../decision.js';

/** A violation of the AIP-1 dialect; `details` are the facts of its catalogue entry. */
export function aip1Violation(name: Aip1CodeName, message: string, details: JsonObject): Violation {
  return { entry: AIP1_CODES[name], message, details };
}

/**
 * What AIP-1 calls the things that shared checks find. The codes it has no word for (E205 to E209, E211) keep their own, as no code
 * of AIP-1 has these numbers; domains and symbols have numbers that it uses for other things, and become E206.
 */
const WORDS: Readonly<Record<string, Violation['entry']>> = {
  ACTION_NOT_DECLARED: AIP1_CODES.ACTION_NOT_ALLOWED,
  ACTION_DENIED: AIP1_CODES.ACTION_DENIED,
  MONETARY_LIMIT_EXCEEDED: AIP1_CODES.MONETARY_LIMIT,
  DAILY_LIMIT_EXCEEDED: AIP1_CODES.MONETARY_LIMIT,
  TIME_WINDOW_VIOLATION: AIP1_CODES.TIME_WINDOW_VIOLATION,
  GEO_RESTRICTION_VIOLATED: AIP1_CODES.GEO_RESTRICTION,
  DOMAIN_RESTRICTION_VIOLATED: NATIVE_CODES.VALUE_NOT_ALLOWED,
  SYMBOL_NOT_ALLOWED: NATIVE_CODES.VALUE_NOT_ALLOWED,
  AGENT_REVOKED: AIP1_CODES.AGENT_REVOKED,
  KEY_REVOKED: AIP1_CODES.AGENT_REVOKED,
  AGENT_SUSPENDED: AIP1_CODES.AGENT_SUSPENDED,
  PRINCIPAL_REVOKED: AIP1_CODES.PRINCIPAL_REVOKED,
  REVOCATION_STALE: AIP1_CODES.REVOCATION_STALE,
};

/** A shared check's violation in the words of AIP-1. A hook's own codes are its own. */
export function inAip1(found: Violation): Violation {
  const { entry } = found;
  const isOurs = (NATIVE_CODES as Readonly<Record<string, Violation['entry']>>)[entry.name] === entry;
  return { ...found, entry: (isOurs ? WORDS[entry.name] : undefined) ?? entry };
}

/** The verdict of a shared check, with the codes of this catalogue. */
export function verdictInAip1(verdict: Verdict): Verdict {
  if (verdict.status !== 'failed') return verdict;
  const [first, ...rest] = verdict.violations;
  return { status: 'failed', violations: [inAip1(first), ...rest.map(inAip1)] };
}
