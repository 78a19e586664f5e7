/** Whether a stream gets colour is decided here, once; chalk is loaded only when it does. */
import type { Io, Sink } from '../io.js';
import { plain, type Paint } from '../render/terminal/paint.js';

/**
 * `--no-color`, then NO_COLOR (no-color.org: any non-empty value), FORCE_COLOR, CLICOLOR_FORCE and CLICOLOR (bixense.com/clicolors),
 * TERM=dumb, and last whether the stream is a terminal.
 */
export function wantsColour(stream: Pick<Sink, 'isTTY'>, env: Io['env'], allowed: boolean): boolean {
  if (!allowed || (env['NO_COLOR'] ?? '') !== '') return false;
  const force = env['FORCE_COLOR'];
  if (force !== undefined) return force !== '0' && force !== 'false';
  if ((env['CLICOLOR_FORCE'] ?? '0') !== '0') return true;
  if (env['CLICOLOR'] === '0' || env['TERM'] === 'dumb') return false;
  return stream.isTTY === true;
}

/** The colours of stdout and stderr. */
export async function paints(io: Io, allowed: boolean): Promise<{ out: Paint; err: Paint }> {
  const out = wantsColour(io.stdout, io.env, allowed);
  const err = wantsColour(io.stderr, io.env, allowed);
  if (!out && !err) return { out: plain, err: plain };
  // chalk reads neither NO_COLOR nor CLICOLOR and looks at the real stdout only, so its level is set here.
  const { Chalk } = await import('chalk');
  const chalk = new Chalk({ level: 1 });
  const coloured: Paint = {
    bold: (text) => chalk.bold(text),
    dim: (text) => chalk.dim(text),
    red: (text) => chalk.red(text),
    green: (text) => chalk.green(text),
    yellow: (text) => chalk.yellow(text),
    cyan: (text) => chalk.cyan(text),
  };
  return { out: out ? coloured : plain, err: err ? coloured : plain };
}
