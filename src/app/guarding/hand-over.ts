/**
 * A call of an MCP tool comes by twice where a coding agent has a hook and its server has a guard: the hook decides, and the guard takes
 * that decision as its own, once, so that nothing is counted twice. What is left lies in the state's folder; what it says is believed
 * only where the log holds the entry.
 */
import { sha256Hex } from '../../protocol/hash.js';
import { canonicalize } from '../../protocol/json/canonical.js';
import type { JsonObject } from '../../protocol/json/values.js';
import type { Passport } from '../../protocol/passport.js';
import { HAND_OVER_MS } from '../ports/hand-overs.js';
import type { DecidedEntry } from '../ports/state.js';

/** Which call it is: to both the tool is `<server>.<tool>`. */
export interface HandedCall {
  readonly agentId: string;
  readonly tool: string;
  readonly action: string;
  readonly params: JsonObject;
}

/** The name of a call: 64 hex digits. */
export function handOverKey({ agentId, tool, action, params }: HandedCall): string {
  return sha256Hex(canonicalize({ agent_id: agentId, tool, action, params }));
}

/**
 * True where the entry is an acceptance of this call that may still be taken over. A passport that was replaced since has said nothing
 * about it.
 */
export function mayTakeOver(
  decided: DecidedEntry | null,
  { agentId, action }: Pick<HandedCall, 'agentId' | 'action'>,
  passport: Passport,
  now: number,
): boolean {
  if (decided === null) return false;
  const { entry, outcomes } = decided;
  const age = now - Date.parse(entry.timestamp);
  return (
    entry.agent_id === agentId &&
    entry.action === action &&
    entry.passport_hash === passport.hash() &&
    age <= HAND_OVER_MS &&
    age >= -HAND_OVER_MS &&
    outcomes.final === null
  );
}
