/**
 * What a command is: a declaration, a translation and one call. Help, parsing, completion and the tests are all made from the
 * declaration, so that they cannot disagree.
 */
import type { Cli } from './cli.js';

export interface ArgSpec {
  /** Shown as `<name>`, or `[name]` when optional. */
  readonly name: string;
  readonly description: string;
  /** Default true. */
  readonly required?: boolean;
  /** Takes all that follow; only the last argument may. */
  readonly variadic?: boolean;
  /** Only what stands after `--`: another program's words, with flags of its own. */
  readonly afterDashes?: boolean;
  readonly choices?: readonly string[];
  readonly values?: ValueSource;
}

/** Where completion finds values that only this machine knows. */
export type ValueSource = 'agent' | 'subject' | 'request' | 'action' | 'principal' | 'file' | 'topic' | 'code';

export interface OptionSpec {
  /**
   * `--limit <n>`, `-o, --out <file>`, `--yes` or `--no-log`. Never `<x...>`: such a flag swallows the arguments after it
   * (`--passport p.json intent.json`); a flag that may be given several times says `repeatable`.
   */
  readonly flags: string;
  readonly description: string;
  /** The only values allowed, all shown in help. */
  readonly choices?: readonly string[];
  /** What is used when neither the flag nor its variable is set. */
  readonly default?: unknown;
  /** The environment variable that stands in for the flag; an empty one counts as unset. */
  readonly env?: string;
  /** May be given several times; the values arrive as a list, empty when there are none. */
  readonly repeatable?: boolean;
  /**
   * With `repeatable`: one occurrence may be followed by several values (`--action send_email issue_refund`). They end at the
   * next flag, so use it only where arguments are normally written first.
   */
  readonly several?: boolean;
  /** Turns the text into a value; throws an `Error` whose message says what was expected. See `values.ts`. */
  readonly value?: (text: string) => unknown;
  /** Works, and is not shown. */
  readonly hidden?: boolean;
  readonly values?: ValueSource;
}

export interface OptionGroup {
  /** Heading in help, e.g. `Limits`. */
  readonly title: string;
  readonly options: readonly OptionSpec[];
}

export interface Example {
  /** A command that can be pasted. */
  readonly run: string;
  /** What it is for, a few words. */
  readonly why: string;
}

export type Touch = 'files' | 'state' | 'keychain' | 'network' | 'processes';

/** What was asked: options under their camel-case names (`--max-age` is `maxAge`), arguments in order. */
export interface Input<O> {
  readonly options: O;
  /** All arguments in order, those after `--` included. Required ones are present. */
  readonly args: readonly string[];
}

/** `O` describes the options as `run` sees them. */
export interface CommandSpec<O = unknown> {
  /** The words after `aip`. */
  readonly path: readonly string[];
  /** One line: what it is for, starting with a verb, without a full stop. */
  readonly summary: string;
  /** At most two sentences more, where the summary leaves a doubt. */
  readonly detail?: string;
  readonly args?: readonly ArgSpec[];
  readonly options?: readonly OptionGroup[];
  readonly examples: readonly Example[];
  /** The exit codes this command can end with beside 0 and 2, and why. */
  readonly exits?: Readonly<Record<number, string>>;
  /** What it reads or changes outside itself. */
  readonly touches: readonly Touch[];
  /** True where it changes nothing here: it then also works for those who may only read. */
  readonly onlyReads?: boolean;
  /** How long it waits for a state that other processes hold, in ms; absent: as long as is usual. */
  readonly waitsMs?: number;
  /** True where it only takes permission away or tells: a config of the home that cannot be believed then fails nothing. */
  readonly onlyDenies?: boolean;
  /** More to read: names of help topics. */
  readonly topics?: readonly string[];
  /** Resolves to the exit code. Failures are thrown as `Failure`. */
  run(input: Input<O>, cli: Cli): Promise<number>;
}

/** A command in a list: it can be shown without loading it. */
export interface Listing {
  readonly path: readonly string[];
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: CommandSpec }>;
}

/** Commands under one heading. */
export interface Section {
  readonly title: string;
  readonly commands: readonly Listing[];
}

/** What `Globals` is read from. */
export const GLOBAL_OPTIONS: OptionGroup = {
  title: 'Everywhere',
  options: [
    { flags: '--json', description: 'print JSON: one document, stable keys' },
    { flags: '-q, --quiet', description: 'print the answer, warnings and errors only' },
    { flags: '-v, --verbose', description: 'say more on stderr' },
    { flags: '--no-color', description: 'no colour (so do NO_COLOR and TERM=dumb)' },
    {
      flags: '--no-input',
      description: 'ask nothing: a missing answer is exit 2; what is only confirmed: aip help ci',
    },
    { flags: '--config <file>', description: 'use this config file instead of searching', values: 'file' },
    { flags: '--home <dir>', description: 'keep config, keys and state here', env: 'AIP_HOME', values: 'file' },
    { flags: '--debug', description: 'show the stack of an error' },
    { flags: '-h, --help', description: 'show this help' },
    { flags: '--version', description: 'print the version' },
  ],
};
