import type { LocalWorkspace } from '../workspace/workspace.js';
import type { Config } from './config/load.js';

/** Where a command works: this machine's state, keys and mesh, and what config says of them. */
export interface Setting {
  /** Each part is opened on first use and closed when the command is done. */
  readonly workspace: LocalWorkspace;
  /** Config with its sources, read on first use. */
  config(): Promise<Config>;
}
