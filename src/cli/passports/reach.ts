/** What is said of who has a passport that was signed here: what is true of this machine, and what of the fleet. */
import type { Cli } from '../cli.js';
import { clean } from '../render/terminal/text.js';

/** Said after a passport was signed and went nowhere else. */
export function knownHereAlone(cli: Cli, path: string | null): void {
  const file = path === null ? 'it' : clean(path);
  cli.note(
    `\nOnly this machine has it: the others go on with what they know until you import ${file} there (aip passport import).`,
  );
}
