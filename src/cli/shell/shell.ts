/** Runs one command line: finds the command, reads its input, hands it the world, and turns what happens into an exit code. */
import { Failure, ofReading } from '../../app/failure.js';
import { fileFailure } from '../../app/system-failures.js';
import { shellCli, type CommandLifetime } from './context.js';
import { paints } from './colour.js';
import { reportError } from '../render/errors.js';
import { Interrupted, type Interruption } from './interruption.js';
import { OutputClosed, widthOf, type Io } from '../io.js';
import { plain } from '../render/terminal/paint.js';
import { safeJson } from '../render/terminal/text.js';
import { plainLine } from './plain-line.js';
import { asks, route } from './route.js';
import { placeFlags } from './same-place.js';
import { SECTIONS } from '../registry.js';
import { VERSION } from '../version.js';

export async function shell(argv: readonly string[], io: Io): Promise<number> {
  const output = watchOutput(io);
  const life: CommandLifetime = { interrupt: [], afterwards: [], output };
  const stop = watchInterruption(io.interruption, life);
  const code = await outcome(argv, io, life, output, stop.ended);
  output.unwatch();
  stop.unwatch();
  return closed(code, argv, io, life);
}

/** What the command says, or what kept it from saying anything, as an exit code. */
async function outcome(
  argv: readonly string[],
  io: Io,
  life: CommandLifetime,
  output: ReturnType<typeof watchOutput>,
  ended: Promise<number>,
): Promise<number> {
  try {
    const done = execute(argv, io, life).then((code) => {
      // It has answered: a reader that is gone can no longer turn that into a quiet end.
      life.interrupt.length = 0;
      return written(io).then(() => code);
    });
    const code = await Promise.race([done, ended, output.gone(life)]);
    // An answer that was lost (a full disk) is not a success.
    return code === 0 && output.error !== null ? await fail(lostAnswer(output.error), argv, io) : code;
  } catch (error) {
    if (error instanceof Interrupted) return error.exitCode;
    if (error instanceof OutputClosed) return output.error === null ? 0 : fail(lostAnswer(output.error), argv, io);
    return fail(error, argv, io);
  }
}

/** Closes all that the command opened, also when some of it fails to close. */
async function closed(code: number, argv: readonly string[], io: Io, life: CommandLifetime): Promise<number> {
  let last = code;
  for (const finish of life.afterwards.reverse()) {
    try {
      await finish();
    } catch (error) {
      const failed = await fail(error, argv, io);
      if (last === 0) last = failed;
    }
  }
  return last;
}

async function execute(argv: readonly string[], io: Io, life: CommandLifetime): Promise<number> {
  const found = route(argv);
  if (found.kind === 'version') {
    io.stdout.write(
      asks(argv, '--json') ? `${safeJson({ version: VERSION, node: process.version })}\n` : `${VERSION}\n`,
    );
    return 0;
  }
  if (found.kind === 'command' && !found.help) {
    const { command } = await found.listing.load();
    const { input, globals } =
      plainLine(command, found.rest, io.env) ?? (await import('./parse.js')).parse(command, found.rest, io.env);
    const paint = await paints(io, globals.color);
    const run = command.run(input, shellCli(io, globals, paint, life, command));
    return command.onlyReads === true ? run.catch((error: unknown) => Promise.reject(ofReading(error) as Error)) : run;
  }
  const help = await import('../help/pages.js');
  const json = asks(argv, '--json');
  const paint = await paints(io, !json && !asks(argv, '--no-color'));
  const width = help.pageWidth(json ? null : widthOf(io.stdout));
  const answer = (page: string): number => {
    io.stdout.write(json ? `${safeJson({ help: page })}\n` : page);
    return 0;
  };
  if (found.kind === 'command') {
    const { command } = await found.listing.load();
    return answer(help.commandHelp(command, paint.out, width));
  }
  if (found.kind === 'bare')
    return answer(found.help ? help.overview(SECTIONS, paint.out, width) : help.start(SECTIONS, paint.out));
  if (found.help) return answer(help.groupHelp(SECTIONS, found.path, paint.out, width));
  // `aip passport` did nothing, and says so to scripts.
  if (json) {
    const words = ['aip', ...found.path].join(' ');
    throw new Failure('USAGE', `${words} begins several commands and names none.`, { hint: `${words} --help` });
  }
  io.stderr.write(help.groupHelp(SECTIONS, found.path, paint.err, help.pageWidth(widthOf(io.stderr))));
  return 2;
}

/** An answer that did not get out. What it told of has happened: an intent that is given again for it is a replay. */
function lostAnswer(cause: Error): Failure {
  const { code, message, hint } = fileFailure('stdout', 'written', cause, { kind: 'STATE' });
  return new Failure(code, `${message} What the command did is done.`, { hint: hint ?? 'df -h', cause });
}

async function fail(error: unknown, argv: readonly string[], io: Io): Promise<number> {
  // The arguments may be what is wrong, so they are only looked at, not parsed.
  const paint = await paints(io, !asks(argv, '--no-color')).catch(() => ({ err: plain }));
  const [json, debug, place] = [asks(argv, '--json'), asks(argv, '--debug'), placeFlags(argv)];
  return reportError(error, io, { json, debug, paint: paint.err, place });
}

/** Resolves when stdout has taken everything, or has failed to. */
function written(io: Io): Promise<void> {
  return new Promise((resolve) => io.stdout.write('', () => resolve()));
}

/** `ended` settles when the process is told to stop and the command has had its say. */
function watchInterruption(
  interruption: Interruption,
  life: CommandLifetime,
): { ended: Promise<number>; unwatch(): void } {
  const stop = async (reason: Interrupted): Promise<number> => {
    for (const finish of life.interrupt) await finish(reason);
    return reason.exitCode;
  };
  // One interruption outlives many command lines where a program runs them one after another.
  let unwatch = ignore;
  const ended = new Promise<number>((resolve, reject) => {
    unwatch = interruption.watch((reason) => void stop(reason).then(resolve, reject));
  });
  return { ended, unwatch };
}

/**
 * Notices a reader that went away (`aip logs tail | head`). A command that streams ends with 0; one that is about to return keeps its
 * own exit code, so that a refusal is never turned into a yes by closing the pipe.
 */
function watchOutput(io: Io): CommandLifetime['output'] & {
  error: Error | null;
  gone(life: CommandLifetime): Promise<number>;
  unwatch(): void;
} {
  let onGone: () => void = () => undefined;
  const state = {
    closed: false,
    error: null as Error | null,
    gone: (life: CommandLifetime) =>
      new Promise<number>((resolve) => {
        onGone = () => {
          if (life.interrupt.length > 0) resolve(0);
        };
      }),
    unwatch: () => void io.stdout.removeListener('error', onError),
  };
  const onError = (error: NodeJS.ErrnoException): void => {
    state.closed = true;
    if (error.code !== 'EPIPE') state.error = error;
    onGone();
  };
  io.stdout.on('error', onError);
  outlive(io.stdout);
  outlive(io.stderr);
  return state;
}

/** What fails to be written, now or once the command is over, ends no process with a stack. Listened for once, however many run. */
function outlive(sink: Io['stdout']): void {
  if (!sink.listeners('error').includes(ignore)) sink.on('error', ignore);
}

const ignore = (): void => undefined;
