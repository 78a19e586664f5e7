/** Tries the hooks of coding agents that are installed here: what each answers where it must not say yes. */
import { join } from 'node:path';
import { failedFinding, ok, warning, type Finding } from '../../app/setup/doctor.js';
import type { HookClientName } from '../../guard/hook/clients.js';
import { runProgram } from '../../workspace/programs.js';
import { installedHooks, type InstalledHook } from '../guard/hook-files.js';
import type { Setting } from '../setting.js';
import type { Surroundings } from '../io.js';

/** What these functions need of a command. */
type Scene = Setting & Surroundings;

const LONGEST_MS = 20_000;
const EXIT_HOOK = 15;

/** One finding a hook; none where none is installed. */
export async function inspectHooks(cli: Scene): Promise<Finding[]> {
  return Promise.all((await installedHooks(cli)).map((hook) => tried(cli, hook)));
}

async function tried(cli: Scene, { client, path, command, off }: InstalledHook): Promise<Finding> {
  if (off !== null) return warning('hook', `${off} switches all hooks off: ${client} runs every tool.`, null);
  const run = async (input: string, line = command) => {
    const options = { env: cli.io.env, cwd: cli.io.cwd, input, timeoutMs: LONGEST_MS, maxOutputBytes: 64 * 1024 };
    const result = await runProgram('/bin/sh', ['-c', line], options);
    return result.kind === 'exited' ? result : { code: null, stdout: '' };
  };
  const [denied, garbage, late] = await Promise.all([
    // A file of its own is refused whatever the passport says, and not held against the agent.
    run(deniedEvent(client, join(cli.workspace.paths().stateDir, 'state.db'))),
    run('{"hook_event_name":'),
    // Its input does not end before it has given up.
    run('', `sleep 7 | ${command}`),
  ]);
  const wrong = [
    ...(denied.code === 2 || (denied.code === 0 && denied.stdout.includes('AIP-E210')) ? [] : ['a refusal']),
    ...(garbage.code === 2 ? [] : ['an event that is no JSON']),
    ...(late.code === 2 ? [] : ['an event that does not end']),
  ];
  if (wrong.length > 0)
    return failedFinding(
      'hook',
      `The hook of ${client} in ${path} does not block ${wrong.join(', ')}.`,
      `aip hook install ${client}`,
      EXIT_HOOK,
    );
  if (denied.code === 2)
    return warning('hook', `The hook of ${client} in ${path} fails, so that every tool is blocked.`, command);
  return ok('hook', `The hook of ${client} in ${path} refuses, and blocks when it fails.`);
}

function deniedEvent(client: HookClientName, file: string): string {
  const claude = { hook_event_name: 'PreToolUse', cwd: '/', tool_name: 'Write', tool_input: { file_path: file } };
  if (client === 'gemini') return JSON.stringify({ ...claude, hook_event_name: 'BeforeTool', tool_name: 'write_file' });
  if (client === 'cursor') return JSON.stringify({ ...claude, hook_event_name: 'preToolUse' });
  if (client === 'copilot') return JSON.stringify({ toolName: 'edit', toolArgs: { path: file }, cwd: '/' });
  return JSON.stringify(claude);
}
