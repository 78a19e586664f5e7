/** Turns a command's declaration and its arguments into its input. The only place that knows commander. */
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { Failure } from '../../app/failure.js';
import { flagOf } from '../input/flags.js';
import type { Io } from '../io.js';
import { GLOBAL_OPTIONS, type CommandSpec, type OptionSpec } from '../spec.js';
import { maskText } from '../../protocol/log/secret-text.js';
import { fillUnset, globalsOf, hintOf, ownOptions, plainSentence, valueReader, type Parsed } from './plain-line.js';

/** Fails with USAGE (exit 2; commander by itself says 1) and names the flag or argument. */
export function parse(spec: CommandSpec, tokens: readonly string[], env: Io['env']): Parsed {
  const own = ownOptions(spec);
  const all = [...own, ...GLOBAL_OPTIONS.options];
  const hint = hintOf(spec);
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
    for (const option of own) fillUnset(values, { option, flag: flagOf(option) }, env, hint);
    const globals = globalsOf(values, env);
    for (const option of GLOBAL_OPTIONS.options) delete values[flagOf(option).key];
    return { input: { options: values, args: command.args }, globals };
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // It quotes the value, and a URL may hold a password.
    throw new Failure('USAGE', maskText(plainSentence(error.message)), { hint });
  }
}

function commanderOption(option: OptionSpec): Option {
  const flag = flagOf(option);
  const flags = option.several === true ? option.flags.replace(/>$/, '...>') : option.flags;
  const made = new Option(flags, option.description);
  if (!flag.takesValue) return made;
  const read = valueReader(option);
  const one = (text: string): unknown => {
    try {
      return read(text);
    } catch (error) {
      throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
    }
  };
  made.argParser((text: string, before: unknown) =>
    option.repeatable === true ? [...((before as unknown[] | undefined) ?? []), one(text)] : one(text),
  );
  return made;
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
  const quoted = dashes < 0 ? " (in PowerShell: '--')" : '';
  throw new Failure(
    'USAGE',
    `"${words[0]!.slice(0, 200)}" stands before --; the command and its arguments go after it${quoted}`,
    {
      hint,
    },
  );
}
