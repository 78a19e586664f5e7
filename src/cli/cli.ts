/** What a command is given. Below `commands/` and `shell/` its parts are known, each where it is needed, and never the whole. */
import type { Globals } from './globals.js';
import type { Interruptible, Surroundings } from './io.js';
import type { Output } from './output.js';
import type { Questioner } from './questions/ask.js';
import type { Setting } from './setting.js';
import type { Lifetime } from '../workspace/workspace.js';

/** `afterwards` runs when the command is done, in reverse order, and before the workspace is closed. */
export interface Cli extends Output, Setting, Questioner, Surroundings, Interruptible, Lifetime {
  readonly globals: Globals;
  /** True for a command that denies or tells, which no config file may keep from it. */
  readonly onlyDenies: boolean;
}
