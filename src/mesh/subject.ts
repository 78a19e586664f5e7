import { parsePrincipalId, principalOfAgent } from '../protocol/identity/did.js';

/** The subject that stands for the whole mesh: denying it stops every agent. */
export const EVERYONE = '*';

export type Scope = 'agent' | 'principal' | 'mesh';

/** What kind of subject `text` names: an agent, a principal (all of its agents), or everyone; null when it is none. */
export function scopeOf(text: string): Scope | null {
  if (text === EVERYONE) return 'mesh';
  // Whom a verifier accepts, an operator must be able to stop.
  if (principalOfAgent(text) !== null) return 'agent';
  return parsePrincipalId(text) === null ? null : 'principal';
}

/** The principal that an agent id names by its domain. `check` runs on every verification, so it must not parse. */
export function principalOf(agentId: string): string {
  const end = agentId.indexOf(':agents:');
  return end === -1 ? agentId : agentId.slice(0, end);
}
