/** Files that no file tool of an agent may reach, whatever its passport says. */
import { dirname, join } from 'node:path';
import { followed } from '../../workspace/guard/serving.js';
import type { Setting } from '../setting.js';
import type { Surroundings } from '../io.js';

/** Where coding agents keep the configuration of their hooks, from a project's or the user's folder. */
const HOOK_FILES = [
  '.claude/settings.json',
  '.claude/settings.local.json',
  '.codex/hooks.json',
  '.codex/config.toml',
  '.cursor/hooks.json',
  '.gemini/settings.json',
  '.github/hooks',
  '.copilot/hooks',
];
const MANAGED = [
  '/etc/claude-code/managed-settings.json',
  '/etc/codex/requirements.toml',
  '/etc/cursor/hooks.json',
  '/etc/gemini-cli/settings.json',
  '/etc/github-copilot/policy.d',
];

/** The home with its keys and state, the configuration of hooks in this folder and this user's, and the socket's folder. */
export function ownPlaces(cli: Setting & Surroundings, socket: string | null): string[] {
  const { configDir, stateDir, keysDir } = cli.workspace.paths();
  const hooks = [cli.io.cwd, cli.io.userHome].flatMap((folder) => HOOK_FILES.map((file) => join(folder, file)));
  const places = [configDir, stateDir, keysDir, ...(socket === null ? [] : [dirname(socket)]), ...hooks, ...MANAGED];
  return [...new Set(places.flatMap((place) => [place, followed(place)]))];
}
