import { Failure } from '../../../app/failure.js';
import { WATCHDOG_MS } from '../../../guard/hook/call.js';
import { SERVER_BOUNDS } from '../../../guard/mcp/message.js';
import { defaultSocket } from '../../../workspace/guard/serving.js';
import { readLines } from '../../../workspace/guard/servers.js';
import type { Cli } from '../../cli.js';
import { openDesks, namedPassportFile, type Desks } from '../../guard/desks.js';
import { LISTENER_OPTIONS, loopback, type LoopbackAddress } from '../../guard/listening.js';
import { overHttp } from '../../guard/mcp-gateway.js';
import { lookedAt, sessionMaker, type GuardRules, type SessionMaker } from '../../guard/mcp-session.js';
import { foldersOf, SERVER_ARG, SERVER_OPTIONS, serverIn, startServer } from '../../guard/mcp-server.js';
import type { ServerFlags, ServerPlace } from '../../guard/mcp-server.js';
import { MAP_OPTION, type MapFlags } from '../../guard/map.js';
import { ownFiles } from '../../guard/own-places.js';
import { GEO_OPTION, PASSPHRASE_OPTIONS } from '../../input/options.js';
import { SIGNING_KEY_OPTIONS, type KeyPlaceFlags } from '../../input/key-place.js';
import type { CommandSpec } from '../../spec.js';

interface Options extends KeyPlaceFlags, ServerFlags, MapFlags {
  readonly passport?: string;
  readonly allowElicitation: boolean;
  readonly observe: boolean;
  readonly requirePins: boolean;
  readonly geo?: string;
  readonly listen?: LoopbackAddress;
  readonly tokenFile?: string;
  readonly allowHost: readonly string[];
}

const GRACE_MS = 2_000;
/** How long calls are waited for whose client has ended its input (ms): a server may never answer what the guard itself asks for them. */
const LAST_CALLS_MS = 10_000;

export const command: CommandSpec<Options> = {
  path: ['mcp', 'guard'],
  summary: 'Stand before an MCP server: its tools run only when the agent may run them',
  detail:
    "Put it where the server's command or address stood. Before a command its stdout speaks MCP only, the server's stderr passes, and its exit code is the guard's.",
  args: [SERVER_ARG],
  options: [
    {
      title: 'Whose',
      options: [
        { flags: '-p, --passport <agent>', description: 'passport file, agent id, or name', values: 'agent' },
        ...SIGNING_KEY_OPTIONS,
        ...PASSPHRASE_OPTIONS,
      ],
    },
    { title: 'The server', options: SERVER_OPTIONS },
    {
      title: 'Where, before a server over HTTP',
      options: [
        { flags: '--listen <address>', description: 'a loopback address; port 0 picks a free one', value: loopback },
        ...LISTENER_OPTIONS,
      ],
    },
    {
      title: 'How',
      options: [
        MAP_OPTION,
        { flags: '--allow-elicitation', description: "let the server's questions reach the user, with its name" },
        { flags: '--require-pins', description: 'refuse a server that was never pinned, instead of pinning it now' },
        { flags: '--observe', description: 'log what would be refused, and let it run' },
        GEO_OPTION,
      ],
    },
  ],
  examples: [
    { run: 'aip mcp guard -p coder -- mcp-server-filesystem /srv/docs', why: 'what a client starts' },
    { run: 'aip mcp guard -p coder --name pay --env PAY_TOKEN -- pay-server', why: 'with a variable of its own' },
    {
      run: 'aip mcp guard -p coder --url https://mcp.example.com/mcp --listen 127.0.0.1:7448',
      why: 'over HTTP; clients give the token of --token-file',
    },
  ],
  exits: {
    3: 'the passport or the command does not exist',
    4: 'the key store is missing, locked or refuses, or others can read a token',
    5: 'the address cannot be listened on',
    130: 'stopped with Ctrl-C',
    143: 'terminated',
  },
  touches: ['files', 'state', 'keychain', 'network', 'processes'],
  // No message passes while the state is waited for.
  waitsMs: WATCHDOG_MS / 2,
  topics: ['guard'],

  async run({ args, options }, cli) {
    if (options.passport === undefined)
      throw new Failure('USAGE', 'Whose calls are these?', { hint: 'name the agent with --passport <agent>' });
    const place = serverIn(options, args);
    const listen = listenIn(options, place);
    const desks = await openDesks(cli, { ...options, live: true }, [options.passport]);
    const { desk } = await desks.open(options.passport);
    const rules: GuardRules = {
      ...options,
      server: place.name,
      map: new Map(options.map),
      own: ownFiles(cli, cli.io.env.AIP_SOCKET || defaultSocket(cli.workspace), options, [
        ...[options.tokenFile, options.upstreamHeaderFile, namedPassportFile(options.passport)],
      ]),
      folders: foldersOf(place, cli),
    };
    const maker = await sessionMaker(cli, desks, desk, rules);
    if (options.observe) cli.note(`observing ${place.name}: what would be refused is logged, and runs`);
    return listen === null
      ? overStreams(cli, desks, maker, options, args)
      : overHttp(cli, desks, maker, { ...listen, flags: options, name: place.name });
  },
};

/** Where it listens, and for which server; null for one over standard streams. @throws Failure USAGE */
function listenIn(options: Options, { url }: ServerPlace): { url: string; address: LoopbackAddress } | null {
  const { listen: address } = options;
  if (url !== null && address !== undefined) return { url, address };
  if (url !== null)
    throw new Failure('USAGE', 'A guard before a server over HTTP listens itself.', { hint: '--listen 127.0.0.1:0' });
  if (address !== undefined || options.tokenFile !== undefined || options.allowHost.length > 0)
    throw new Failure('USAGE', 'A server that is started here is spoken with over standard streams.', {
      hint: 'leave out --listen, --token-file and --allow-host, or name a server over HTTP with --url',
    });
  return null;
}

async function overStreams(
  cli: Cli,
  desks: Desks,
  maker: SessionMaker,
  options: Options,
  args: readonly string[],
): Promise<number> {
  const { stdin, stdout } = cli.io;
  const session = maker.open({
    toClient: (line) => child.passOn(stdout, line),
    toServer: (line) => child.send(line),
  });
  const child = await startServer(cli, options, args, (line) => session.fromServer(line));
  const stopLooking = lookedAt(cli, maker, (refusal) => (refusal === null ? session.resume() : session.cut(refusal)));
  cli.onInterrupt(async () => {
    await child.stop(GRACE_MS);
    maker.finish();
    await desks.idle();
  });
  const open = new Set<Promise<void>>();
  // More than a client may send: the end of a message that is refused may hold the id under which it is answered.
  void readLines(stdin, SERVER_BOUNDS.bytes, (line) => {
    const work = session.fromClient(line).finally(() => void open.delete(work));
    open.add(work);
  }).then(async () => {
    // What was asked before the end is still answered.
    const late = new Promise<void>((resolve) => void cli.workspace.world.after(LAST_CALLS_MS, resolve));
    await Promise.race([Promise.allSettled(open), late]);
    await child.stop(GRACE_MS);
  });
  const ended = await child.ended;
  stopLooking();
  session.close();
  maker.finish();
  await desks.idle();
  if (typeof ended === 'number') return ended;
  throw new Failure('UNREADABLE', `The server could not be started (${ended.unstarted}).`, {
    hint: 'run it by itself',
  });
}
