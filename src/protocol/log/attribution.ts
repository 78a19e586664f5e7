import type { Entry } from './entry.js';

/** Member of an entry's details: this very intent was refused before. */
export const PRESENTED_BEFORE = 'presented_before';

/**
 * True when a refusal says something about the agent. Whatever was refused before or at its signature, a replay, a
 * denied key and a stale copy may be a stranger's doing, and what the verifier could not find out is nobody's: none of these may lower an
 * agent's trust, or sending rubbish in its name would get it revoked (protocol, "Reports as JSON"). Nor may an intent of its own
 * that is refused again, which takes no more than to hold it.
 */
export function isAttributable({
  dialect,
  error_code,
  details = null,
}: Pick<Entry, 'dialect' | 'error_code'> & Partial<Pick<Entry, 'details'>>): boolean {
  if (error_code === null) return true;
  if (details?.[PRESENTED_BEFORE] === true) return false;
  // The verifier's own hook did not decide.
  if (error_code === 'HOOK_FAILED') return false;
  // AIP-1 counts replays and stale envelopes among E1xx and drift among E3xx.
  return dialect === 'native' ? !/^AIP-(?:E[135]\d\d|E40[56])$/.test(error_code) : !/^AIP-E[15]\d\d$/.test(error_code);
}
