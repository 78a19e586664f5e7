/** Where things live on this machine. Decided from values alone; nothing is created here. */
import { join, resolve, win32, posix } from 'node:path';
import { Failure } from '../../app/failure.js';
import type { Paths, PathContext } from '../../app/ports/paths.js';

export function pathsOf(place: PathContext, home: string | null): Paths {
  if (home !== null) {
    const dir = resolve(place.cwd, inHomeFolder(home, place));
    return layout(join, { config: dir, state: dir, data: dir });
  }
  if (place.platform === 'win32') {
    // As on Linux: a relative one would be a folder of whatever project the command runs in.
    const own = (name: string, fallback: string): string => {
      const value = place.env[name] ?? '';
      return win32.join(win32.isAbsolute(value) ? value : win32.join(known(place), 'AppData', fallback), 'aip');
    };
    const local = own('LOCALAPPDATA', 'Local');
    return layout(win32.join, { config: own('APPDATA', 'Roaming'), state: local, data: local });
  }
  if (place.platform === 'darwin') {
    const dir = posix.join(known(place), 'Library', 'Application Support', 'aip');
    return layout(posix.join, { config: dir, state: dir, data: dir });
  }
  // XDG Base Directory Specification 0.8: a relative path in these variables is invalid and ignored.
  const xdg = (name: string, ...fallback: string[]): string => {
    const value = place.env[name];
    return posix.join(value?.startsWith('/') ? value : posix.join(known(place), ...fallback), 'aip');
  };
  const dirs = {
    config: xdg('XDG_CONFIG_HOME', '.config'),
    state: xdg('XDG_STATE_HOME', '.local', 'state'),
    data: xdg('XDG_DATA_HOME', '.local', 'share'),
  };
  return layout(posix.join, dirs);
}

/**
 * `~/x` as a shell would have read it: in quotes, a unit file or a CI setting nothing does, and a folder called `~` would appear
 * wherever the command runs.
 */
function inHomeFolder(home: string, place: PathContext): string {
  if (home === '~') return known(place);
  if (/^~[\\/]/.test(home)) return resolve(known(place), home.slice(2));
  if (!home.startsWith('~')) return home;
  throw new Failure('USAGE', `the home ${home.slice(0, 80)} begins with ~, which only a shell reads`, {
    hint: 'name the folder by its whole path (for one that begins so: ./~...)',
  });
}

function layout(at: (...parts: string[]) => string, dirs: { config: string; state: string; data: string }): Paths {
  return {
    configDir: dirs.config,
    userConfigFile: at(dirs.config, 'config.json'),
    trustedFile: at(dirs.config, 'trusted.json'),
    stateDir: dirs.state,
    stateFile: at(dirs.state, 'state.db'),
    keysDir: at(dirs.data, 'keys'),
    generationFile: at(dirs.data, 'state.generation'),
  };
}

function known(place: Pick<PathContext, 'userHome'>): string {
  if (place.userHome !== '') return place.userHome;
  throw new Failure('USAGE', 'there is no home folder to keep state in', { hint: 'set AIP_HOME to a folder' });
}
