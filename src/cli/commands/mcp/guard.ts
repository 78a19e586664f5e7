import { Failure } from '../../../app/failure.js';
import { CLIENT_BOUNDS } from '../../../guard/mcp/message.js';
import { readLines, writeLine } from '../../../workspace/guard/servers.js';
import type { Cli } from '../../cli.js';
import { openDesks } from '../../guard/desks.js';
import { LOOK_MS, sessionMaker } from '../../guard/mcp-session.js';
import { SERVER_OPTIONS, serverName, startServer, type ServerFlags } from '../../guard/mcp-server.js';
import { MAP_OPTION, type MapFlags } from '../../guard/map.js';
import { KEY_OPTIONS, PASSPHRASE_OPTIONS } from '../../input/options.js';
import type { KeyPlaceFlags } from '../../intents/signing.js';
import type { CommandSpec } from '../../spec.js';

interface Options extends KeyPlaceFlags, ServerFlags, MapFlags {
  readonly passport?: string;
  readonly allowElicitation: boolean;
  readonly observe: boolean;
  readonly requirePins: boolean;
  readonly geo?: string;
}

const GRACE_MS = 2_000;

export const command: CommandSpec<Options> = {
  path: ['mcp', 'guard'],
  summary: 'Stand before an MCP server: its tools run only when the agent may run them',
  detail:
    "Put it where the server's command stood. Its stdout speaks MCP only; the server's stderr passes, and its exit code is the guard's.",
  args: [{ name: 'server', description: "the server's command and its arguments", variadic: true, afterDashes: true }],
  options: [
    {
      title: 'Whose',
      options: [
        { flags: '-p, --passport <agent>', description: 'passport file, agent id, or name', values: 'agent' },
        ...KEY_OPTIONS,
        ...PASSPHRASE_OPTIONS,
      ],
    },
    { title: 'The server', options: SERVER_OPTIONS },
    {
      title: 'How',
      options: [
        MAP_OPTION,
        { flags: '--allow-elicitation', description: "let the server's questions reach the user, with its name" },
        { flags: '--require-pins', description: 'refuse a server that was never pinned, instead of pinning it now' },
        { flags: '--observe', description: 'log what would be refused, and let it run' },
        { flags: '--geo <CC>', description: 'country, for geo_restriction' },
      ],
    },
  ],
  examples: [
    { run: 'aip mcp guard -p coder -- mcp-server-filesystem /srv/docs', why: 'what a client starts' },
    { run: 'aip mcp guard -p coder --name pay --env PAY_TOKEN -- pay-server', why: 'with a variable of its own' },
  ],
  exits: {
    3: 'the passport or the command does not exist',
    4: 'the key store is missing, locked or refuses',
    130: 'stopped with Ctrl-C',
    143: 'terminated',
  },
  touches: ['files', 'state', 'keychain', 'network', 'processes'],
  topics: ['guard'],

  async run({ args, options }, cli) {
    if (options.passport === undefined)
      throw new Failure('USAGE', 'Whose calls are these?', { hint: 'name the agent with --passport <agent>' });
    const server = serverName(options, args[0]!);
    const desks = await openDesks(cli, { ...options, live: true }, [options.passport]);
    const { desk } = await desks.open(options.passport);
    const rules = { ...options, server, map: new Map(options.map) };
    const maker = await sessionMaker(cli, desks, desk, rules);
    const { stdin, stdout } = cli.io;
    const session = maker.open({
      toClient: (line) => writeLine(stdout, null, line),
      toServer: (line) => child.send(line),
    });
    const child = await startServer(cli, options, args, (line) => session.fromServer(line));
    if (options.observe) cli.note(`observing ${server}: what would be refused is logged, and runs`);
    const stopLooking = repeated(cli, () => maker.look(session));
    cli.onInterrupt(async () => {
      await child.stop(GRACE_MS);
      await desks.idle();
    });
    const open = new Set<Promise<void>>();
    void readLines(stdin, CLIENT_BOUNDS.bytes, (line) => {
      const work = session.fromClient(line).finally(() => void open.delete(work));
      open.add(work);
    }).then(async () => {
      // What was asked before the end is still answered.
      await Promise.allSettled(open);
      await child.stop(GRACE_MS);
    });
    const ended = await child.ended;
    stopLooking();
    session.close();
    await desks.idle();
    if (typeof ended === 'number') return ended;
    throw new Failure('UNREADABLE', `The server could not be started (${ended.unstarted}).`, {
      hint: 'run it by itself',
    });
  },
};

/** Does `work` again and again. When it fails, nobody knows whether the agent may go on, and the calls themselves decide. */
function repeated(cli: Cli, work: () => Promise<void>): () => void {
  let stop = (): void => undefined;
  let failing = false;
  const again = (): void => {
    stop = cli.workspace.world.after(LOOK_MS, () => {
      work()
        .then(
          () => void (failing = false),
          (error: unknown) => {
            if (!failing) cli.warn(`The agent's standing cannot be read: ${String(error).slice(0, 200)}`, 'standing');
            failing = true;
          },
        )
        .finally(again);
    });
  };
  again();
  return () => stop();
}
