/** Builds the `Cli` that a command is given. */
import type { Cli } from '../cli.js';
import type { Config } from '../config/load.js';
import type { Interrupted } from './interruption.js';
import { OutputClosed, widthOf, type Io } from '../io.js';
import { questions } from '../questions/ask.js';
import { plain, type Paint } from '../render/terminal/paint.js';
import { clean, cleanLines, flowed, safeJson, wrapped } from '../render/terminal/text.js';
import type { Globals } from '../globals.js';
import type { CommandSpec } from '../spec.js';
import { localWorkspace } from '../../workspace/workspace.js';
import { inSamePlace, placeOf } from './same-place.js';
import { worldOf } from './world.js';
import { saidOfReading } from '../../app/failure.js';
import { maskError } from '../../protocol/log/secret-text.js';

/** What a command has asked to be told, and whether anybody still reads its answer. */
export interface CommandLifetime {
  readonly interrupt: ((reason: Interrupted) => void | Promise<void>)[];
  readonly afterwards: (() => void | Promise<void>)[];
  readonly output: { closed: boolean };
}

export function shellCli(
  io: Io,
  globals: Globals,
  paint: { out: Paint; err: Paint },
  life: CommandLifetime,
  {
    onlyReads = false,
    onlyDenies = false,
    waitsMs,
  }: Partial<Pick<CommandSpec, 'onlyReads' | 'onlyDenies' | 'waitsMs'>> = {},
): Cli {
  let config: Promise<Config> | null = null;
  const place = placeOf(globals, io.env);
  const write = (text: string): boolean => {
    if (life.output.closed) throw new OutputClosed();
    return io.stdout.write(`${text}\n`);
  };
  const remark = (text: string): void => void io.stderr.write(`${text}\n`);
  const ask = questions(io, { input: globals.input, colour: paint.err !== plain });
  const cli: Cli = {
    io,
    globals,
    onlyDenies,
    paint: paint.out,
    paintErr: paint.err,
    ask,
    forPerson: io.stdout.isTTY === true && !globals.json,
    width: widthOf(io.stdout),
    out: (text) => void write(text),
    stream: (text) => (write(text) ? Promise.resolve() : caughtUp(io)),
    streamBytes: (bytes) => (io.stdout.write(bytes) ? Promise.resolve() : caughtUp(io)),
    json: (value) => void write(safeJson(value, io.stdout.isTTY === true ? 2 : undefined)),
    note: (text) => {
      if (!globals.quiet) remark(flowed(maskError(cleanLines(inSamePlace(text, place))), widthOf(io.stderr)));
    },
    detail: (text) => {
      if (globals.verbose) remark(flowed(maskError(cleanLines(text)), widthOf(io.stderr)));
    },
    warn: (message, code) => {
      const told = onlyReads ? saidOfReading(message) : message;
      if (globals.json) remark(safeJson({ warning: maskError(told), code: code ?? null }));
      else {
        // A message that begins with its code says it once.
        const said = maskError(clean(inSamePlace(told, place)));
        const text = code === undefined || said.includes(code) ? said : `${said} [${code}]`;
        remark(`${paint.err.yellow('warning:')} ${wrapped(text, widthOf(io.stderr), 'warning: '.length)}`);
      }
    },
    config: () => (config ??= readConfig(cli)),
    workspace: localWorkspace(
      worldOf(io, { home: globals.home, onlyReads, waitsMs, onlyDenies }, { warn: (text) => cli.warn(text), ask }),
    ),
    afterwards: (finish) => void life.afterwards.push(finish),
    onInterrupt: (finish) => void life.interrupt.push(finish),
  };
  life.afterwards.push(() => cli.workspace.close());
  return cli;
}

async function readConfig(cli: Cli): Promise<Config> {
  const { loadConfig } = await import('../config/load.js');
  const config = await loadConfig(cli, { lenient: cli.onlyDenies });
  for (const { message, code } of config.warnings) cli.warn(message, code);
  return config;
}

/** Resolves when stdout takes more, or rejects when it never will. */
function caughtUp(io: Io): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      io.stdout.removeListener('drain', done);
      io.stdout.removeListener('error', failed);
      resolve();
    };
    const failed = (): void => {
      io.stdout.removeListener('drain', done);
      reject(new OutputClosed());
    };
    io.stdout.once('drain', done);
    io.stdout.once('error', failed);
  });
}
