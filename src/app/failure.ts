/**
 * What the world can do wrong. Three kinds of bad stay apart: a refused intent is a Decision, a failing world is a Failure
 * with a hint, and everything else is a bug in `aip` and keeps its stack.
 */
export type FailureCode =
  | 'USAGE' // wrong flags, arguments or config
  | 'ANSWER_NEEDED' // a question that may not be asked
  | 'NOT_FOUND' // a named passport, key, file or agent does not exist
  | 'UNREADABLE' // it exists, and cannot be read or does not parse
  | 'EXISTS' // refusing to overwrite
  | 'PASSPORT_REFUSED' // not signed by a pinned principal, or out of force
  | 'KEY_REVOKED' // what it signs counts nowhere
  | 'KEYSTORE_MISSING'
  | 'KEYSTORE_LOCKED'
  | 'KEYSTORE_TIMEOUT'
  | 'KEY_NOT_FOUND'
  | 'WRONG_PASSPHRASE'
  | 'KEYSTORE_DENIED'
  | 'FORBIDDEN' // the role of this machine's key does not permit it
  | 'NETWORK'
  | 'PROPAGATION_INCOMPLETE'
  | 'STATE_UNAVAILABLE' // the memory that a fleet shares gives no answer: nothing was decided
  | 'STATE' // the local state file is damaged, full, or from a newer version
  | 'THRESHOLD';

const EXIT: Readonly<Record<FailureCode, number>> = {
  USAGE: 2,
  ANSWER_NEEDED: 2,
  NOT_FOUND: 3,
  UNREADABLE: 3,
  EXISTS: 2,
  PASSPORT_REFUSED: 10,
  KEY_REVOKED: 13,
  KEYSTORE_MISSING: 4,
  KEYSTORE_LOCKED: 4,
  KEYSTORE_TIMEOUT: 4,
  KEY_NOT_FOUND: 4,
  WRONG_PASSPHRASE: 4,
  KEYSTORE_DENIED: 4,
  FORBIDDEN: 4,
  NETWORK: 5,
  PROPAGATION_INCOMPLETE: 5,
  STATE_UNAVAILABLE: 5,
  STATE: 3,
  THRESHOLD: 15,
};

/** What a failure says beside its sentence. */
export interface FailureOptions {
  /** One command that can be pasted, or one thing to do. */
  readonly hint?: string;
  /** True when the same command may succeed later without a change. */
  readonly retryable?: boolean;
  readonly cause?: unknown;
}

/** An expected failure: its message is for people and never holds key material. */
export class Failure extends Error {
  readonly code: FailureCode;
  readonly hint: string | null;
  readonly retryable: boolean;

  constructor(code: FailureCode, message: string, options: FailureOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Failure';
    this.code = code;
    this.hint = options.hint ?? null;
    this.retryable = options.retryable ?? false;
  }

  /** The process exit code (protocol, "Exit codes"). */
  get exitCode(): number {
    return EXIT[this.code];
  }
}

/** The failure of an argument that cannot be used. */
export function usage(message: string, hint?: string): Failure {
  return new Failure('USAGE', message, hint === undefined ? {} : { hint });
}

/** A message of a command that only reads: that nothing was changed goes without saying, and said it sounds as if it could have been. */
export function saidOfReading(message: string): string {
  return message.replace(/ Nothing was (?:decided or )?changed\.$/, '');
}

/** The same for a failure; anything else is returned as it is. */
export function ofReading(error: unknown): unknown {
  if (!(error instanceof Failure)) return error;
  const { code, message, hint, retryable } = error;
  const said = saidOfReading(message);
  if (said === message) return error;
  return new Failure(code, said, { ...(hint === null ? {} : { hint }), retryable, cause: error });
}

/** A path as one word of a command in a hint: folders have spaces in their names, and what is pasted is run. */
export function shellWord(text: string): string {
  return /^[\w./@%+:,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** For `.catch`: fails again, with `hint` where the failure has none of its own. */
export function hinting(hint: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof Failure) || error.hint !== null) throw error;
    const { code, message, retryable } = error;
    throw new Failure(code, message, { hint, retryable, cause: error });
  };
}
