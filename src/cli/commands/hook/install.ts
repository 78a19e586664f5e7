import { dirname } from 'node:path';
import { Failure, shellWord } from '../../../app/failure.js';
import { findPassport } from '../../../app/passports/find.js';
import { HOOK_CLIENTS, type HookClientName } from '../../../guard/hook/clients.js';
import { HOOK_INSTALLS, withHook, type HookScope } from '../../../guard/hook/install.js';
import { makeFolder, replaceFile } from '../../../workspace/files.js';
import { followed } from '../../../workspace/guard/serving.js';
import { localState } from '../../../workspace/state.js';
import type { Cli } from '../../cli.js';
import { hookConfig, hookFile } from '../../guard/hook-files.js';
import { MAP_OPTION, type MapFlags } from '../../guard/map.js';
import { documentReader } from '../../input/documents.js';
import { clean, safeJson } from '../../render/terminal/text.js';
import type { CommandSpec } from '../../spec.js';

interface Options extends MapFlags {
  readonly passport?: string;
  readonly scope: HookScope;
  readonly dryRun: boolean;
  readonly uninstall: boolean;
  readonly grant: boolean;
  readonly ask: boolean;
}

export const command: CommandSpec<Options> = {
  path: ['hook', 'install'],
  summary: "Put the hook into a coding agent's configuration, or take it out",
  detail:
    'Hooks of others stay. What makes a failure block is set where the agent has such a switch; what is left to do by hand is said. `aip doctor` tries every hook that is installed.',
  args: [{ name: 'agent', description: 'whose configuration', choices: Object.keys(HOOK_CLIENTS) }],
  options: [
    {
      title: 'Which',
      options: [
        { flags: '-p, --passport <agent>', description: 'agent id, name, or passport file', values: 'agent' },
        {
          flags: '--scope <scope>',
          description: 'for this user (default), this project, or this machine',
          choices: ['user', 'project', 'managed'],
          default: 'user',
        },
        MAP_OPTION,
        { flags: '--grant', description: "a yes skips the agent's own prompt" },
        { flags: '--ask', description: "E209 becomes the agent's own question" },
      ],
    },
    {
      title: 'What is done',
      options: [
        { flags: '--dry-run', description: 'show the configuration, and write nothing' },
        { flags: '--uninstall', description: 'take the hook out' },
      ],
    },
  ],
  examples: [
    { run: 'aip hook install claude -p coder', why: 'for this user' },
    { run: 'aip hook install codex -p coder --scope project --dry-run', why: 'to look first' },
    { run: 'aip hook install claude --uninstall', why: 'to take it out' },
  ],
  exits: { 3: 'the passport does not exist, or the configuration cannot be written anew' },
  touches: ['files', 'state'],
  topics: ['guard'],

  async run({ args: [name], options }, cli) {
    const client = name as HookClientName;
    const { scope, uninstall } = options;
    const given = hookFile(cli, client, scope);
    if (given === null)
      throw new Failure('USAGE', `${HOOK_CLIENTS[client].title} has no file of this scope that can be merged.`, {
        hint: `aip hook install ${client} --scope user`,
      });
    // A link stays one: the file may live among others that are kept elsewhere.
    const path = followed(given);
    const command = uninstall ? null : await commandFor(client, options, cli);
    const before = await hookConfig(path);
    const after = withHook(client, before, command);
    const changed = JSON.stringify(before) !== JSON.stringify(after);
    if (changed && !options.dryRun) {
      makeFolder(dirname(path));
      await replaceFile(path, `${JSON.stringify(after, null, 2)}\n`);
    }
    const byHand = uninstall ? [] : [...HOOK_INSTALLS[client].byHand, ...warnings(scope, before.disableAllHooks)];
    if (cli.globals.json) {
      cli.json({
        client,
        scope,
        path,
        command,
        changed,
        written: changed && !options.dryRun,
        by_hand: byHand,
        config: after,
      });
      return 0;
    }
    if (options.dryRun) {
      cli.out(safeJson(after, 2));
      const then = byHand.length > 0 ? ' After the real run:' : '';
      cli.note(`Nothing was written: ${clean(path)} would read so.${then}`);
    } else
      cli.out(
        changed ? `${uninstall ? 'taken out of' : 'installed in'} ${clean(path)}` : `${clean(path)} is as it was`,
      );
    for (const line of byHand) cli.note(line);
    return 0;
  },
};

function warnings(scope: HookScope, disabled: unknown): string[] {
  return [
    ...(scope === 'project'
      ? ['Everybody who can change files of this project can take the hook out: prefer --scope user.']
      : []),
    ...(disabled === true ? ['disableAllHooks is true in this file: no hook runs.'] : []),
  ];
}

/** The whole command, by absolute paths: in most agents a command that is not found runs the tool. */
async function commandFor(client: HookClientName, options: Options, cli: Cli): Promise<string> {
  if (options.passport === undefined)
    throw new Failure('USAGE', 'Whose calls will these be?', { hint: `aip hook install ${client} --passport <agent>` });
  const finding = { state: await localState(cli.workspace), readFile: documentReader(cli) };
  const { passport } = await findPassport(finding, options.passport);
  const { startup, env } = cli.io;
  const program = startup === null ? ['aip'] : [process.execPath, startup.script];
  const home = cli.globals.home ?? (env.AIP_HOME || null);
  const words = [
    ...program,
    ...['hook', client, '--passport', passport.agent.id],
    ...(home === null ? [] : ['--home', home]),
    ...options.map.flatMap(([tool, action]) => ['--map', `${tool}=${action}`]),
    ...(options.grant ? ['--grant'] : []),
    ...(options.ask ? ['--ask'] : []),
  ];
  return words.map(shellWord).join(' ');
}
