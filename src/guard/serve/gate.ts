/** Who may ask, and for which agent. */
import type { WebReply, WebRequestHead } from '../../app/ports/web.js';
import { refusalReply, RequestRefused } from './replies.js';

/** An agent that the service signs for, and the token that stands for it; null where there is one agent and no token of its own. */
export interface AgentToken {
  readonly agentId: string;
  readonly token: string | null;
}

/** What the gate knows. */
export interface GateRules {
  readonly agents: readonly AgentToken[];
  /** The token of `--token-file`, for whatever comes in over TCP; null where nothing listens there. */
  readonly token: string | null;
  /** Values of Host that are answered over TCP, in lower case. */
  readonly hosts: ReadonlySet<string>;
  /** Compares two texts in a time that does not tell where they differ. */
  readonly same: (a: string, b: string) => boolean;
}

/** An admitted caller: the agent that it may act for, or null. */
export interface AdmittedCaller {
  readonly agentId: string | null;
  /** True where it gave that agent's own token: it speaks of no other agent then. */
  readonly byToken: boolean;
}

/**
 * A page in a browser can send requests to this machine, and a name of its own can be made to point here: Origin and Host tell both.
 * @throws Refusal
 */
export function admit(rules: GateRules, { headers, entrance, path }: WebRequestHead): AdmittedCaller {
  if (headers.origin !== undefined)
    throw new RequestRefused(403, 'ORIGIN_REFUSED', 'Requests of web pages are not answered.');
  if (entrance === 'tcp' && !rules.hosts.has((headers.host ?? '').toLowerCase()))
    throw new RequestRefused(421, 'HOST_REFUSED', 'The Host of this request is not one that is served here.');
  if (path === '/healthz') return { agentId: null, byToken: false };
  const given = tokenIn(headers.authorization);
  if (given !== null) {
    const own = rules.agents.find(({ token }) => token !== null && rules.same(token, given));
    if (own !== undefined) return { agentId: own.agentId, byToken: true };
    if (rules.token === null || !rules.same(rules.token, given))
      throw new RequestRefused(401, 'UNAUTHENTICATED', 'The token is not one of this service.');
    return { agentId: onlyAgent(rules), byToken: false };
  }
  if (entrance === 'tcp' || headers.authorization !== undefined)
    throw new RequestRefused(401, 'UNAUTHENTICATED', 'A bearer token is needed here.');
  return { agentId: onlyAgent(rules), byToken: false };
}

/** The refusal of a request whose sender may not ask, known by its headers; null for one that may come in. */
export function refusedOnHeaders(rules: GateRules, head: WebRequestHead): WebReply | null {
  try {
    admit(rules, head);
    return null;
  } catch (error) {
    if (!(error instanceof RequestRefused)) throw error;
    return refusalReply(error);
  }
}

/** Without a token of its own, an agent is meant only where it is the only one. */
function onlyAgent({ agents }: GateRules): string | null {
  return agents.length === 1 && agents[0]!.token === null ? agents[0]!.agentId : null;
}

function tokenIn(header: string | undefined): string | null {
  return /^Bearer ([\x21-\x7e]{1,512})$/i.exec(header ?? '')?.[1] ?? null;
}
