/** Files that no file tool of an agent may reach, whatever its passport says. */
import { dirname, resolve } from 'node:path';
import { namedHookFiles } from '../../guard/hook/agent-homes.js';
import { followed } from '../../workspace/guard/serving.js';
import type { Surroundings } from '../io.js';
import type { Setting } from '../setting.js';

/** The configuration of hooks that holds for all of this machine; where else it lies, its name tells. */
const MANAGED = [
  '/etc/claude-code/managed-settings.json',
  '/etc/codex/requirements.toml',
  '/etc/cursor/hooks.json',
  '/etc/gemini-cli/settings.json',
  '/etc/github-copilot/policy.d',
];

/**
 * The home with its keys and state, configuration of hooks, the socket's folder, and the `files` that flags name: config, passphrase,
 * tokens; and of these the home alone.
 */
export function ownPlaces(
  { workspace, io }: Setting & Surroundings,
  socket: string | null,
  files: readonly (string | null | undefined)[],
): { ownPlaces: string[]; ownFolders: string[] } {
  const { configDir, stateDir, keysDir } = workspace.paths();
  const ownFolders = withLinks([configDir, stateDir, keysDir]);
  // `-` is stdin.
  const named = files.flatMap((file) => (file && file !== '-' ? [resolve(io.cwd, file)] : []));
  const hooks = [...MANAGED, ...namedHookFiles(io.env, io.cwd)];
  const others = withLinks([...(socket === null ? [] : [dirname(resolve(io.cwd, socket))]), ...hooks, ...named]);
  return { ownPlaces: [...ownFolders, ...others], ownFolders };
}

function withLinks(places: readonly string[]): string[] {
  return [...new Set(places.flatMap((place) => [place, followed(place)]))];
}
