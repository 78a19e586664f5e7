/** The way in. */
import { sinkOf } from './boot/pipe-sink.js';
import { Interrupted, Interruption } from './shell/interruption.js';
import { processIo, type ImportModule, type Io, type Sink, type Source, type Startup } from './io.js';

/** Runs one command line (without `node` and the script) and resolves to its exit code. Never throws. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const { shell } = await import('./shell/shell.js');
  return shell(argv, io);
}

/** The words of every command, for the build. */
export async function commandWords(): Promise<string[]> {
  const { COMMANDS } = await import('./registry.js');
  return COMMANDS.map(({ path }) => path.join(' '));
}

/** Runs this process's command line and ends the process. */
export async function main(
  importModule: ImportModule,
  startup: Startup | null = null,
  stdin: Source | null = null,
): Promise<void> {
  const interruption = new Interruption();
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.on(signal, () => {
      // The first signal lets a stream say how it ended; a second one means now.
      if (interruption.reason !== null) process.exit(code);
      interruption.tell(new Interrupted(code));
    });
  }
  const brief = startup?.frequent ?? false;
  const [stdout, stderr] = [sinkOf('stdout', brief), sinkOf('stderr', brief)];
  // The shell looks at these; without a listener node would end with a stack.
  for (const sink of [stdout, stderr]) sink.on('error', () => undefined);
  // A loop that runs empty while something is still awaited must not be a yes, nor must code of the user that ends the process.
  let answered = false;
  process.on('exit', (code) => {
    // For a coding agent every end but 2 of its hook means that the tool runs.
    if (!answered && code === 0) process.exitCode = process.argv[2] === 'hook' ? 2 : 1;
  });
  const code = await run(
    process.argv.slice(2),
    processIo({ interruption, importModule, startup, stdout, stderr }, stdin),
  );
  await Promise.all([drained(stdout), drained(stderr)]);
  answered = true;
  // A socket or a child that still hangs must not keep a finished command alive.
  process.exit(code);
}

/** Everything written so far has left the process, or never will. */
function drained(sink: Sink): Promise<void> {
  return new Promise((resolve) => sink.write('', () => resolve()));
}
