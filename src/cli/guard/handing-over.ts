/** What a hook hands over: accepted calls of MCP tools to the guard before their server, refusals of its own to the log. */
import type { HookCall } from '../../guard/hook/call.js';
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

/** `<server>.<tool>` of a call; null for one of no server. An agent that runs both names together has them told apart by the user's map. */
function serverTool({ mcp, action: own }: HookCall, mapped: string): string | null {
  if (mcp !== null) return `${mcp.server}.${mcp.tool}`;
  return mapped !== own && mapped.includes('.') ? mapped : null;
}
