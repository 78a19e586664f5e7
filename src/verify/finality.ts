import type { Decision, Refusal } from './decision.js';

/**
 * Refusals that time, standing or another's spending could turn into a yes. Their nonce is spent: who captured such an intent
 * must not be able to hold it back and present it when the window has room again, beside the one that the agent signed since.
 */
const MAY_CHANGE: ReadonlySet<string> = new Set([
  'RATE_LIMIT_EXCEEDED',
  'DAILY_LIMIT_EXCEEDED',
  'TIME_WINDOW_VIOLATION',
  'TIMESTAMP_IN_FUTURE',
  'AGENT_REVOKED',
  'AGENT_SUSPENDED',
  'PRINCIPAL_REVOKED',
  'KEY_REVOKED',
  'TRUST_SCORE_LOW',
]);

/**
 * True when the decision spends the intent's nonce: a yes always, a refusal when it could be a yes a moment later. A refusal
 * that would be the same again spends nothing, so that asking twice gives the same answer; neither does one that waits for an
 * approval (E209) or for the verifier's own mesh (E405).
 */
export function spendsNonce({ success, violations }: Pick<Decision, 'success' | 'violations'>): boolean {
  return success || violations.every(mayChange);
}

/** By name, which means the same in both dialects. What a hook said with a code of its own may change with the hook. */
function mayChange({ error_code, error_message }: Refusal): boolean {
  return MAY_CHANGE.has(error_message) || !error_code.startsWith('AIP-E');
}
