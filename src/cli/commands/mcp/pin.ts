import { Failure, shellWord } from '../../../app/failure.js';
import { serverPins } from '../../../workspace/guard/servers.js';
import { changesOf, changesText } from '../../guard/pin-changes.js';
import {
  SERVER_ARG,
  SERVER_OPTIONS,
  serverIn,
  serverWords,
  toolsOf,
  type ServerFlags,
} from '../../guard/mcp-server.js';
import { clean, counted } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';

interface Options extends ServerFlags {
  readonly accept: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['mcp', 'pin'],
  summary: 'Pin the tools of an MCP server as they are now',
  detail:
    'Each is pinned by the hash of all that its server says of it: name, descriptions, schemas, annotations, icons. What changed since is pinned anew only with --accept.',
  args: [SERVER_ARG],
  options: [
    { title: 'The server', options: SERVER_OPTIONS },
    { title: 'How', options: [{ flags: '--accept', description: 'pin what changed as well' }] },
  ],
  examples: [{ run: 'aip mcp pin --accept -- mcp-server-filesystem /srv/docs', why: 'after you looked at the diff' }],
  exits: {
    3: 'there is no such command',
    5: 'the server does not answer',
    15: 'tools changed, and nothing was pinned',
  },
  touches: ['files', 'network', 'processes'],
  topics: ['guard'],

  async run({ args, options }, cli) {
    const place = serverIn(options, args);
    const server = place.name;
    const pins = await serverPins(cli.workspace, server);
    const before = pins.read();
    const tools = await toolsOf(cli, options, place);
    if (tools.length === 0) throw new Failure('NOT_FOUND', `${server} lists no tools.`, { hint: 'run it by itself' });
    const changes = changesOf(before ?? [], tools);
    const refused = before !== null && changes.length > 0 && !options.accept;
    if (!refused) pins.write(tools);
    if (cli.globals.json) cli.json({ server, pinned: refused ? null : tools.length, changes });
    else {
      if (before !== null) for (const line of changesText(changes)) cli.out(line);
      cli.out(
        refused
          ? 'Nothing was pinned: look at this, then give --accept.'
          : `pinned ${counted(tools.length, 'tool')} of ${server}`,
      );
      if (refused)
        cli.note(`next: aip mcp pin --accept ${clean(serverWords(place, options).map(shellWord).join(' '))}`);
    }
    return refused ? 15 : 0;
  },
};
