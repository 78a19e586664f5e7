/** What to do about a refusal, as a command that can be pasted. */
import { scopeOf } from '../../mesh/subject.js';
import { MESH_KEY_REFUSED, SUPERSEDED, type CodeEntry } from '../../protocol/codes.js';
import { normalizeDomain } from '../../protocol/constraints/domains.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { GUESSED } from '../../protocol/log/attribution.js';
import { isActionName } from '../../protocol/passport.js';
import type { Decision } from '../../verify/decision.js';
import { shellWord } from '../failure.js';

/** The remedy with the agent and the action of the decision in their places; what could be more than a word in a shell leaves its place as it is. */
export function withNames(remedy: string, { agent_id, action }: Pick<Decision, 'agent_id' | 'action'>): string {
  let filled = remedy;
  if (agent_id != null && scopeOf(agent_id) === 'agent') filled = filled.replaceAll('<agent>', () => agent_id);
  if (action != null && isActionName(action)) filled = filled.replaceAll('<name>', () => shellWord(action));
  return filled;
}

/**
 * What to do about a refusal. A key that the mesh refuses is helped by no following of the mesh, a passport that was replaced by no pin, and
 * what is no host or no money by no longer list and no smaller number.
 */
export function remedyFor({ name, remedy }: Pick<CodeEntry, 'name' | 'remedy'>, details: JsonObject | null): string {
  if (name === 'REVOCATION_STALE' && details?.reason === MESH_KEY_REFUSED) return JOIN_AGAIN;
  const asked = name === 'DOMAIN_RESTRICTION_VIOLATED' ? details?.requested_domain : null;
  if (typeof asked === 'string') {
    const host = normalizeDomain(asked);
    if (host === null) return `Write it as one plain address, URL or host. ${NAME_THE_DESTINATIONS}`;
    // An airport, a currency, a date.
    if (!host.includes('.')) return `${remedy} ${NAME_THE_DESTINATIONS}`;
  }
  if (details?.[GUESSED] === true) return `${remedy} ${NAME_THE_MONEY}`;
  return details?.reason === SUPERSEDED ? GET_THE_NEWER : remedy;
}

const NAME_THE_DESTINATIONS =
  'Where the param names no destination, have the principal say which params do: `"allowed_domains": {"value": [...], "params": [...]}` (`aip help constraints`).';

const NAME_THE_MONEY =
  'Where the param holds no money, have the principal say which params do: `{"limit": ..., "params": [...]}` (`aip help constraints`).';

const GET_THE_NEWER =
  'Use the passport that replaced it: where it is published, `aip mesh follow` fetches it; else get it from its principal, and `aip passport import <file>`.';

const JOIN_AGAIN =
  'Get an API key that is in force (`aip mesh key create`, where an admin is), and join again with it: `aip mesh join <url> --key-file <file>`.';
