/** Where the mesh that is served on this machine has its data. */
import { join, resolve } from 'node:path';
import type { Surroundings } from '../io.js';
import type { Setting } from '../setting.js';
import type { OptionSpec } from '../spec.js';

export const DATA_OPTION: OptionSpec = {
  flags: '--data <dir>',
  description: 'folder of the mesh (default: mesh, beside state.db)',
  values: 'file',
};

/** The folder that `--data` names, else the one beside the state. */
export function meshFolder(named: string | undefined, cli: Pick<Setting, 'workspace'> & Surroundings): string {
  return named === undefined ? join(cli.workspace.paths().stateDir, 'mesh') : resolve(cli.io.cwd, named);
}
