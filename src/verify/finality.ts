import type { Decision } from './decision.js';

/**
 * Refusals that time, standing or another's spending could turn into a yes. Their nonce is spent: who captured such an intent
 * must not be able to hold it back and present it when the window has room again, beside the one that the agent signed since.
 */
const MAY_CHANGE: ReadonlySet<string> = new Set([
  'AIP-E205',
  'AIP-E212',
  'AIP-E213',
  'AIP-E303',
  'AIP-E401',
  'AIP-E402',
  'AIP-E403',
  'AIP-E404',
]);

/**
 * True when the decision spends the intent's nonce: a yes always, a refusal when it could be a yes a moment later. A refusal
 * that would be the same again spends nothing, so that asking twice gives the same answer; neither does one that waits for an
 * approval (E209) or for the verifier's own mesh (E405).
 */
export function spendsNonce({ success, violations }: Pick<Decision, 'success' | 'violations'>): boolean {
  return success || violations.every(({ error_code }) => MAY_CHANGE.has(error_code) || !error_code.startsWith('AIP-E'));
}
