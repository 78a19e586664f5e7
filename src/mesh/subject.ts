import { parsePrincipalId } from '../protocol/did.js';

/** The subject that stands for the whole mesh: denying it stops every agent. */
export const EVERYONE = '*';

export type Scope = 'agent' | 'principal' | 'mesh';

const AGENTS = ':agents:';
/** The reference package names agents after classes and functions. Whom a verifier accepts, an operator must be able to stop. */
const AGENT_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,62}$/;

function isAgent(text: string): boolean {
  const end = text.indexOf(AGENTS);
  return (
    end !== -1 && parsePrincipalId(text.slice(0, end)) !== null && AGENT_NAME.test(text.slice(end + AGENTS.length))
  );
}

/** What kind of subject `text` names: an agent, a principal (all of its agents), or everyone; null when it is none. */
export function scopeOf(text: string): Scope | null {
  if (text === EVERYONE) return 'mesh';
  if (isAgent(text)) return 'agent';
  return parsePrincipalId(text) === null ? null : 'principal';
}

/** The principal that an agent id names by its domain. `check` runs on every verification, so it must not parse. */
export function principalOf(agentId: string): string {
  const end = agentId.indexOf(AGENTS);
  return end === -1 ? agentId : agentId.slice(0, end);
}
