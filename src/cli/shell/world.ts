/** The command line's world, as the workspace takes it. */
import type { Io } from '../io.js';
import type { Questions } from '../questions/ask.js';
import { clean } from '../render/terminal/text.js';
import { SYSTEM, type World } from '../../workspace/world.js';

/** `warn` says on stderr what a person has to know, also with `--quiet`. */
export function worldOf(
  io: Io,
  {
    home,
    onlyReads,
    waitsMs,
    onlyDenies = false,
  }: Pick<World, 'home' | 'onlyReads' | 'waitsMs'> & { readonly onlyDenies?: boolean },
  { warn, ask }: { readonly warn: (text: string) => void; readonly ask: Questions },
): World {
  return {
    ...SYSTEM,
    clock: io.now,
    env: io.env,
    // Where these fail, a command that needs them fails with words.
    get cwd() {
      return io.cwd;
    },
    get userHome() {
      return io.userHome;
    },
    platform: io.platform,
    home,
    onlyReads,
    waitsMs,
    // A state that others can change does not keep an operator from denying.
    owner: onlyDenies ? null : io.uid,
    notice: (notice) => warn(clean(notice)),
    get askSecret() {
      return ask.allowed ? (message: string) => ask.secret({ message, flag: '--passphrase-file <file>' }) : null;
    },
    get signal() {
      return io.interruption.signal;
    },
  };
}
