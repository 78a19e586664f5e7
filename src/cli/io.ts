/** The world as the command line sees it, handed in so that a test can hand in another. */
import { homedir } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { Failure } from '../app/failure.js';
import type { Interrupted, Interruption } from './shell/interruption.js';

export type Source = Readable & { readonly isTTY?: boolean };
export type Sink = Writable & { readonly isTTY?: boolean; readonly columns?: number };

export type ImportModule = (href: string) => Promise<{ readonly default?: unknown }>;

/** How this process came by its program; `aip doctor` says it. */
export interface Startup {
  /** What node was started with, to start another. */
  readonly script: string;
  /** Whether the command is one of those that run most: each says little, and ends. */
  readonly frequent: boolean;
  /** Whether V8 took up a compiled form of the program. */
  readonly compiled: boolean;
  /** Where such forms are kept; null without a home folder. */
  readonly folder: string | null;
  /** In words why none can be kept there; null when they can. */
  problem(): string | null;
  /** The commands that have one for this program and this Node. */
  kept(): readonly string[];
}

export interface Io {
  readonly stdin: Source;
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** The user's home folder. */
  readonly userHome: string;
  readonly platform: NodeJS.Platform;
  /** Who runs this; null where users have no numbers. */
  readonly uid: number | null;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /**
   * `import()` of a file by its URL: code that the user named. Handed in, because the program itself may come out of V8's cache,
   * and what comes from there cannot import.
   */
  readonly importModule: ImportModule;
  /** Null where the program runs from its sources. */
  readonly startup: Startup | null;
  /** Told on SIGINT and SIGTERM. */
  readonly interruption: Interruption;
}

/** What has the world around a command. */
export interface Surroundings {
  readonly io: Io;
}

const readSources = new WeakSet<Source>();

/**
 * Stdin, for the one argument that names it with `-`: a second one would get what the first left, nothing or a piece of the same
 * document, and would be judged by it. Fails with USAGE.
 */
export function stdinOnce({ stdin }: Pick<Io, 'stdin'>): Source {
  if (readSources.has(stdin))
    throw new Failure('USAGE', 'Stdin is named twice with -, and can be read once.', {
      hint: 'name a file in one of the two places',
    });
  readSources.add(stdin);
  return stdin;
}

/** What can be told to stop. */
export interface Interruptible {
  /** Called once on Ctrl-C or SIGTERM, before the process ends; until it settles the process stays. */
  onInterrupt(finish: (reason: Interrupted) => void | Promise<void>): void;
}

/** Columns of a terminal, null for anything else; a pseudo-terminal that was never given a size says 0. */
export function widthOf(sink: Sink): number | null {
  return sink.isTTY === true ? sink.columns || 80 : null;
}

/** The reader of stdout has gone. */
export class OutputClosed extends Error {
  constructor() {
    super('stdout is closed');
    this.name = 'OutputClosed';
  }
}

/** A shell can stand in a folder that another has removed. */
function currentFolder(): string {
  try {
    return process.cwd();
  } catch (cause) {
    throw new Failure('NOT_FOUND', 'The current folder does not exist any more.', { hint: 'cd ~', cause });
  }
}

/** Empty when there is none: a container may run as a user whom no list of users holds. */
function homeFolder(): string {
  try {
    return homedir();
  } catch {
    return '';
  }
}

/** This process. */
export function processIo(
  given: Pick<Io, 'interruption' | 'importModule' | 'startup' | 'stdout' | 'stderr'>,
  stdin: Source | null,
): Io {
  return {
    ...given,
    // Opened when it is read: most commands never do, and it costs as much as a database does.
    get stdin() {
      return stdin ?? process.stdin;
    },
    env: process.env,
    // Where these fail, a command that needs them fails with words.
    get cwd() {
      return currentFolder();
    },
    get userHome() {
      return homeFolder();
    },
    platform: process.platform,
    uid: process.getuid?.() ?? null,
    now: Date.now,
  };
}
