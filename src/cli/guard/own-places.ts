/** Files that no file tool of an agent may reach, whatever its passport says. */
import { dirname, resolve } from 'node:path';
import { namedHookFiles } from '../../guard/hook/agent-homes.js';
import { HOOK_INSTALLS } from '../../guard/hook/install.js';
import type { OwnFiles } from '../../guard/hook/own-refusal.js';
import { followed, isHardLink, placesBehind } from '../../workspace/guard/serving.js';
import type { Surroundings } from '../io.js';
import type { Globals } from '../globals.js';
import type { KeyPlaceFlags } from '../input/key-place.js';
import type { Setting } from '../setting.js';

/** Configuration of hooks for all of this machine that no hook is installed in. */
const MANAGED = ['/etc/codex/requirements.toml', '/etc/github-copilot/policy.d'];

/**
 * The home with its keys and state, configuration of hooks, the socket's folder, and what flags name: the config, the files of keys
 * and of their passphrases, and further `files` such as tokens and passports; and of these the home alone.
 */
export function ownFiles(
  { workspace, io, globals }: Setting & Surroundings & { readonly globals: Pick<Globals, 'config'> },
  socket: string | null,
  { passphraseFile, envFile }: KeyPlaceFlags,
  files: readonly (string | null | undefined)[],
): OwnFiles {
  const { configDir, stateDir, keysDir } = workspace.paths();
  const ownFolders = withLinks([configDir, stateDir, keysDir]);
  // `-` is stdin.
  const named = [globals.config, passphraseFile, envFile, ...files].flatMap((file) =>
    file && file !== '-' ? [resolve(io.cwd, file)] : [],
  );
  const managed = Object.values(HOOK_INSTALLS).flatMap((each) => each.managed[io.platform] ?? []);
  const hooks = [...MANAGED, ...managed, ...namedHookFiles(io.env, io.cwd)];
  const others = withLinks([...(socket === null ? [] : [dirname(resolve(io.cwd, socket))]), ...hooks, ...named]);
  return {
    ownPlaces: [...ownFolders, ...others],
    ownFolders,
    userHome: io.userHome,
    files: { followed, isHardLink, placesBehind },
  };
}

/**
 * The home and the config file that were named, as words of a command for a configuration. Absolute: what a coding agent or a client starts runs
 * in a project's folder, whose files would otherwise be the keys, pins and passports that count.
 */
export function placeWords({ globals, io }: Surroundings & { readonly globals: Globals }): string[] {
  const home = globals.home ?? (io.env.AIP_HOME || null);
  const words = (flag: string, path: string | null) => (path === null ? [] : [flag, resolve(io.cwd, path)]);
  return [...words('--home', home), ...words('--config', globals.config)];
}

function withLinks(places: readonly string[]): string[] {
  return [...new Set(places.flatMap((place) => [place, followed(place)]))];
}
