/** Files that no file tool of an agent may reach, whatever its passport says. */
import { dirname } from 'node:path';
import { followed } from '../../workspace/guard/serving.js';
import type { Setting } from '../setting.js';

/** The configuration of hooks that holds for all of this machine; where else it lies, its name tells. */
const MANAGED = [
  '/etc/claude-code/managed-settings.json',
  '/etc/codex/requirements.toml',
  '/etc/cursor/hooks.json',
  '/etc/gemini-cli/settings.json',
  '/etc/github-copilot/policy.d',
];

/** The home with its keys and state, managed configuration of hooks, and the socket's folder; and of these the home alone. */
export function ownPlaces(cli: Setting, socket: string | null): { ownPlaces: string[]; ownFolders: string[] } {
  const { configDir, stateDir, keysDir } = cli.workspace.paths();
  const ownFolders = withLinks([configDir, stateDir, keysDir]);
  const others = withLinks([...(socket === null ? [] : [dirname(socket)]), ...MANAGED]);
  return { ownPlaces: [...ownFolders, ...others], ownFolders };
}

function withLinks(places: readonly string[]): string[] {
  return [...new Set(places.flatMap((place) => [place, followed(place)]))];
}
