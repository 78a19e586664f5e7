import { shortName } from '../../app/passports/find.js';
import { parseAgentId } from '../../protocol/identity/did.js';

/** `support-agent-v1@acme.com`, where a line is short: names alone are not unique. Null for what is no agent id. */
export function agentName(id: unknown): string | null {
  return typeof id === 'string' && parseAgentId(id) !== null ? shortName(id) : null;
}
