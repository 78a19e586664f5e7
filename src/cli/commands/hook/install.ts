import { dirname } from 'node:path';
import { Failure, shellWord } from '../../../app/failure.js';
import { findPassport } from '../../../app/passports/find.js';
import { AGENT_KEY_VARIABLE } from '../../../app/keys/keyring.js';
import type { KeyRecord, State } from '../../../app/ports/state.js';
import { HOOK_CLIENTS, type HookClientName } from '../../../guard/hook/clients.js';
import { HOOK_INSTALLS, takesHook, withHook, type HookScope } from '../../../guard/hook/install.js';
import type { Passport } from '../../../protocol/passport.js';
import { makeFolder, removeFile, replaceFile } from '../../../workspace/files.js';
import { followed } from '../../../workspace/guard/serving.js';
import { localState } from '../../../workspace/state.js';
import type { Cli } from '../../cli.js';
import { hookFile, mergeableConfig, type HookConfig } from '../../guard/hook-files.js';
import { MAP_OPTION, type MapFlags } from '../../guard/map.js';
import { placeWords } from '../../guard/own-places.js';
import { askedPrincipals, openPrincipals } from '../../intents/child.js';
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
    const speaker = uninstall ? null : await speakerOf(client, options, cli);
    const command = speaker === null ? null : commandFor(client, speaker.passport, options, cli);
    const { config: before, indent } = await mergeable(path, client, options, cli);
    const after = withHook(client, before, command);
    const changed = JSON.stringify(before) !== JSON.stringify(after);
    // A link goes on leading to a file.
    const gone = changed && uninstall && Object.keys(after).length === 0 && path === given;
    if (changed && !options.dryRun) {
      makeFolder(dirname(path));
      await (gone ? removeFile(path) : replaceFile(path, `${JSON.stringify(after, null, indent)}\n`));
    }
    const byHand =
      speaker === null
        ? []
        : [
            ...HOOK_INSTALLS[client].byHand,
            ...warnings(client, options, before.disableAllHooks),
            ...(cli.io.platform === 'win32' ? [ON_WINDOWS] : []),
            ...keyNeeds(speaker.passport, speaker.held, cli.io.platform),
          ];
    if (speaker !== null) warnOfPrincipals(speaker, cli);
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
        changed
          ? `${uninstall ? 'taken out of' : 'installed in'} ${clean(path)}${gone ? ', which held nothing else and is gone' : ''}`
          : `${clean(path)} is as it was`,
      );
    for (const line of byHand) cli.note(line);
    return 0;
  },
};

const ON_WINDOWS =
  'The hook starts node from PATH: where it is not found, most agents run the tool. aip doctor tries no hook on Windows: see that a tool which the passport does not declare is blocked.';

/** The file to merge into. One that cannot be merged is changed by hand: --dry-run shows what belongs into it. @throws Failure UNREADABLE */
async function mergeable(path: string, client: HookClientName, options: Options, cli: Cli): Promise<HookConfig> {
  const { passport, scope, uninstall, dryRun } = options;
  const shows = `aip hook install ${client} --passport ${shellWord(passport ?? '')} --scope ${scope} --dry-run`;
  try {
    const hint = uninstall ? 'take the hook out by hand' : `add by hand what this shows: ${shows}`;
    const found = await mergeableConfig(path, hint);
    if (takesHook(client, found.config)) return found;
    const at = HOOK_INSTALLS[client].path.join('.');
    throw new Failure('UNREADABLE', `${path} has no list of hooks at ${at}, but something else there.`, { hint });
  } catch (error) {
    if (!(error instanceof Failure) || uninstall || !dryRun) throw error;
    cli.warn(`${error.message} What follows belongs into it, by hand.`, 'by_hand');
    return { config: {}, indent: '  ' };
  }
}

function warnings(client: HookClientName, { scope, ask }: Options, disabled: unknown): string[] {
  const { asks, title } = HOOK_CLIENTS[client];
  return [
    ...(ask && !asks
      ? [`${title} puts no hook's question to its user: --ask changes nothing, and E209 stays a no.`]
      : []),
    ...(scope === 'project'
      ? ['Everybody who can change files of this project can take the hook out: prefer --scope user.']
      : []),
    ...(disabled === true ? ['disableAllHooks is true in this file: no hook runs.'] : []),
  ];
}

/** Whose calls the hook signs, and what this machine knows of the keys. */
interface Speaker {
  readonly passport: Passport;
  readonly state: State;
  /** Null where the agent's key is not here. */
  readonly held: KeyRecord | null;
}

async function speakerOf(client: HookClientName, options: Options, cli: Cli): Promise<Speaker> {
  if (options.passport === undefined)
    throw new Failure('USAGE', 'Whose calls will these be?', { hint: `aip hook install ${client} --passport <agent>` });
  const state = await localState(cli.workspace);
  const { passport } = await findPassport({ state, readFile: documentReader(cli) }, options.passport);
  return { passport, state, held: state.key(passport.currentKey.keyId) };
}

/** What has to be at hand when the agent calls a tool: nobody can be asked then, and a hook that opens no key blocks every one. */
function keyNeeds({ agent }: Passport, held: KeyRecord | null, platform: string): string[] {
  // A hook asks a service over its socket alone.
  const orServe = platform === 'win32' ? '' : `, or run aip serve --as ${agent.id}, which holds the key open`;
  if (held === null)
    return [
      `No key of ${agent.id} is held here: set ${AGENT_KEY_VARIABLE} where the coding agent is started, or aip key import it. Until then every tool is blocked.`,
    ];
  if (held.store === 'file')
    return [`Start the coding agent with AIP_KEY_PASSPHRASE set, for the key in ${clean(held.ref)}${orServe}.`];
  if (held.store === 'env')
    return [`Start the coding agent with ${AGENT_KEY_VARIABLE} set, from ${clean(held.ref)}${orServe}.`];
  if (held.store === 'keychain') return [];
  return [
    `The hook asks ${clean(held.ref)} for each signature: start the coding agent with what reaches it${orServe}.`,
  ];
}

/** A passphrase that the hook is given for the agent's key opens the principal's beside it. */
function warnOfPrincipals({ state, held }: Speaker, cli: Cli): void {
  const passphraseAtHand = held?.store === 'file' || Boolean(cli.io.env.AIP_KEY_PASSPHRASE);
  for (const { did } of openPrincipals(state, passphraseAtHand))
    cli.warn(
      `The key of ${did} lies on this machine too: what the coding agent runs, as the same user, can sign passports with it. Keep it on another machine or under another user: aip help security.`,
      'principal_key_here',
    );
  for (const { did, ref } of askedPrincipals(state))
    cli.warn(
      `The key of ${did} is asked at ${clean(ref)}: what the coding agent runs, as the same user, can ask it for passports, too: aip help security.`,
      'principal_key_here',
    );
}

/** The whole command, by absolute paths: in most agents a command that is not found runs the tool. */
function commandFor(client: HookClientName, { agent }: Passport, options: Options, cli: Cli): string {
  const { startup, platform } = cli.io;
  const onWindows = platform === 'win32';
  // Windows keeps it in a folder with a space, and PowerShell starts no program whose path is in quotes.
  const node = onWindows ? 'node' : process.execPath;
  const program = startup === null ? ['aip'] : [node, startup.script];
  const words = [
    ...program,
    ...['hook', client, '--passport', agent.id],
    ...placeWords(cli),
    ...options.map.flatMap(([tool, action]) => ['--map', `${tool}=${action}`]),
    ...(options.grant ? ['--grant'] : []),
    ...(options.ask ? ['--ask'] : []),
  ];
  return words.map(onWindows ? wordOnWindows : shellWord).join(' ');
}

/** A word that bash, cmd and PowerShell read alike: agents on Windows run a hook by one or another. @throws Failure USAGE where none is */
function wordOnWindows(text: string): string {
  const word = text.replaceAll('\\', '/');
  if (/["$%`!\n\u201c-\u201e]/.test(word))
    throw new Failure('USAGE', `The shells of Windows do not read ${text.slice(0, 200)} alike.`, {
      hint: 'choose a folder or a name without quotes, $, %, ` and !',
    });
  return /^[\w./:=-]+$/.test(word) ? word : `"${word}"`;
}
