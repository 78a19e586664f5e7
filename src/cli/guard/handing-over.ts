/** What a hook hands over: accepted calls of MCP tools to the guard before their server, refusals of its own to the log. */
import type { HookDeps } from '../../guard/hook/decide.js';
import type { Desks } from './desks.js';

/** @returns the part of a hook's world that remembers */
export function handingOver({ leave, record }: Desks): Pick<HookDeps, 'accepted' | 'refused'> {
  return {
    accepted({ mcp, params }, action, decision) {
      const { agent_id: agentId } = decision;
      if (mcp === null || agentId === null) return;
      leave({ agentId, tool: `${mcp.server}.${mcp.tool}`, action, params }, decision);
    },
    refused: record,
  };
}
