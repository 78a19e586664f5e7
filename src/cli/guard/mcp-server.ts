/** The MCP server behind a guard: its name, its process, and its list of tools. */
import { basename } from 'node:path';
import { Failure } from '../../app/failure.js';
import { SERVER_BOUNDS, readMessage, writeMessage, type RpcMessage } from '../../guard/mcp/message.js';
import { toolsIn, type ListedTool } from '../../guard/mcp/tools.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { stdioServer, type StdioServer } from '../../workspace/guard/servers.js';
import type { OptionSpec } from '../spec.js';
import { VERSION } from '../version.js';
import type { Setting } from '../setting.js';
import type { Surroundings } from '../io.js';

/** What these functions need of a command. */
type Scene = Setting & Surroundings;

/** How a server is named and started. */
export interface ServerFlags {
  readonly name?: string;
  readonly env: readonly string[];
}

/** Of commands that start a server. */
export const SERVER_OPTIONS: readonly OptionSpec[] = [
  { flags: '--name <server>', description: "the server's name in targets, actions and pins (default: its command's)" },
  {
    flags: '--env <name>',
    description: 'hand this variable to the server, which otherwise gets PATH, HOME, TERM and LANG',
    repeatable: true,
    value: variableName,
  },
];

/** What a server needs to start at all. */
const PASSED = ['PATH', 'HOME', 'TERM', 'LANG'];
/** What would let a server sign as the agent, or open its keys. */
const OWN = /^(AGENT_PRIVATE_KEY|AIP_.*)$/i;
const ANSWER_MS = 30_000;
const GRACE_MS = 2_000;
const MOST_PAGES = 100;

/** Reads the name of a variable. @throws Error */
export function variableName(text: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(text)) throw new Error('Expected the name of a variable.');
  if (OWN.test(text)) throw new Error(`${text} is never handed to a server.`);
  return text;
}

/** The server's name: `--name`, else the base name of its command. */
export function serverName({ name }: ServerFlags, command: string): string {
  const found = name ?? basename(command).replace(/\.(?:c|m)?js$|\.exe$|\.cmd$/i, '');
  if (/^[A-Za-z0-9@._/-]{1,128}$/.test(found)) return found;
  throw new Failure('USAGE', 'A server is named with letters, digits and @ . _ / -.', { hint: '--name <server>' });
}

/** Starts the server of a command line. @throws Failure NOT_FOUND */
export async function startServer(
  cli: Scene,
  { env }: ServerFlags,
  [command, ...args]: readonly string[],
  onLine: (line: Uint8Array) => void,
): Promise<StdioServer> {
  const given = cli.io.env;
  const passed = Object.fromEntries([...PASSED, ...env].map((name) => [name, given[name]]));
  const options = { env: passed, maxLine: SERVER_BOUNDS.bytes, onLine };
  const server = await stdioServer(cli.workspace, command!, args, options);
  if (server !== null) return server;
  throw new Failure('NOT_FOUND', `There is no command ${command!.slice(0, 200)} to run.`, {
    hint: 'name the server after --, as you would run it',
  });
}

/** Starts the server, lists its tools, and stops it. @throws Failure NOT_FOUND, NETWORK */
export async function toolsOf(cli: Scene, flags: ServerFlags, command: readonly string[]): Promise<ListedTool[]> {
  const waiting = new Map<number, (message: RpcMessage) => void>();
  const server = await startServer(cli, flags, command, (line) => {
    try {
      const { message } = readMessage(line, SERVER_BOUNDS);
      if ((message.kind === 'result' || message.kind === 'error') && typeof message.id === 'number')
        waiting.get(message.id)?.(message);
    } catch {
      // No message; the answer that is waited for may still come.
    }
  });
  let id = 0;
  const ask = (method: string, params: JsonObject): Promise<JsonObject | null> =>
    new Promise((resolve, reject) => {
      id += 1;
      const failed = (why: string): void =>
        reject(new Failure('NETWORK', `The server did not answer ${method}: ${why}.`, { hint: 'run it by itself' }));
      const cancel = cli.workspace.world.after(ANSWER_MS, () => failed(`nothing came in ${ANSWER_MS / 1000} s`));
      waiting.set(id, (message) => {
        cancel();
        resolve(message.kind === 'result' ? message.result : null);
      });
      void server.ended.then((end) => failed(typeof end === 'number' ? `it ended with ${end}` : end.unstarted));
      server.send(writeMessage({ kind: 'request', id, method, params }));
    });
  try {
    const clientInfo = { name: 'aip', version: VERSION };
    const opened = await ask('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo });
    const meta: JsonObject =
      opened === null
        ? {
            _meta: {
              'io.modelcontextprotocol/protocolVersion': '2026-07-28',
              'io.modelcontextprotocol/clientCapabilities': {},
              'io.modelcontextprotocol/clientInfo': clientInfo,
            },
          }
        : {};
    if (opened !== null)
      server.send(writeMessage({ kind: 'notification', method: 'notifications/initialized', params: {} }));
    const tools = new Map<string, ListedTool>();
    let cursor: JsonObject = {};
    for (let page = 0; page < MOST_PAGES; page++) {
      const result = await ask('tools/list', { ...meta, ...cursor });
      if (result === null)
        throw new Failure('NETWORK', 'The server refuses to list its tools.', { hint: 'aip mcp --help' });
      for (const tool of toolsIn(result)) if (!tools.has(tool.name)) tools.set(tool.name, tool);
      if (typeof result.nextCursor !== 'string') break;
      cursor = { cursor: result.nextCursor };
    }
    return [...tools.values()];
  } finally {
    await server.stop(GRACE_MS);
  }
}
