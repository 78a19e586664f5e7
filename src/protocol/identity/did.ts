/**
 * Names of agents and principals: `did:web:<domain>:agents:<name>` and `did:web:<domain>`.
 * Only the lower-case canonical spelling is accepted, so that two spellings can never name one agent.
 */

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
/** Clients take a host whose last label is a number, in any base, for an IP address (WHATWG URL, "ends in a number"). */
const NO_ADDRESS = '(?!(?:[a-z0-9.-]*\\.)?(?:[0-9]+|0x[0-9a-f]*)(?:[%:]|$))';
const DOMAIN = new RegExp(`^${NO_ADDRESS}(?=.{1,253}(?:%3A|$))${LABEL}(?:\\.${LABEL})*(?:%3A[1-9][0-9]{0,4})?$`);
const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

/** An agent id in its parts. */
export interface AgentId {
  /** The whole id, `did:web:<domain>:agents:<name>`. */
  readonly id: string;
  /** The domain as written in the id; a port is spelled `%3A8443`. */
  readonly domain: string;
  readonly name: string;
}

/** True for a lower-case DNS name, optionally with a port spelled `%3A8443`. */
export function isDomain(text: string): boolean {
  if (!DOMAIN.test(text)) return false;
  const port = text.split('%3A')[1];
  return port === undefined || Number(port) <= 65535;
}

/** True for a name that may stand at the end of an agent id. */
export function isAgentName(text: string): boolean {
  return NAME.test(text);
}

/** An id without a port. */
const AGENT_ID = new RegExp(`^did:web:${NO_ADDRESS}${LABEL}(?:\\.${LABEL})*:agents:${NAME.source.slice(1)}`);

/** True for an agent id; takes the ids of nearly all intents in one step. */
export function isAgentId(text: string): boolean {
  // No domain in so short a text is too long.
  return (text.length <= 253 && AGENT_ID.test(text)) || parseAgentId(text) !== null;
}

/** The agent id in `text`, or null when it is not exactly one. */
export function parseAgentId(text: string): AgentId | null {
  const parts = text.split(':');
  const [did, web, domain, agents, name] = parts;
  if (parts.length !== 5 || did !== 'did' || web !== 'web' || agents !== 'agents') return null;
  if (!isDomain(domain!) || !isAgentName(name!)) return null;
  return { id: text, domain: domain!, name: name! };
}

/** The domain of a principal id `did:web:<domain>`, or null when `text` is not one. */
export function parsePrincipalId(text: string): string | null {
  if (!text.startsWith('did:web:')) return null;
  const domain = text.slice('did:web:'.length);
  return isDomain(domain) ? domain : null;
}

/** The reference of AIP-1 names agents after classes and functions. */
const AIP1_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,62}$/;
const AGENTS = ':agents:';

/** Who answers for the agent with this id, by its domain, in either dialect; null when it is no agent's id. */
export function principalOfAgent(id: string): string | null {
  const end = id.indexOf(AGENTS);
  const principal = id.slice(0, end);
  if (end === -1 || parsePrincipalId(principal) === null) return null;
  return AIP1_NAME.test(id.slice(end + AGENTS.length)) ? principal : null;
}

/** The id of an agent by domain and name, which the caller has checked. */
export function agentId(domain: string, name: string): string {
  return `did:web:${domain}:agents:${name}`;
}

/** The id of a principal by its domain, which the caller has checked. */
export function principalId(domain: string): string {
  return `did:web:${domain}`;
}

/** The key id `<did>#key-<n>`. */
export function keyId(did: string, n: number): string {
  return `${did}#key-${n}`;
}

/** The number in a key id of `did`, or null when the id is not of that form. */
export function keyNumber(did: string, id: string): number | null {
  if (!id.startsWith(`${did}#key-`)) return null;
  const digits = id.slice(did.length + '#key-'.length);
  return /^(0|[1-9][0-9]{0,8})$/.test(digits) ? Number(digits) : null;
}

/** Where did:web publishes a DID document (W3C did:web, "Read"): the domain's well-known path, or the path of the DID. */
export function didDocumentUrl(did: string): string {
  const [domain, ...path] = did.slice('did:web:'.length).split(':');
  const host = domain!.replace('%3A', ':');
  return path.length === 0 ? `https://${host}/.well-known/did.json` : `https://${host}/${path.join('/')}/did.json`;
}
