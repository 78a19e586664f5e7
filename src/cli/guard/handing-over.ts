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
 * `<server>.<tool>` of a call; null for one of no server. An agent that runs both names together has them told apart by the user's map. Its own
 * tools may be mapped to a server's action as well: what such a tool ran is no decision about the server's.
 */
function serverTool({ mcp, tool, action: own }: HookCall, mapped: string): string | null {
  if (mcp !== null) return `${mcp.server}.${mcp.tool}`;
  return mapped !== own && mapped.includes('.') && !isOwnTool(tool) ? mapped : null;
}
