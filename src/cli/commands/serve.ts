import { dirname, resolve } from 'node:path';
import { Failure } from '../../app/failure.js';
import type { Desk } from '../../app/guarding/desk.js';
import { WATCHDOG_MS } from '../../guard/hook/call.js';
import type { AgentToken } from '../../guard/serve/gate.js';
import { ServiceCounters } from '../../guard/serve/metrics.js';
import { replyTo, MAX_BODY, respond, type ServiceDeps } from '../../guard/serve/respond.js';
import { bearerToken, defaultSocket, defaultTokenFile, listenHere, sameText } from '../../workspace/guard/serving.js';
import type { Cli } from '../cli.js';
import { openDesks, namedPassportFile, type Desks } from '../guard/desks.js';
import { allowedHosts, LISTENER_OPTIONS, loopback, type LoopbackAddress } from '../guard/listening.js';
import { handingOver } from '../guard/handing-over.js';
import { ownFiles } from '../guard/own-places.js';
import { GEO_OPTION, PASSPHRASE_OPTIONS } from '../input/options.js';
import { SIGNING_KEY_OPTIONS, type KeyPlaceFlags } from '../input/key-place.js';
import { clean } from '../render/terminal/text.js';
import { letGoHourly } from '../logs/retention.js';
import type { CommandSpec } from '../spec.js';
import { VERSION } from '../version.js';
import { refusedOnHeaders } from '../../guard/serve/gate.js';

interface Options extends KeyPlaceFlags {
  readonly socket?: string;
  readonly listen?: LoopbackAddress;
  readonly as: readonly string[];
  readonly tokenFile?: string;
  readonly allowHost: readonly string[];
  readonly geo?: string;
}

export const command: CommandSpec<Options> = {
  path: ['serve'],
  summary: 'Answer programs in any language: may this agent do this?',
  detail:
    'It holds state, passports and keys open on this machine alone, over a socket, a loopback port, or both. It is ready when it says where.',
  options: [
    {
      title: 'Where',
      options: [
        {
          flags: '--socket <path>',
          description: 'a Unix socket in a folder of its own, mode 0700 (default without --listen; not on Windows)',
          values: 'file',
        },
        { flags: '--listen <address>', description: 'a loopback address; port 0 picks a free one', value: loopback },
        ...LISTENER_OPTIONS,
      ],
    },
    {
      title: 'For whom',
      options: [
        {
          flags: '--as <agent>',
          description: 'sign for this agent; with several: <agent>=<token file> each',
          repeatable: true,
          values: 'agent',
        },
        GEO_OPTION,
        ...SIGNING_KEY_OPTIONS,
        ...PASSPHRASE_OPTIONS,
      ],
    },
  ],
  examples: [
    { run: 'aip serve --as support-agent-v1', why: 'over a socket, for one agent' },
    { run: 'aip serve --listen 127.0.0.1:7447 --json', why: 'for programs that speak HTTP over TCP only' },
    { run: 'aip serve --as a=a.token --as b=b.token', why: 'for two agents, each with its own token' },
  ],
  exits: {
    3: 'a passport or file does not exist, or the state cannot be read',
    4: 'the key store refuses, or others can read a token or reach the socket',
    5: 'the socket or address cannot be listened on',
    130: 'stopped with Ctrl-C',
    143: 'terminated; what was accepted was answered',
  },
  touches: ['files', 'state', 'keychain', 'network'],
  // Nobody is answered while the state is waited for, and a hook's client gives up.
  waitsMs: WATCHDOG_MS / 2,
  topics: ['guard', 'exit-codes'],

  async run({ options }, cli) {
    const agents = options.as.map(namedAgent);
    const [first, ...others] = agents;
    if (others.length > 0 && agents.some(({ tokenFile }) => tokenFile === null))
      throw new Failure('USAGE', 'With several agents each needs a token of its own.', {
        hint: `aip serve --as ${first!.agent}=${first!.agent}.token ...`,
      });
    const socket = socketOf(options, cli);
    const { listen = null } = options;
    const tokenFile = pathOf(options.tokenFile, cli) ?? defaultTokenFile(cli.workspace);
    const token = listen === null ? null : await bearerToken(cli.workspace, tokenFile);
    const desks = await openDesks(
      cli,
      { ...options, live: true },
      agents.map(({ agent }) => agent),
    );
    const { opened, tokens } = await openAgents(desks, agents, cli);
    const tally = new ServiceCounters();
    await letGoHourly(cli);
    let url: string | null = null;
    let hosts: ReadonlySet<string> = new Set();
    const same = sameText;
    const deps: ServiceDeps = {
      gate: {
        agents: tokens,
        token,
        same,
        get hosts() {
          return hosts;
        },
      },
      desks: opened,
      verify: desks.verify,
      hook: {
        ...ownFiles(cli, socket, options, [
          tokenFile,
          ...agents.flatMap((each) => [each.tokenFile, namedPassportFile(each.agent)]),
        ]),
        ...handingOver(desks),
      },
      outcome: desks.outcome,
      tally,
      url: () => url ?? 'http://localhost',
      version: VERSION,
    };
    const listening = await listenHere((request) => respond(deps, request), {
      socket,
      tcp: listen,
      door: (head) => {
        const refused = refusedOnHeaders(deps.gate, head);
        if (refused === null) return null;
        tally.replied(refused.status);
        return replyTo(head, refused);
      },
      undecided: replyTo,
      maxBody: MAX_BODY,
      onBug: (error) =>
        cli.warn(`A request could not be answered; this is a bug: ${String(error).slice(0, 300)}`, 'bug'),
    });
    url = listening.url;
    hosts = allowedHosts(url, options.allowHost);
    const ended = new Promise<never>(() => undefined);
    cli.onInterrupt(async () => {
      await listening.close();
      await desks.idle();
    });
    if (cli.globals.json) cli.json({ event: 'ready', socket, url });
    else {
      for (const place of [socket, url]) if (place !== null) cli.out(`${cli.paint.green('serving')} ${clean(place)}`);
      if (token !== null) cli.out(`  ${cli.paint.dim('token  ')} ${clean(tokenFile)}`);
      for (const agentId of opened.keys()) cli.out(`  ${cli.paint.dim('signs for')} ${clean(agentId)}`);
    }
    return ended;
  },
};

interface NamedAgent {
  readonly agent: string;
  readonly tokenFile: string | null;
}

function namedAgent(text: string): NamedAgent {
  const at = text.indexOf('=');
  if (at === 0 || at === text.length - 1)
    throw new Failure('USAGE', `--as ${text.slice(0, 80)} names no agent, or no file.`, {
      hint: '--as <agent>=<token file>',
    });
  return at === -1 ? { agent: text, tokenFile: null } : { agent: text.slice(0, at), tokenFile: text.slice(at + 1) };
}

async function openAgents(desks: Desks, agents: readonly NamedAgent[], cli: Cli) {
  const opened = new Map<string, Desk>();
  const tokens: AgentToken[] = [];
  for (const { agent, tokenFile } of agents) {
    const { agentId, desk } = await desks.open(agent);
    if (opened.has(agentId)) throw new Failure('USAGE', `${agentId} is named twice.`, { hint: 'name it once' });
    opened.set(agentId, desk);
    const token = tokenFile === null ? null : await bearerToken(cli.workspace, pathOf(tokenFile, cli)!);
    if (tokens.some((each) => each.token !== null && each.token === token))
      throw new Failure('USAGE', `The token of ${agentId} is that of another agent.`, {
        hint: 'give each a file of its own',
      });
    tokens.push({ agentId, token });
  }
  return { opened, tokens };
}

function socketOf({ socket, listen }: Options, cli: Cli): string | null {
  const path = pathOf(socket, cli) ?? (listen === undefined ? defaultSocket(cli.workspace) : null);
  if (path !== null && cli.io.platform === 'win32')
    throw new Failure('USAGE', 'Windows has no socket that other users cannot reach: a port is served there alone.', {
      hint: 'aip serve --listen 127.0.0.1:0',
    });
  if (path !== null && dirname(path) === '/')
    throw new Failure('USAGE', 'A socket needs a folder of its own.', { hint: '--socket /run/user/1000/aip/aip.sock' });
  return path;
}

function pathOf(path: string | undefined, cli: Cli): string | null {
  return path === undefined ? null : resolve(cli.io.cwd, path);
}
