/** What a guard before an MCP server stands on: the server's process, and the pins of its tools. */
import { join } from 'node:path';
import type { AnswerListener } from '../../adapters/http/client.js';
import type { StdioOptions, StdioServer } from '../../adapters/process/stdio-server.js';
import type { PinnedTool } from '../../adapters/files/tool-pins.js';
import type { HandOvers } from '../../app/ports/hand-overs.js';
import { Failure, shellWord } from '../../app/failure.js';
import type { LocalWorkspace } from '../workspace.js';
import { maskName } from '../../protocol/log/secret-text.js';

export type { PinnedTool, StdioServer };
export { readLines } from '../../adapters/process/stdio-server.js';

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

/** What hooks of this home leave for its guards. */
export async function handOversOf(workspace: LocalWorkspace): Promise<HandOvers> {
  const { handOversIn } = await import('../../adapters/files/hand-overs.js');
  return handOversIn(join(workspace.paths().stateDir, 'hand-overs'));
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

/** A server over HTTP: each request is one connection's, and its answer comes in parts. */
export interface HttpServerLink {
  readonly open: (
    call: {
      readonly method: 'GET' | 'POST' | 'DELETE';
      readonly headers: Readonly<Record<string, string>>;
      readonly body?: string;
    },
    listener: AnswerListener,
  ) => { close(): void };
}

const MAX_HEADER_FILE = 16 * 1024;
/** Headers that the message itself decides, or the connection. */
const RESERVED =
  /^(?:host|content-.*|accept|connection|keep-alive|transfer-encoding|te|trailer|upgrade|proxy-.*|mcp-.*|origin)$/i;

/** The server at `url`. @param headerFile what every request to it carries. @throws Failure NOT_FOUND, KEYSTORE_DENIED, UNREADABLE */
export async function httpServer(
  { world }: LocalWorkspace,
  url: string,
  headerFile: string | null,
): Promise<HttpServerLink> {
  const [{ HttpClient }, own] = await Promise.all([
    import('../../adapters/http/client.js'),
    headerFile === null ? {} : headersIn(headerFile),
  ]);
  const client = new HttpClient(url, { env: world.env });
  const { pathname, search } = client.url;
  return {
    open: ({ method, headers, body }, listener) =>
      client.open(
        {
          method,
          path: pathname + search,
          headers: { ...headers, ...own },
          body: body === undefined ? undefined : Buffer.from(body),
        },
        listener,
      ),
  };
}

/** `Name: value` a line; empty lines and those that begin with # are left out. */
async function headersIn(path: string): Promise<Record<string, string>> {
  const { readPrivate } = await import('../../adapters/files/secret/private-file.js');
  const file = readPrivate(path, MAX_HEADER_FILE);
  if (file === null)
    throw new Failure('NOT_FOUND', `There is no file ${maskName(path)}.`, { hint: 'name it as it is' });
  if (file.exposed)
    throw new Failure('KEYSTORE_DENIED', `${path} can be read or changed by others.`, {
      hint: `chmod 600 ${shellWord(path)}`,
    });
  const headers: Record<string, string> = {};
  const lines = file.bytes.toString('latin1').split(/\r?\n/);
  for (const [i, line] of lines.entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [, name = '', value = ''] = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\x20-\x7e\t]*)$/.exec(line) ?? [];
    if (name === '' || value.trim() === '' || RESERVED.test(name))
      throw new Failure('UNREADABLE', `Line ${i + 1} of ${path} is no header that goes to a server.`, {
        hint: 'a line each, such as Authorization: Bearer ...',
      });
    headers[name.toLowerCase()] = value.trim();
  }
  return headers;
}
