/** The world around a workspace, as values: a test, a demo or another program hands in another one. */
import { after, atExit, clock, nextTurn, random, ticks } from '../adapters/system.js';
import { secretVariable } from '../app/ports/secrets.js';
import type { Clock, Random } from '../app/ports/state.js';

/** What the operating system gives to every process. */
export interface SystemWorld {
  /** Milliseconds since the epoch. */
  readonly clock: Clock;
  /** A clock that never goes back, in microseconds. */
  readonly ticks: () => number;
  /** `n` bytes from a CSPRNG. */
  readonly random: Random;
  /** Runs `work` in the next turn of the event loop, after what has arrived until then. */
  readonly nextTurn: (work: () => void) => void;
  /** Runs `work` after `ms` unless the returned function is called first. */
  readonly after: (ms: number, work: () => void) => () => void;
  /** Runs `work`, which may not wait, when the process ends, unless the returned function is called first. */
  readonly atExit: (work: () => void) => () => void;
}

/** Everything that a workspace reads of its surroundings. Members may be getters: they are read when they are needed. */
export interface World extends SystemWorld {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** As `process.platform` has it. */
  readonly platform: string;
  /** The user's home folder; empty where there is none. */
  readonly userHome: string;
  /** The one folder for config, state and keys (`--home`, AIP_HOME); null for the folders of the platform. */
  readonly home: string | null;
  /** The state is opened to be read: a file that may not be written serves as well. */
  readonly onlyReads: boolean;
  /** How long the state waits for other processes, in ms, for those who must answer in time; null or absent: as long as is usual. */
  readonly waitsMs?: number | null;
  /** The user whose state it must be, with no other user able to change it; null where that is not asked. */
  readonly owner: number | null;
  /** Told what a person should hear, such as a private key that lies in plain text. */
  readonly notice: (notice: string) => void;
  /** Asks for a secret at the terminal, without echo; null where no question may be asked. */
  readonly askSecret: ((question: string) => Promise<string>) | null;
  /** Aborted when the process is told to stop. */
  readonly signal: AbortSignal;
}

/** This process's operating system. */
export const SYSTEM: SystemWorld = { clock, ticks, random, nextTurn, after, atExit };

/** A variable of the environment; null when it is unset or empty. @throws Failure USAGE when quotes were left around it */
export function variable({ env }: Pick<World, 'env'>, name: string): string | null {
  return secretVariable(env, name);
}
