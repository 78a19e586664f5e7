import type { Violation } from './decision.js';
import type { Effects } from './dialect.js';
import type { Findings } from './pipeline.js';

/**
 * Refusals that time, standing or another's spending could turn into a yes. Their nonce is spent: who captured such an intent
 * must not be able to hold it back and present it when the window has room again, beside the one that the agent signed since.
 */
const MAY_CHANGE: ReadonlySet<string> = new Set([
  'RATE_LIMIT_EXCEEDED',
  'RATE_LIMIT',
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
 * True for a refusal that would be the same at any later time. It is asked by name, which means the same in every dialect. What a hook
 * said with a code of its own may change with the hook.
 */
export function leavesNonce({ entry }: Violation): boolean {
  return !MAY_CHANGE.has(entry.name) && entry.code.startsWith('AIP-E');
}

/**
 * True when the judgement spends the intent's nonce: a yes always, a refusal when it could be a yes a moment later. A refusal
 * that would be the same again spends nothing, so that asking twice gives the same answer; neither does one that waits for an
 * approval (E209) or for the verifier's own mesh (E405).
 */
export function spendsNonce({ violations }: Pick<Findings, 'violations'>, leaves: Effects['leavesNonce']): boolean {
  return !violations.some(leaves);
}
