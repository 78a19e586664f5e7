/** Where a passport that was made goes: a file, or stdout. */
import { resolve } from 'node:path';
import { passportText } from '../../app/passports/issue.js';
import { Failure } from '../../app/failure.js';
import { isTaken, orForce } from '../../workspace/files.js';
import type { PassportDocument } from '../../protocol/passport.js';
import type { Output } from '../output.js';
import type { Surroundings } from '../io.js';

/** What these functions need of a command. */
type Scene = Output & Surroundings;

/** The path from the root, or null for `-`. */
export function passportTarget(out: string, cli: Scene, flag = '--out'): string | null {
  if (out !== '-') return resolve(cli.io.cwd, out);
  if (!cli.globals.json) return null;
  throw new Failure('USAGE', `Both --json and ${flag} - would write to stdout.`, { hint: `${flag} <file>` });
}

/** @throws Failure EXISTS where a passport would replace another file than its own, without --force */
export async function refuseOther(
  path: string | null,
  own: string | null,
  force: boolean | undefined,
  cli: Surroundings,
  flag = '--out',
): Promise<void> {
  if (path === null || force === true || (own !== null && resolve(cli.io.cwd, own) === path)) return;
  if (await isTaken(path)) throw new Failure('EXISTS', `${path} exists already.`, { hint: orForce(flag) });
}

/** Prints a passport that went to no file, and returns how the rest is said: then stdout is taken. */
export function printUnwritten(path: string | null, document: PassportDocument, cli: Scene): (text: string) => void {
  if (path !== null) return (text) => cli.out(text);
  cli.out(passportText(document).trimEnd());
  return (text) => cli.note(text);
}
