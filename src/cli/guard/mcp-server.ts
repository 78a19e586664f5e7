/** The MCP server behind a guard: its name, its process or address, and its list of tools. */
import { basename, resolve } from 'node:path';
import { Failure, shellWord } from '../../app/failure.js';
import { SERVER_BOUNDS, readServerMessage, writeMessage, type RpcMessage } from '../../guard/mcp/message.js';
import { toolsIn, type ListedTool } from '../../guard/mcp/tools.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { HttpPeer } from '../../guard/mcp/http/peer.js';
import type { Upstream } from '../../guard/mcp/http/upstream.js';
import { isFolder } from '../../workspace/files.js';
import { httpServer, stdioServer, type StdioServer } from '../../workspace/guard/servers.js';
import type { ArgSpec, OptionSpec } from '../spec.js';
import { VERSION } from '../version.js';
import type { Notices } from '../output.js';
import type { Setting } from '../setting.js';
import type { Surroundings } from '../io.js';

/** What these functions need of a command. */
type Scene = Setting & Surroundings;

/** How a server is named and started. */
export interface ServerFlags {
  readonly name?: string;
  readonly env: readonly string[];
  readonly url?: string;
  readonly upstreamHeaderFile?: string;
}

/** Which server is meant. */
export interface ServerPlace {
  readonly name: string;
  /** Where it is reached over HTTP; null for one that is started here. */
  readonly url: string | null;
  /** Its command and arguments; empty for one over HTTP. */
  readonly argv: readonly string[];
}

/** The words after `--` of commands that name a server. */
export const SERVER_ARG: ArgSpec = {
  name: 'server',
  description: "the server's command and its arguments; none with --url",
  required: false,
  variadic: true,
  afterDashes: true,
  values: 'file',
};

/** Of commands that start a server. */
export const SERVER_OPTIONS: readonly OptionSpec[] = [
  { flags: '--name <server>', description: "the server's name in targets, actions and pins (default: its command's)" },
  {
    flags: '--env <name>',
    description: 'hand this variable to the server, which otherwise gets PATH, HOME, TERM and LANG',
    repeatable: true,
    value: variableName,
  },
  { flags: '--url <url>', description: 'a server over HTTP, in place of a command', value: serverUrl },
  {
    flags: '--upstream-header-file <file>',
    description: 'headers for that server, mode 0600, a line each: Authorization: Bearer ...',
    values: 'file',
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
function variableName(text: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(text)) throw new Error('Expected the name of a variable.');
  if (OWN.test(text)) throw new Error(`${text} is never handed to a server.`);
  return text;
}

/** Reads the address of a server. @throws Error */
function serverUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:') || url.hash !== '')
    throw new Error('Expected an address such as https://mcp.example.com/mcp.');
  if (url.username !== '' || url.password !== '')
    throw new Error('Credentials stand in --upstream-header-file, not in an address that others can read.');
  return url.href;
}

/** The server that a command line names: `--name`, else the base name of its command, else the host of its address. @throws Failure USAGE */
export function serverIn({ name, url, env, upstreamHeaderFile }: ServerFlags, argv: readonly string[]): ServerPlace {
  const usage = (message: string, hint: string): Failure => new Failure('USAGE', message, { hint });
  if (url === undefined) {
    if (argv.length === 0) throw usage('Which server?', 'name its command after --, or its address with --url');
    if (upstreamHeaderFile !== undefined)
      throw usage('A server that is started here takes no headers.', 'hand it what it needs with --env <name>');
  } else {
    if (argv.length > 0) throw usage('A server has a command or an address, not both.', 'leave out --url, or --');
    if (env.length > 0) throw usage('A server over HTTP has no environment here.', '--upstream-header-file <file>');
  }
  const found = name ?? (url === undefined ? commandName(argv[0]!) : new URL(url).hostname.replace(/[[\]:]/g, '_'));
  if (/^[A-Za-z0-9@._/-]{1,128}$/.test(found)) return { name: found, url: url ?? null, argv };
  throw usage('A server is named with letters, digits and @ . _ / -.', '--name <server>');
}

/** The words that name this server again, behind a command of its own. */
export function serverWords(
  { url, argv }: ServerPlace,
  { name, env, upstreamHeaderFile: file }: ServerFlags,
): string[] {
  return [
    ...(name === undefined ? [] : ['--name', name]),
    ...env.flatMap((each) => ['--env', each]),
    ...(url === null ? [] : ['--url', url]),
    ...(file === undefined ? [] : ['--upstream-header-file', file]),
    ...(argv.length === 0 ? [] : ['--', ...argv]),
  ];
}

/**
 * The folders in which a server may read a relative path: the one that it is started in, and those that its command line names, which servers
 * of files take for their roots. Of a server over HTTP none is known.
 */
export function foldersOf({ url, argv }: ServerPlace, { io }: Surroundings): (string | null)[] {
  if (url !== null) return [null];
  const named = argv.slice(1).map((word) => resolve(io.cwd, word.replace(/^-[^=]*=/, '')));
  return [...new Set([io.cwd, ...named.filter(isReachableFolder)])];
}

function isReachableFolder(path: string): boolean {
  try {
    return isFolder(path);
  } catch {
    // Too long a word for a path, or a folder that this user, and so the server, cannot enter.
    return false;
  }
}

function commandName(command: string): string {
  return basename(command).replace(/\.(?:c|m)?js$|\.exe$|\.cmd$/i, '');
}

/** The server at an address, with the headers of its file. @throws Failure */
export async function upstreamOf(
  cli: Scene & Notices,
  url: string,
  { upstreamHeaderFile: file }: ServerFlags,
): Promise<Upstream> {
  const { protocol, hostname } = new URL(url);
  if (file !== undefined && protocol === 'http:' && !/^(?:localhost|127\.[\d.]+|\[::1\])$/.test(hostname))
    cli.warn(`What ${file} holds travels to ${hostname} unencrypted: use https.`, 'unencrypted');
  const { after } = cli.workspace.world;
  return { ...(await httpServer(cli.workspace, url, file === undefined ? null : resolve(cli.io.cwd, file))), after };
}

/** Starts the server of a command line. @throws Failure NOT_FOUND */
export async function startServer(
  cli: Scene & Notices,
  { env }: ServerFlags,
  [command, ...args]: readonly string[],
  onLine: (line: Uint8Array) => void,
): Promise<StdioServer> {
  const given = cli.io.env;
  const unset = env.filter((name) => given[name] === undefined);
  if (unset.length > 0) cli.warn(`Not set here, and so not handed to the server: ${unset.join(', ')}.`, 'env_unset');
  const passed = Object.fromEntries([...PASSED, ...env].map((name) => [name, given[name]]));
  const options = { env: passed, maxLine: SERVER_BOUNDS.bytes, onLine };
  const server = await stdioServer(cli.workspace, command!, args, options);
  if (server !== null) return server;
  throw new Failure('NOT_FOUND', `There is no command ${command!.slice(0, 200)} to run.`, {
    hint:
      cli.io.platform === 'win32'
        ? 'name an .exe; a .cmd such as npx is run by cmd: --name <server> --env APPDATA -- cmd /c npx <package>'
        : 'name the server after --, as you would run it',
  });
}

/** One who asks a server. */
interface Asker {
  /** The result; null for an error of the server's. */
  readonly ask: (method: string, params: JsonObject) => Promise<JsonObject | null>;
  readonly tell: (method: string) => Promise<void> | void;
  readonly stop: () => Promise<void>;
}

/** Programs that start servers of others: two of these under one name would be one server that changes. */
const LAUNCHER =
  /^(?:node|deno|bunx?|npx|npm|pnpm|yarn|uvx?|pipx|python[\d.]*|ruby|java|go|dotnet|docker|podman|env|(?:ba|da|z)?sh|cmd|pwsh|powershell)$/i;

/** Asks a server for its tools; one that is started here is stopped again. @throws Failure NOT_FOUND, NETWORK */
export async function toolsOf(
  cli: Scene & Notices,
  flags: ServerFlags,
  { name, url, argv }: ServerPlace,
): Promise<ListedTool[]> {
  if (flags.name === undefined && url === null && LAUNCHER.test(name))
    cli.warn(
      `Every server that ${name} starts is named ${name}, in pins and in actions. Give this one a name of its own: --name <server>.`,
      'server_name',
    );
  const { ask, tell, stop } = url === null ? await processAsker(cli, flags, argv) : await httpAsker(cli, flags, url);
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
    if (opened !== null) await tell('notifications/initialized');
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
    await stop();
  }
}

function noAnswer(method: string, why: string, hint = 'run it by itself'): Failure {
  return new Failure('NETWORK', `The server did not answer ${method}: ${why}.`, { hint });
}

async function processAsker(cli: Scene & Notices, flags: ServerFlags, argv: readonly string[]): Promise<Asker> {
  const waiting = new Map<number, (message: RpcMessage) => void>();
  const server = await startServer(cli, flags, argv, (line) => {
    try {
      const { message } = readServerMessage(line);
      if ((message.kind === 'result' || message.kind === 'error') && typeof message.id === 'number')
        waiting.get(message.id)?.(message);
    } catch {
      // No message; the answer that is waited for may still come.
    }
  });
  let id = 0;
  return {
    tell: (method) => server.send(writeMessage({ kind: 'notification', method, params: {} })),
    stop: () => server.stop(GRACE_MS),
    ask: (method, params) =>
      new Promise((settle, reject) => {
        id += 1;
        const failed = (why: string): void => reject(noAnswer(method, why));
        const cancel = cli.workspace.world.after(ANSWER_MS, () => failed(`nothing came in ${ANSWER_MS / 1000} s`));
        waiting.set(id, (message) => {
          cancel();
          settle(message.kind === 'result' ? message.result : null);
        });
        void server.ended.then((end) => failed(typeof end === 'number' ? `it ended with ${end}` : end.unstarted));
        server.send(writeMessage({ kind: 'request', id, method, params }));
      }),
  };
}

async function httpAsker(cli: Scene & Notices, flags: ServerFlags, url: string): Promise<Asker> {
  const peer = new HttpPeer(await upstreamOf(cli, url, flags));
  const { after } = cli.workspace.world;
  return {
    tell: (method) => peer.tell(method),
    stop: () => peer.end(),
    ask: (method, params) =>
      new Promise((settle, reject) => {
        const failed = (why: string): void =>
          reject(noAnswer(method, why, `check the address, and that the server runs: curl -i ${shellWord(url)}`));
        const cancel = after(ANSWER_MS, () => failed(`nothing came in ${ANSWER_MS / 1000} s`));
        peer
          .ask(method, params)
          .then(settle, (error: Error) => failed(error.message))
          .finally(cancel);
      }),
  };
}
