/** What a command says: its answer on stdout, everything else on stderr. */
import type { Globals } from './globals.js';
import type { Paint } from './render/terminal/paint.js';

/** Remarks for people, on stderr. */
export interface Notices {
  /** A remark on stderr; silent with `--quiet`. */
  note(text: string): void;
  /** On stderr, only with `--verbose`. */
  detail(text: string): void;
  /** `warning: ...` on stderr, also with `--quiet`; with `--json` as `{warning, code}`. */
  warn(message: string, code?: string): void;
}

/** The answer, and how the one who reads it wants it. */
export interface Output extends Notices {
  readonly globals: Pick<Globals, 'json' | 'quiet' | 'verbose'>;
  /** For stdout. */
  readonly paint: Paint;
  /** For stderr. */
  readonly paintErr: Paint;
  /** True when a person reads stdout: a terminal, and not `--json`. */
  readonly forPerson: boolean;
  /** Columns of the terminal on stdout, 80 when it does not say; null when stdout is no terminal. */
  readonly width: number | null;
  /** Writes a line (or lines) of the answer to stdout. Strings of strangers go through `clean` first. */
  out(text: string): void;
  /** As `out`, and waits until a slow reader has caught up: for streams of any length. */
  stream(text: string): Promise<void>;
  /** The same for bytes as they are, without a line end. */
  streamBytes(bytes: Uint8Array): Promise<void>;
  /** The answer as one JSON document: indented on a terminal, one line otherwise. */
  json(value: unknown): void;
}
