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
import { clean } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';

export const command: CommandSpec<ServerFlags> = {
  path: ['mcp', 'diff'],
  summary: 'Show what changed in the tools of an MCP server',
  detail: 'Against what was pinned, member by member; invisible characters are shown as their numbers.',
  args: [SERVER_ARG],
  options: [{ title: 'The server', options: SERVER_OPTIONS }],
  examples: [{ run: 'aip mcp diff -- mcp-server-filesystem /srv/docs', why: 'before you accept' }],
  exits: { 3: 'there is no such command, or nothing is pinned', 5: 'the server does not answer', 15: 'tools changed' },
  touches: ['files', 'network', 'processes'],
  topics: ['guard'],

  async run({ args, options }, cli) {
    const place = serverIn(options, args);
    const server = place.name;
    const before = (await serverPins(cli.workspace, server)).read();
    if (before === null)
      throw new Failure('NOT_FOUND', `No tools of ${server} are pinned here.`, {
        hint: `aip mcp pin ${serverWords(place, options).map(shellWord).join(' ')}`,
      });
    const changes = changesOf(before, await toolsOf(cli, options, place));
    if (cli.globals.json) cli.json({ server, changes });
    else if (changes.length === 0) cli.out(`${server} lists what was pinned (tools: ${before.length}).`);
    else {
      for (const line of changesText(changes)) cli.out(line);
      cli.note(`next: aip mcp pin --accept ${clean(serverWords(place, options).map(shellWord).join(' '))}`);
    }
    return changes.length === 0 ? 0 : 15;
  },
};
