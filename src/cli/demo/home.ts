import type { Cli } from '../cli.js';
import { pathsOf } from '../../adapters/files/paths.js';

/**
 * The same command line in a folder of its own that is removed when the command ends, however it ends: nothing of the user's
 * home, config, variables, keys or current folder is read or changed.
 */
export async function throwaway(cli: Cli): Promise<Cli> {
  const { temporaryFolder } = await import('../../adapters/files/temporary-folder.js');
  // What an interrupt leaves behind is removed once; a folder made after that would stay.
  cli.io.signal.throwIfAborted();
  const folder = temporaryFolder('aip-demo-');
  // Before the state is opened there, so that it is closed first.
  cli.afterwards(() => folder.remove());
  const own = /^(AIP_|AGENT_PRIVATE_KEY$)/i;
  const env = Object.fromEntries(Object.entries(cli.io.env).filter(([name]) => !own.test(name)));
  const io = { ...cli.io, env, cwd: folder.path, userHome: folder.path };
  const built = new Map<unknown, unknown>();
  const stage: Cli = {
    ...cli,
    io,
    onlyReads: false,
    globals: { ...cli.globals, config: null, home: folder.path, input: false },
    paths: () => pathsOf(io, folder.path),
    config: async () => {
      const { loadConfig } = await import('../config/load.js');
      return loadConfig(stage);
    },
    once: <T>(build: (cli: Cli) => T): T => {
      if (!built.has(build)) built.set(build, build(stage));
      return built.get(build) as T;
    },
  };
  return stage;
}
