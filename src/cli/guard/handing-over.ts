/** What a hook hands over: accepted calls of MCP tools to the guard before their server, refusals of its own to the log. */
import type { HookCall } from '../../guard/hook/call.js';
import { isOwnTool } from '../../guard/hook/clients.js';
import type { HookDeps } from '../../guard/hook/decide.js';
import type { Desks } from './desks.js';

/** @returns the part of a hook's world that remembers */
export function handingOver({ leave, record }: Desks): Pick<HookDeps, 'accepted' | 'refused'> {
  return {
    accepted(call, action, decision) {
      const { agent_id: agentId } = decision;
      const tool = serverTool(call, action);
      if (tool !== null && agentId !== null) leave({ agentId, tool, action, params: call.params }, decision);
    },
    refused: record,
  };
}

/**
 * `<server>.<tool>` of a call; null for one of no server. An agent that runs both names together (`github-create_issue`) has them told apart
 * by the user's map. Another tool may be mapped to the same action: what it ran is no decision about the server's.
 */
function serverTool({ mcp, tool }: HookCall, action: string): string | null {
  if (mcp !== null) return `${mcp.server}.${mcp.tool}`;
  const names = letters(action);
  return action.includes('.') && !isOwnTool(tool) && [names, `mcp${names}`].includes(letters(tool)) ? action : null;
}

const letters = (name: string): string => name.toLowerCase().replace(/[-_.]/g, '');
