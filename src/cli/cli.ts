/** What a command is given: the streams, the global options, colour, questions, config, and the wired world. */
import type { Config } from './config/load.js';
import type { Interrupted, Io } from './io.js';
import type { Questions } from './questions/ask.js';
import type { Paint } from './render/terminal/paint.js';
import type { Globals } from './globals.js';
import type { LocalWorkspace } from '../workspace/workspace.js';

export interface Cli {
  readonly io: Io;
  readonly globals: Globals;
  /** True for a command that denies or tells, which no config file may keep from it. */
  readonly onlyDenies: boolean;
  /** For stdout. */
  readonly paint: Paint;
  /** For stderr. */
  readonly paintErr: Paint;
  readonly ask: Questions;
  /** True when a person reads stdout: a terminal, and not `--json`. */
  readonly forPerson: boolean;
  /** Columns of the terminal on stdout, 80 when it does not say; null when stdout is no terminal. */
  readonly width: number | null;

  /** Writes a line (or lines) of the answer to stdout. Strings of strangers go through `clean` first. */
  out(text: string): void;
  /** As `out`, and waits until a slow reader has caught up: for streams of any length. */
  stream(text: string): Promise<void>;
  /** The answer as one JSON document: indented on a terminal, one line otherwise. */
  json(value: unknown): void;
  /** A remark on stderr; silent with `--quiet`. */
  note(text: string): void;
  /** On stderr, only with `--verbose`. */
  detail(text: string): void;
  /** `warning: ...` on stderr, also with `--quiet`; with `--json` as `{warning, code}`. */
  warn(message: string, code?: string): void;

  /** Config with its sources, read on first use. */
  config(): Promise<Config>;
  /** This machine's state, keys and mesh, each opened on first use and closed when the command is done. */
  readonly workspace: LocalWorkspace;
  /** Runs when the command is done, in reverse order, and before the workspace is closed. */
  afterwards(finish: () => void | Promise<void>): void;
  /** Called once on Ctrl-C or SIGTERM, before the process ends; until it settles the process stays. */
  onInterrupt(finish: (reason: Interrupted) => void | Promise<void>): void;
}
