/** The library's world. The environment and the streams of the process are read here and nowhere else in the library. */
import { homedir } from 'node:os';
import { Failure } from '../app/failure.js';
import type { Clock } from '../app/ports/state.js';
import { SYSTEM, type World } from '../workspace/world.js';

/** Where a workspace lives, and whose environment and clock it uses. */
export interface WorldOptions {
  /**
   * The folder that holds state and keys. Default: the environment's AIP_HOME, else the folders of the command line, so
   * that both work on the same passports, pins and log.
   */
  readonly home?: string;
  /** The passphrase of key files, or how to get it. Default: the environment's AIP_KEY_PASSPHRASE. */
  readonly passphrase?: string | (() => string | Promise<string>);
  /** Milliseconds since the epoch. Default: the system clock. */
  readonly clock?: () => number;
  /** Told what people should hear, such as a private key that lies in plain text. Default: `process.emitWarning`. */
  readonly onNotice?: (notice: string) => void;
}

/** The end of what a Date can say. */
const MAX_TIME_MS = 8.64e15;

/** This process, but for what the options replace. */
export function programWorld(options: WorldOptions): World {
  const { env } = process;
  const warn = (text: string) => process.emitWarning(text, { code: 'AIP' });
  return {
    ...SYSTEM,
    clock: options.clock === undefined ? SYSTEM.clock : milliseconds(options.clock),
    env,
    // A program may change its folder; `home` is from where it is when the path is needed.
    get cwd() {
      return process.cwd();
    },
    platform: process.platform,
    get userHome() {
      return homedir();
    },
    get home() {
      return options.home ?? (env.AIP_HOME || null);
    },
    onlyReads: false,
    owner: process.getuid?.() ?? null,
    notice: options.onNotice === undefined ? warn : unbroken(options.onNotice, warn),
    askSecret: null,
    signal: new AbortController().signal,
  };
}

/** Fractions of a millisecond, as high-resolution clocks have them, are dropped; what is no time ends no comparison in a yes. */
function milliseconds(clock: () => unknown): Clock {
  return () => {
    const now = clock();
    if (typeof now === 'number' && Math.abs(now) <= MAX_TIME_MS) return Math.floor(now);
    throw new Failure('USAGE', '"clock" gave no time in milliseconds since the epoch.');
  };
}

/** Who is told something must not decide what becomes of a verification, nor end the process from a timer. */
function unbroken(tell: (notice: string) => unknown, otherwise: (notice: string) => void): (notice: string) => void {
  return (notice) => {
    try {
      const told: unknown = tell(notice);
      if (told instanceof Promise) told.catch(() => otherwise(notice));
    } catch {
      otherwise(notice);
    }
  };
}
