/** Tries the hooks of coding agents that are installed here: what each answers where it must not say yes. */
import { join } from 'node:path';
import { shellWord } from '../../app/failure.js';
import { failedFinding, ok, warning, type Finding } from '../../app/setup/doctor.js';
import { TRIAL_TOOL } from '../../guard/hook/decide.js';
import { HOOK_CLIENTS, type HookClientName } from '../../guard/hook/clients.js';
import { runProgram, type SubprocessOptions } from '../../workspace/programs.js';
import { installedHooks, type InstalledHook } from '../guard/hook-files.js';
import type { Setting } from '../setting.js';
import type { Surroundings } from '../io.js';
import { CANARY_TOOL, withCanary } from './canary.js';

/** What these functions need of a command. */
type Scene = Setting & Surroundings;

const LONGEST_MS = 20_000;
const EXIT_HOOK = 15;

/** Does work when all that it was given before is done. */
type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

/** One finding a hook; none where none is installed. */
export async function inspectHooks(cli: Scene): Promise<Finding[]> {
  let last: Promise<unknown> = Promise.resolve();
  // All at once they would keep each other from an answer in the time that a hook has.
  const inTurn: InTurn = (work) => {
    const done = last.then(work);
    last = done.catch(() => undefined);
    return done;
  };
  return Promise.all((await installedHooks(cli)).map((hook) => tried(cli, hook, inTurn)));
}

async function tried(cli: Scene, { client, path, command, off }: InstalledHook, inTurn: InTurn): Promise<Finding> {
  if (off !== null) return warning('hook', `${off} switches all hooks off: ${client} runs every tool.`, null);
  if (cli.io.platform === 'win32')
    return warning(
      'hook',
      `The hook of ${client} in ${path} is not tried on Windows.`,
      `see that ${client} is blocked from a tool which the passport does not declare`,
    );
  const run = async (input: string, line = command, more: Partial<SubprocessOptions> = {}) => {
    const limits = { timeoutMs: LONGEST_MS, maxOutputBytes: 64 * 1024 };
    const result = await runProgram('/bin/sh', ['-c', line], {
      env: cli.io.env,
      cwd: cli.io.cwd,
      input,
      ...limits,
      ...more,
    });
    return result.kind === 'exited' ? result : { code: null, stdout: '' };
  };
  const again = (flag: string): string[] => {
    const word = wordAfter(command, flag);
    return word === null ? [] : [flag, shellWord(word)];
  };
  const stateFile = join(wordAfter(command, '--home') ?? cli.workspace.paths().stateDir, 'state.db');
  // Its input does not end before it has given up.
  const late = run('', command, { inputAfterMs: 7_000 });
  const [denied, garbage] = await Promise.all([
    // A file of aip is refused whatever the passport says, and to this tool without an entry that would count against the agent.
    inTurn(() => run(eventOf(client, TRIAL_TOOL, { path: stateFile }))),
    inTurn(() => run('{"hook_event_name":')),
  ]);
  const wrong = [
    ...(denied.code === 2 || (said(client, denied) === 'deny' && denied.stdout.includes('AIP-E210'))
      ? []
      : ['a refusal']),
    ...(garbage.code === 2 ? [] : ['an event that is no JSON']),
  ];
  // A command that does not pass its words and its end on would speak for the agent of this machine.
  const asked =
    wrong.length > 0 || !PLAIN_WORDS.test(command)
      ? null
      : await inTurn(() =>
          withCanary(cli, ({ words, env }) => run(eventOf(client, CANARY_TOOL, {}), `${command} ${words}`, { env })),
        );
  const word = asked === null ? null : said(client, asked);
  const blocks = asked === null || asked.code === 2 || word === 'deny' || (word === 'ask' && HOOK_CLIENTS[client].asks);
  if ((await late).code !== 2) wrong.push('an event that does not end');
  if (!blocks) wrong.push('what a person must approve');
  if (wrong.length > 0)
    return failedFinding(
      'hook',
      `The hook of ${client} in ${path} does not block ${wrong.join(', ')}.`,
      ['aip hook install', client, ...again('--passport'), ...again('--home')].join(' '),
      EXIT_HOOK,
    );
  if (denied.code === 2)
    return warning('hook', `The hook of ${client} in ${path} fails, so that every tool is blocked.`, command);
  const persons =
    word === 'ask'
      ? ', asks about what a person must approve'
      : word === 'deny'
        ? ', also what a person must approve'
        : '';
  return ok('hook', `The hook of ${client} in ${path} refuses${persons}, and blocks when it fails.`);
}

/** Words as `hook install` writes them, behind which others can stand. */
const PLAIN_WORDS = /^(?:(?:'[^']*'|[\w@%+=:,./-])+(?: +|$))+$/;

/** The decision in this agent's words; null where there is none. */
function said(client: HookClientName, { code, stdout }: { code: number | null; stdout: string }): string | null {
  if (code !== 0) return null;
  try {
    const answer = JSON.parse(stdout) as Record<string, unknown>;
    const { hookSpecificOutput: specific } = answer as { hookSpecificOutput?: Record<string, unknown> };
    const word = { gemini: answer.decision, cursor: answer.permission, copilot: answer.permissionDecision }[
      client as string
    ];
    const found = word ?? specific?.permissionDecision;
    return typeof found === 'string' ? found : null;
  } catch {
    return null;
  }
}

/** What stands behind a flag in a command that `hook install` wrote: a hook may be of another home than the one that is looked at. */
function wordAfter(command: string, flag: string): string | null {
  const [, quoted, bare] = new RegExp(`(?:^| )${flag} (?:'((?:[^']|'\\\\'')*)'|([^\\s']+))(?= |$)`).exec(command) ?? [];
  return bare ?? quoted?.replaceAll("'\\''", "'") ?? null;
}

function eventOf(client: HookClientName, tool: string, input: object): string {
  if (client === 'copilot') return JSON.stringify({ toolName: tool, toolArgs: input, cwd: '/' });
  const kind = { gemini: 'BeforeTool', cursor: 'preToolUse' }[client as string] ?? 'PreToolUse';
  return JSON.stringify({ hook_event_name: kind, cwd: '/', tool_name: tool, tool_input: input });
}
