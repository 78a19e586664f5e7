/** What a guard before an MCP server stands on: the server's process, and the pins of its tools. */
import { join } from 'node:path';
import type { StdioOptions, StdioServer } from '../../adapters/process/stdio-server.js';
import type { PinnedTool } from '../../adapters/files/tool-pins.js';
import type { LocalWorkspace } from '../workspace.js';

export type { PinnedTool, StdioServer };
export { readLines, writeLine } from '../../adapters/process/stdio-server.js';

/** Starts a server; null where there is no such program. */
export async function stdioServer(
  { world }: LocalWorkspace,
  name: string,
  args: readonly string[],
  options: Omit<StdioOptions, 'cwd'>,
): Promise<StdioServer | null> {
  const [{ findProgram }, { startStdioServer }] = await Promise.all([
    import('../../adapters/process/foreground.js'),
    import('../../adapters/process/stdio-server.js'),
  ]);
  const file = findProgram(name, { env: world.env, cwd: world.cwd });
  return file === null ? null : startStdioServer(file, args, { ...options, cwd: world.cwd });
}

/** The pins of one server. */
export interface ServerPins {
  readonly read: () => readonly PinnedTool[] | null;
  readonly write: (tools: readonly PinnedTool[]) => void;
}

/** The pins of `server` in this home. */
export async function serverPins(workspace: LocalWorkspace, server: string): Promise<ServerPins> {
  const { readPins, writePins } = await import('../../adapters/files/tool-pins.js');
  const folder = join(workspace.paths().stateDir, 'mcp-pins');
  return { read: () => readPins(folder, server), write: (tools) => writePins(folder, server, tools) };
}
