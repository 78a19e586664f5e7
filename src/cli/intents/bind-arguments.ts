/**
 * Fills the verified params into a command's arguments and environment. What runs must be what was judged: an argument that the
 * caller wrote by hand may say something else than the intent.
 */
import { Failure } from '../../app/failure.js';
import { canonicalize } from '../../protocol/json/canonical.js';
import type { Json, JsonObject } from '../../protocol/json/values.js';
import { nearest } from '../../protocol/naming/nearest.js';
import { readsProgram } from './program-text.js';

export interface BoundCommand {
  /** The arguments with their placeholders filled. */
  readonly args: readonly string[];
  /** `AIP_PARAM_<NAME>` for each param that is text, a number or a boolean. */
  readonly variables: Readonly<Record<string, string>>;
  /** True when the intent has params and arguments of the command, and they share nothing. */
  readonly unbound: boolean;
  /** The names of the intent's params. */
  readonly params: readonly string[];
  /** What stays as it is and was perhaps meant as a placeholder, with the param whose name is near. */
  readonly mistyped: readonly { readonly placeholder: string; readonly param: string }[];
}

/** A placeholder alone, or behind the `=` of a flag. */
const WHOLE = /^(--?[A-Za-z0-9][\w-]*=)?\{([^{}]+)\}$/;
/** What a person may have meant as the name of a param: neither JSON nor a program of awk. */
const WORD = /^[A-Za-z_][\w.-]*$/;
/**
 * `command` is the program and its arguments. `{word}` that is no param stays as it is. Fails with USAGE for a placeholder where a
 * program would read the value as code or as a flag, and for a param that is no single text, number or boolean.
 */
export function bindArguments(command: readonly string[], params: JsonObject): BoundCommand {
  let filled = false;
  let afterDashes = false;
  const mistyped: { placeholder: string; param: string }[] = [];
  const args = command.map((arg, i) => {
    const [, flag = '', name = ''] = WHOLE.exec(arg) ?? [];
    const isParam = name !== '' && Object.hasOwn(params, name);
    if (!isParam) {
      const inside = Object.keys(params).find((param) => arg.includes(`{${param}}`));
      if (inside !== undefined) throw insideText(inside);
      afterDashes ||= i > 0 && arg === '--';
      const near = WORD.test(name) ? nearest(name, Object.keys(params)) : null;
      if (near !== null) mistyped.push({ placeholder: `{${name}}`, param: near });
      return arg;
    }
    if (i === 0) throw refused(`{${name}} would be the program that is run`, name);
    if (readsProgram(command.slice(0, i), flag))
      throw refused(`{${name}} stands where a program would be read from it`, name);
    const value = textOf(name, params[name]!);
    if (flag === '' && value.startsWith('-') && !afterDashes)
      throw refused(`the value of {${name}} begins with "-" and would be read as a flag`, name, 'put -- before it');
    filled = true;
    return `${flag}${value}`;
  });
  const variables = variablesOf(params);
  const values = Object.values(variables);
  const shares = filled || command.slice(1).some((arg) => values.some((value) => carries(arg, value)));
  const unbound = !shares && command.length > 1 && Object.keys(params).length > 0;
  return { args, variables, unbound, params: Object.keys(params), mistyped };
}

/** The refusal of a command whose program is a placeholder. */
export function placeholderAsProgram(name: string): Failure | null {
  const [found] = /\{[^{}]+\}/.exec(name) ?? [];
  if (found === undefined) return null;
  return new Failure('USAGE', `The command is not run: ${found} would be the program that is run. Nothing was spent.`, {
    hint: 'name the program itself, and write params in its arguments',
  });
}

/** True when an argument is the value, ends in it behind `=`, or holds it where it is long enough to be no accident. */
function carries(arg: string, value: string): boolean {
  return arg === value || arg.endsWith(`=${value}`) || (value.length >= 4 && arg.includes(value));
}

/** `AIP_PARAM_<NAME>`: capitals, and an underscore for whatever a variable's name may not hold. */
function variableOfParam(name: string): string {
  return `AIP_PARAM_${name.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`;
}

function variablesOf(params: JsonObject): Record<string, string> {
  const variables: Record<string, string> = {};
  const names = new Map<string, string>();
  for (const [name, value] of Object.entries(params)) {
    const variable = variableOfParam(name);
    const other = names.get(variable);
    if (other !== undefined) {
      throw new Failure(
        'USAGE',
        `The params "${other}" and "${name}" would both be ${variable}. Nothing was spent or run.`,
        {
          hint: 'give one of them another name',
        },
      );
    }
    names.set(variable, name);
    if (isSingle(value)) variables[variable] = textOf(name, value);
  }
  return variables;
}

function isSingle(value: Json): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/** A param as one argument: text as it is, a number as JCS writes it. */
function textOf(name: string, value: Json): string {
  if (!isSingle(value))
    throw refused(`{${name}} is no text, number or boolean`, name, 'read it from the file that AIP_INTENT_FILE names');
  const text = typeof value === 'string' ? value : canonicalize(value);
  if (!text.includes('\0')) return text;
  throw new Failure('USAGE', `The param "${name}" holds a NUL, which no argument can. Nothing was spent or run.`, {
    hint: 'sign it without',
  });
}

function insideText(name: string): Failure {
  return refused(`{${name}} stands inside other text, where a shell or the program could read it as code`, name);
}

function refused(why: string, name: string, hint?: string): Failure {
  const variable = variableOfParam(name);
  return new Failure('USAGE', `The command is not run: ${why}. Nothing was spent.`, {
    hint: hint ?? `read it from the environment as ${variable}, or give it an argument of its own`,
  });
}
