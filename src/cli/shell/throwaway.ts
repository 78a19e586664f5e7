import type { Cli } from '../cli.js';
import { temporaryFolder } from '../../workspace/files.js';
import { localWorkspace } from '../../workspace/workspace.js';

/**
 * The same command line in a folder of its own that is removed when the command ends, however it ends: nothing of the user's
 * home, config, variables, keys or current folder is read or changed.
 */
export async function throwaway(cli: Cli): Promise<Cli> {
  // What an interrupt leaves behind is removed once; a folder made after that would stay.
  cli.io.interruption.throwIfTold();
  const folder = temporaryFolder('aip-demo-');
  // Before the state is opened there, so that it is closed first.
  cli.afterwards(() => folder.remove());
  const own = /^(AIP_|AGENT_PRIVATE_KEY$)/i;
  const env = Object.fromEntries(Object.entries(cli.io.env).filter(([name]) => !own.test(name)));
  const io = { ...cli.io, env, cwd: folder.path, userHome: folder.path };
  const workspace = localWorkspace({
    ...cli.workspace.world,
    env,
    cwd: folder.path,
    userHome: folder.path,
    home: folder.path,
    onlyReads: false,
    askSecret: null,
  });
  cli.afterwards(() => workspace.close());
  const stage: Cli = {
    ...cli,
    io,
    onlyDenies: false,
    globals: { ...cli.globals, config: null, home: folder.path, input: false },
    workspace,
    config: async () => {
      const { loadConfig } = await import('../config/load.js');
      return loadConfig(stage);
    },
  };
  return stage;
}
