import { placeWords } from '../../guard/own-places.js';
import { Failure, shellWord } from '../../../app/failure.js';
import {
  SERVER_ARG,
  SERVER_OPTIONS,
  serverIn,
  serverWords,
  toolsOf,
  type ServerFlags,
} from '../../guard/mcp-server.js';
import { isObject } from '../../../protocol/json/values.js';
import { clean, safeJson } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';
import { draftedSchema } from '../../guard/drafted-schema.js';
import { loadSchemaProblem } from '../../../workspace/keys.js';

/** Where a pasted guard listens. */
const PORT = '127.0.0.1:7448';
const CLIENTS = ['claude', 'cursor', 'vscode', 'codex'] as const;

/** Where a client looks for servers; what Codex is given names its file itself. */
const CONFIG_FILES = { claude: '.mcp.json', cursor: '.cursor/mcp.json', vscode: '.vscode/mcp.json' } as const;
const KEY_NEEDS =
  "Nobody can be asked there for the agent's key. In a file: start the client with AIP_KEY_PASSPHRASE set, or give the guard --passphrase-file <file> before the --. In an env file: --env-file <file>. In the keychain: nothing is needed.";

interface Options extends ServerFlags {
  readonly client?: (typeof CLIENTS)[number];
  readonly passport: string;
}

export const command: CommandSpec<Options> = {
  path: ['mcp', 'init'],
  summary: 'Draft a passport from the tools of an MCP server',
  detail:
    'Each tool becomes an action with the schema of its arguments. It is a draft: take out what the agent does not need, set limits, then create it with --from.',
  args: [SERVER_ARG],
  options: [
    { title: 'The server', options: SERVER_OPTIONS },
    {
      title: 'What is printed',
      options: [
        { flags: '--client <client>', description: 'also what to paste into this client', choices: CLIENTS },
        {
          flags: '-p, --passport <agent>',
          description: 'the agent in what is pasted (default my-agent)',
          default: 'my-agent',
          values: 'agent',
        },
      ],
    },
  ],
  examples: [
    { run: 'aip mcp init -- mcp-server-filesystem /srv/docs > draft.json', why: 'a draft' },
    { run: 'aip mcp init --client claude -p coder -- mcp-server-filesystem /srv/docs', why: 'and what to paste' },
  ],
  exits: { 3: 'there is no such command', 5: 'the server does not answer' },
  touches: ['files', 'network', 'processes'],
  topics: ['guard'],

  async run({ args, options }, cli) {
    const place = serverIn(options, args);
    const server = place.name;
    const tools = await toolsOf(cli, options, place);
    if (tools.length === 0) throw new Failure('NOT_FOUND', `${server} lists no tools.`, { hint: 'run it by itself' });
    const problemOf = await loadSchemaProblem();
    let formats = 0;
    const unusable: { readonly action: string; readonly reason: string }[] = [];
    const actions = tools.map(({ name: own, tool }) => {
      const name = `${server}.${own}`;
      if (!isObject(tool.inputSchema)) return { name };
      const drafted = draftedSchema(tool.inputSchema);
      formats += drafted.formats;
      const reason = problemOf(drafted.schema);
      if (reason !== null) unusable.push({ action: name, reason });
      return { name, params: drafted.schema };
    });
    const draft = { actions, constraints: {} };
    const { client = null } = options;
    const listen = place.url === null ? [] : ['--listen', PORT];
    const argv = ['mcp', 'guard', '-p', options.passport, ...serverWords(place, options), ...listen];
    // A client starts the guard without the environment of this shell.
    const started = [...argv.slice(0, 2), ...placeWords(cli), ...argv.slice(2)];
    const paste = client === null ? null : pasted(client, server, started, place.url !== null);
    if (cli.globals.json) {
      cli.json({ server, ...draft, formats_left_out: formats, unusable, client, paste });
      return 0;
    }
    cli.out(safeJson(draft, 2));
    if (formats > 0)
      cli.note(
        `\n${formats} ${formats === 1 ? '"format" is' : '"format"s are'} left out: nobody checks them. A "pattern" is checked.`,
      );
    for (const { action, reason } of unusable)
      cli.note(
        `\n${clean(action)} cannot be used as it is: its schema ${clean(reason)}. Mend the schema, or take the action out.`,
      );
    // The command takes the domain of the config where it has one.
    const domain = (await cli.config()).get('domain') === null ? '--domain acme.com ' : '';
    cli.note(
      `\nSave it as draft.json, take out what is not needed, then:
  aip passport create ${shellWord(options.passport)} ${domain}--from draft.json
  aip ${clean(argv.map(shellWord).join(' '))}`,
    );
    // Beside the draft, which may go into a file.
    if (paste === null) return 0;
    // A guard over HTTP is started by hand, in a shell that has what the key takes.
    const starts = client !== null && place.url === null;
    if (starts && client !== 'codex') cli.note(`\nInto ${CONFIG_FILES[client]} of the project:`);
    cli.note(`${starts && client !== 'codex' ? '' : '\n'}${paste}`);
    if (starts) cli.note(`\n${KEY_NEEDS}`);
    return 0;
  },
};

/** What a client's configuration takes; before a server over HTTP, what to start as well. */
function pasted(client: (typeof CLIENTS)[number], server: string, args: readonly string[], http: boolean): string {
  if (http) return pastedUrl(client, server, args);
  const entry = { command: 'aip', args };
  if (client === 'codex') {
    const list = args.map((arg) => JSON.stringify(arg)).join(', ');
    return `# ~/.codex/config.toml\n[mcp_servers.${JSON.stringify(server)}]\ncommand = "aip"\nargs = [${list}]`;
  }
  if (client === 'vscode') return safeJson({ servers: { [server]: { type: 'stdio', ...entry } } }, 2);
  return safeJson({ mcpServers: { [server]: entry } }, 2);
}

function pastedUrl(client: (typeof CLIENTS)[number], server: string, args: readonly string[]): string {
  const first = `# start this first: aip ${args.map(shellWord).join(' ')}`;
  const url = `http://${PORT}/mcp`;
  // Codex takes the name of a variable, never the token.
  if (client === 'codex')
    return `${first}\n# then start Codex with MCP_GUARD_TOKEN set to what the token file holds that it names\n# ~/.codex/config.toml\n[mcp_servers.${JSON.stringify(server)}]\nurl = "${url}"\nbearer_token_env_var = "MCP_GUARD_TOKEN"`;
  const start = `${first}\n# then put what the token file holds that it names in place of TOKEN`;
  const entry = { type: 'http', url, headers: { Authorization: 'Bearer TOKEN' } };
  const config = client === 'vscode' ? { servers: { [server]: entry } } : { mcpServers: { [server]: entry } };
  return `${start}\n${safeJson(config, 2)}`;
}
