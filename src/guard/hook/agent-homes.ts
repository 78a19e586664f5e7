/** Coding agents whose user's configuration lies where a variable says. */
import { join, resolve } from 'node:path';
import type { HookClientName } from './clients.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** The variable, and what in that folder says which hooks run: the file of the hook first. */
const AGENT_HOMES: Partial<
  Record<HookClientName, { readonly variable: string; readonly files: readonly [string, ...string[]] }>
> = {
  claude: { variable: 'CLAUDE_CONFIG_DIR', files: ['settings.json'] },
  codex: { variable: 'CODEX_HOME', files: ['hooks.json', 'config.toml'] },
  copilot: { variable: 'COPILOT_HOME', files: ['hooks/aip.json', 'hooks', 'settings.json', 'config.json'] },
};

/** The file of the user's hooks that a variable leads to; null where none does. */
export function namedHookFile(client: HookClientName, env: Environment, cwd: string): string | null {
  const { variable, files } = AGENT_HOMES[client] ?? {};
  const folder = variable === undefined ? '' : env[variable] || '';
  return folder === '' || files === undefined ? null : join(resolve(cwd, folder), files[0]);
}

/** All files of hooks that variables lead to. */
export function namedHookFiles(env: Environment, cwd: string): string[] {
  return Object.values(AGENT_HOMES).flatMap(({ variable, files }) => {
    const folder = env[variable] || '';
    return folder === '' ? [] : files.map((file) => join(resolve(cwd, folder), file));
  });
}
