import { Failure, shellWord } from '../../../app/failure.js';
import { EVENT_BOUNDS, failureAnswer, WATCHDOG_MS, type HookOutput } from '../../../guard/hook/call.js';
import { HOOK_CLIENTS, type HookClientName } from '../../../guard/hook/clients.js';
import { answerHook, whyFailed, type HookDeps } from '../../../guard/hook/decide.js';
import { defaultSocket } from '../../../workspace/guard/serving.js';
import type { Cli } from '../../cli.js';
import { openDesks, namedPassportFile } from '../../guard/desks.js';
import { handingOver } from '../../guard/handing-over.js';
import { MAP_OPTION, type MapFlags } from '../../guard/map.js';
import { ownFiles } from '../../guard/own-places.js';
import { GEO_OPTION, PASSPHRASE_OPTIONS } from '../../input/options.js';
import { SIGNING_KEY_OPTIONS, type KeyPlaceFlags } from '../../input/key-place.js';
import type { CommandSpec } from '../../spec.js';

interface Options extends KeyPlaceFlags, MapFlags {
  readonly passport?: string;
  readonly grant: boolean;
  readonly ask: boolean;
  readonly socket?: string;
  readonly geo?: string;
}

export const command: CommandSpec<Options> = {
  path: ['hook'],
  summary: 'Decide what a coding agent is about to do, as its pre-tool hook',
  detail:
    "It reads the agent's event on stdin and answers in its words. A yes is no objection: the agent's own prompts stay. Every failure is exit 2, which blocks. It asks `aip serve` where that runs.",
  args: [{ name: 'agent', description: 'whose hook this is', choices: Object.keys(HOOK_CLIENTS) }],
  options: [
    {
      title: 'Whose',
      options: [
        {
          flags: '-p, --passport <agent>',
          description: 'passport file, agent id, or name (default: hook.passport of the config)',
          values: 'agent',
        },
        { flags: '--socket <path>', description: 'where aip serve listens (AIP_SOCKET)', values: 'file' },
        ...SIGNING_KEY_OPTIONS,
        ...PASSPHRASE_OPTIONS,
      ],
    },
    {
      title: 'How',
      options: [
        MAP_OPTION,
        { flags: '--grant', description: "a yes skips the agent's own prompt" },
        {
          flags: '--ask',
          description: "E209 becomes the agent's own question, where the passport names no approvers",
        },
        GEO_OPTION,
      ],
    },
  ],
  examples: [
    { run: 'aip hook claude --passport coder < event.json', why: 'what Claude Code runs before a tool' },
    { run: 'aip hook codex -p coder --map Bash=deploy < event.json', why: 'with an action of your own' },
  ],
  exits: { 2: 'the hook itself failed: the agent must not run the tool' },
  touches: ['files', 'state', 'keychain', 'network'],
  // Nothing else runs while the state is waited for, so that the watchdog would come too late.
  waitsMs: WATCHDOG_MS / 2,
  topics: ['guard'],

  async run({ args: [name], options }, cli) {
    // No agent asks from a terminal; the failure ends with 2, as every one of the hook does.
    if (cli.io.stdin.isTTY === true) {
      const whose = `${name} -p ${options.passport === undefined ? '<agent>' : shellWord(options.passport)}`;
      throw new Failure('USAGE', 'The event comes from the coding agent, on stdin; this is a terminal.', {
        hint: `aip hook install ${whose}; to try it: aip hook ${whose} < event.json`,
      });
    }
    const answer = await answered(name as HookClientName, options, cli);
    if (answer.stderr !== '') cli.io.stderr.write(answer.stderr);
    if (answer.stdout !== '') cli.io.stdout.write(answer.stdout);
    return answer.exitCode;
  },
};

/** Never rejects. */
async function answered(name: HookClientName, options: Options, cli: Cli): Promise<HookOutput> {
  let cancel = (): void => undefined;
  const late = new Promise<HookOutput>((resolve) => {
    cancel = cli.workspace.world.after(WATCHDOG_MS, () =>
      resolve(failureAnswer(`it took more than ${WATCHDOG_MS} ms.`)),
    );
  });
  // An end by a signal would run the tool.
  const stopped = new Promise<HookOutput>((resolve) => {
    cli.onInterrupt(() => {
      resolve(failureAnswer('it was told to stop.'));
      return new Promise(() => undefined);
    });
  });
  const decided = decide(name, options, cli).catch((error: unknown) => failureAnswer(whyFailed(error)));
  try {
    return await Promise.race([decided, late, stopped]);
  } finally {
    cancel();
  }
}

async function decide(name: HookClientName, options: Options, cli: Cli): Promise<HookOutput> {
  const bytes = await eventFrom(cli);
  const passport = options.passport ?? (await cli.config()).get('hook.passport');
  if (passport === null)
    throw new Failure('USAGE', 'Whose calls are these?', {
      hint: 'name the agent with --passport, or set hook.passport in the config: aip help config',
    });
  const desks = await openDesks(cli, { ...options, live: false }, [passport]);
  const { desk } = await desks.open(passport);
  const socket = options.socket ?? (cli.io.env.AIP_SOCKET || defaultSocket(cli.workspace));
  const deps: HookDeps = {
    desk,
    folder: cli.io.cwd,
    rules: { grant: options.grant, ask: options.ask, map: new Map(options.map) },
    ...ownFiles(cli, socket, options, [namedPassportFile(passport)]),
    ...handingOver(desks),
  };
  return answerHook(HOOK_CLIENTS[name], bytes, deps);
}

async function eventFrom({ io }: Cli): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of io.stdin) {
    const bytes = Buffer.from(part as Uint8Array);
    size += bytes.length;
    if (size > EVENT_BOUNDS.bytes) throw new Failure('USAGE', `The event is larger than ${EVENT_BOUNDS.bytes} bytes.`);
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}
