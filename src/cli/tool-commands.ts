/** The commands that stand between an agent and a tool. */
import { at } from './listing.js';
import type { Section } from './spec.js';

/** Their section of the registry. */
export const TOOL_COMMANDS: Section = {
  title: 'In front of tools: programs, coding agents, MCP servers',
  commands: [
    at('serve', 'Answer programs in any language: may this agent do this?', () => import('./commands/serve.js')),
    at(
      'mcp guard',
      'Stand before an MCP server: its tools run only when the agent may run them',
      () => import('./commands/mcp/guard.js'),
    ),
    at('mcp init', 'Draft a passport from the tools of an MCP server', () => import('./commands/mcp/init.js')),
    at('mcp pin', 'Pin the tools of an MCP server as they are now', () => import('./commands/mcp/pin.js')),
    at('mcp diff', 'Show what changed in the tools of an MCP server', () => import('./commands/mcp/diff.js')),
    at(
      'hook',
      'Decide what a coding agent is about to do, as its pre-tool hook',
      () => import('./commands/hook/decide.js'),
    ),
    at(
      'hook install',
      "Put the hook into a coding agent's configuration, or take it out",
      () => import('./commands/hook/install.js'),
    ),
  ],
};
