/** Turns a command's declaration and its arguments into its input. The only place that knows commander. */
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { Failure } from '../../app/failure.js';
import { secretVariable } from '../../app/ports/secrets.js';
import { flagOf } from '../input/flags.js';
import type { Io } from '../io.js';
import type { Globals } from '../globals.js';
import { GLOBAL_OPTIONS, type CommandSpec, type Input, type OptionSpec } from '../spec.js';
import { maskText } from '../../protocol/log/secret-text.js';

export interface Parsed {
  readonly input: Input<unknown>;
  readonly globals: Globals;
}

/** Fails with USAGE (exit 2; commander by itself says 1) and names the flag or argument. */
export function parse(spec: CommandSpec, tokens: readonly string[], env: Io['env']): Parsed {
  const own = (spec.options ?? []).flatMap((group) => group.options);
  const all = [...own, ...GLOBAL_OPTIONS.options];
  const hint = `aip ${spec.path.join(' ')} --help`;
  refuseSwallowedFlags(tokens, all, hint);

  const command = new Command(spec.path.join(' '));
  command.exitOverride().helpOption(false).allowExcessArguments(false);
  command.configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
  for (const arg of spec.args ?? []) {
    const name = `${arg.name}${arg.variadic === true ? '...' : ''}`;
    const argument = new Argument(arg.required === false ? `[${name}]` : `<${name}>`, arg.description);
    if (arg.choices !== undefined) argument.choices(arg.choices);
    command.addArgument(argument);
  }
  for (const option of all) command.addOption(commanderOption(option));

  try {
    command.parse([...tokens], { from: 'user' });
    if (spec.args?.some((arg) => arg.afterDashes === true)) refuseMixedWords(tokens, command.args, hint);
    const values: Record<string, unknown> = command.opts();
    for (const option of own) fill(values, option, env, hint);
    const globals = globalsOf(values, env);
    for (const option of GLOBAL_OPTIONS.options) delete values[flagOf(option).key];
    return { input: { options: values, args: command.args }, globals };
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // It quotes the value, and a URL may hold a password.
    throw new Failure('USAGE', maskText(sentence(error.message)), { hint });
  }
}

function commanderOption(option: OptionSpec): Option {
  const flag = flagOf(option);
  const flags = option.several === true ? option.flags.replace(/>$/, '...>') : option.flags;
  const made = new Option(flags, option.description);
  if (!flag.takesValue) return made;
  const one = reader(option);
  made.argParser((text: string, before: unknown) =>
    option.repeatable === true ? [...((before as unknown[] | undefined) ?? []), one(text)] : one(text),
  );
  return made;
}

/** Reads one value of the option; both flags and variables go through it. */
function reader(option: OptionSpec): (text: string) => unknown {
  return (text) => {
    if (option.choices !== undefined && !option.choices.includes(text)) {
      throw new InvalidArgumentError(`Allowed choices are ${option.choices.join(', ')}.`);
    }
    // A variable of the shell that was never set, most likely: as a path it would mean the current folder.
    if (text === '' && /^<(file|dir|path)>$/.test(flagOf(option).placeholder)) {
      throw new InvalidArgumentError('It is empty');
    }
    if (option.value === undefined) return text;
    try {
      return option.value(text);
    } catch (error) {
      throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
    }
  };
}

/** What a flag that was not given is worth: its variable, then its default. commander would read the real environment. */
function fill(values: Record<string, unknown>, option: OptionSpec, env: Io['env'], hint: string): void {
  const flag = flagOf(option);
  if (flag.negated || values[flag.key] !== undefined) return;
  const text = option.env === undefined ? null : secretVariable(env, option.env);
  if (text !== null) {
    if (!flag.takesValue) values[flag.key] = text !== '0' && text !== 'false';
    else {
      try {
        const value = reader(option)(text);
        values[flag.key] = option.repeatable === true ? [value] : value;
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        throw new Failure('USAGE', `${option.env} is not valid for ${flag.long}: ${sentence(why)}`, { hint });
      }
    }
  } else if (option.default !== undefined) values[flag.key] = option.default;
  else if (option.repeatable === true) values[flag.key] = [];
  else if (!flag.takesValue) values[flag.key] = false;
}

/** `--domain --json` is a forgotten value, not a domain called `--json`; commander would take it. */
function refuseSwallowedFlags(tokens: readonly string[], options: readonly OptionSpec[], hint: string): void {
  const flags = options.map(flagOf);
  const known = new Set(flags.flatMap((flag) => flag.names));
  const valued = new Set(flags.filter((flag) => flag.takesValue).flatMap((flag) => flag.names));
  for (let i = 0; i < tokens.length && tokens[i] !== '--'; i++) {
    if (!valued.has(tokens[i]!)) continue;
    const value = tokens[i + 1];
    if (value !== undefined && (value === '--' || known.has(value.split('=', 1)[0]!))) {
      throw new Failure('USAGE', `${tokens[i]} needs a value, and ${value} is a flag`, { hint });
    }
    i++;
  }
}

/** `aip exec -a read ./tool -a pay` would judge another action than it seems to. */
function refuseMixedWords(tokens: readonly string[], words: readonly string[], hint: string): void {
  const dashes = tokens.indexOf('--');
  const after = dashes < 0 ? 0 : tokens.length - dashes - 1;
  if (words.length <= after) return;
  throw new Failure(
    'USAGE',
    `"${words[0]!.slice(0, 200)}" stands before --; the command and its arguments go after it`,
    {
      hint,
    },
  );
}

function globalsOf(values: Readonly<Record<string, unknown>>, env: Io['env']): Globals {
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

/** commander's wording as a part of this program's: without its prefix, on one line. */
function sentence(message: string): string {
  return message
    .replace(/^error: /, '')
    .replace(/\n\(Did you mean (.*)\?\)$/, '; did you mean $1?')
    .replace(/\s+/g, ' ')
    .replace(/\.$/, '');
}
