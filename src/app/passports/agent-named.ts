import { findPassport, type FindDeps } from './find.js';

/**
 * The agent id that people mean by `<agent>` where only its past is asked for: an id is taken as it is, also of an agent whose passport is not
 * known here; a name or a file stands for the passport's agent.
 */
export async function agentNamed(deps: FindDeps, agent: string): Promise<string> {
  // AIP-1 agents may have other DIDs.
  if (/^did:[a-z0-9]+:./.test(agent)) return agent;
  return (await findPassport(deps, agent)).passport.agent.id;
}
