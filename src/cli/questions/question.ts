/** A question, and what can be chosen. */
import type { Io } from '../io.js';

export interface Question {
  /** What is asked, without a colon. */
  readonly message: string;
  /** The flag (or variable) that answers it, e.g. `--yes`. */
  readonly flag: string;
}

export interface Choice<T> {
  readonly value: T;
  readonly name: string;
  readonly description?: string;
}

export interface Terminal {
  readonly input: Io['stdin'];
  readonly output: Io['stderr'];
  readonly signal: AbortSignal;
  readonly colour: boolean;
}
