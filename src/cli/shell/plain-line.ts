/** What a command line is worth where it says nothing, and a line without flags, which needs no parser. */
import { Failure } from '../../app/failure.js';
import { secretVariable } from '../../app/ports/secrets.js';
import { flagOf, type Flag } from '../input/flags.js';
import type { Globals } from '../globals.js';
import type { Io } from '../io.js';
import type { CommandSpec, Input, OptionSpec } from '../spec.js';

export interface Parsed {
  readonly input: Input<unknown>;
  readonly globals: Globals;
}

/**
 * The input of a line that holds arguments alone: `intent verify intent.json`. Null for any other, and for one that is wrong: what is to
 * be said of it says `parse`. commander takes longer to load than an intent to be judged.
 */
export function plainLine(spec: CommandSpec, tokens: readonly string[], env: Io['env']): Parsed | null {
  if (tokens.some((token) => token.startsWith('-') && token !== '-')) return null;
  const args = spec.args ?? [];
  if (args.some(({ choices, afterDashes }) => choices !== undefined || afterDashes === true)) return null;
  const least = args.filter(({ required }) => required !== false).length;
  const most = args.at(-1)?.variadic === true ? Infinity : args.length;
  if (tokens.length < least || tokens.length > most) return null;
  const values: Record<string, unknown> = {};
  for (const option of ownOptions(spec)) {
    const flag = flagOf(option);
    if (flag.negated) values[flag.key] = true;
    else fillUnset(values, { option, flag }, env, hintOf(spec));
  }
  return { input: { options: values, args: [...tokens] }, globals: globalsOf({}, env) };
}

export function ownOptions(spec: CommandSpec): OptionSpec[] {
  return (spec.options ?? []).flatMap((group) => group.options);
}

export function hintOf(spec: CommandSpec): string {
  return `aip ${spec.path.join(' ')} --help`;
}

/** Reads one value of the option; both flags and variables go through it. Throws an `Error` that says what is wrong with it. */
export function valueReader(option: OptionSpec): (text: string) => unknown {
  return (text) => {
    if (option.choices !== undefined && !option.choices.includes(text)) {
      throw new Error(`Allowed choices are ${option.choices.join(', ')}.`);
    }
    // A variable of the shell that was never set, most likely: as a path it would mean the current folder.
    if (text === '' && /^<(file|dir|path)>$/.test(flagOf(option).placeholder)) {
      throw new Error('It is empty');
    }
    return option.value === undefined ? text : option.value(text);
  };
}

/** What a flag that was not given is worth: its variable, then its default. commander would read the real environment. */
export function fillUnset(
  values: Record<string, unknown>,
  { option, flag }: { readonly option: OptionSpec; readonly flag: Flag },
  env: Io['env'],
  hint: string,
): void {
  if (flag.negated || values[flag.key] !== undefined) return;
  const text = option.env === undefined ? null : secretVariable(env, option.env);
  if (text !== null) {
    if (!flag.takesValue) values[flag.key] = text !== '0' && text !== 'false';
    else {
      try {
        const value = valueReader(option)(text);
        values[flag.key] = option.repeatable === true ? [value] : value;
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw new Failure('USAGE', `${option.env} is not valid for ${flag.long}: ${plainSentence(why)}`, { hint });
      }
    }
  } else if (option.default !== undefined) values[flag.key] = option.default;
  else if (option.repeatable === true) values[flag.key] = [];
  else if (!flag.takesValue) values[flag.key] = false;
}

export function globalsOf(values: Readonly<Record<string, unknown>>, env: Io['env']): Globals {
  const home = values['home'] ?? env['AIP_HOME'];
  return {
    json: values['json'] === true,
    quiet: values['quiet'] === true,
    verbose: values['verbose'] === true,
    color: values['color'] !== false,
    input: values['input'] !== false,
    config: typeof values['config'] === 'string' ? values['config'] : null,
    home: typeof home === 'string' && home !== '' ? home : null,
    debug: values['debug'] === true,
  };
}

/** A parser's wording as a part of this program's: without its prefix, on one line. */
export function plainSentence(message: string): string {
  return message
    .replace(/^error: /, '')
    .replace(/\n\(Did you mean (.*)\?\)$/, '; did you mean $1?')
    .replace(/\s+/g, ' ')
    .replace(/\.$/, '');
}
