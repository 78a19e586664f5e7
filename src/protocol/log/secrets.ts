import { sortNames } from '../json/canonical.js';
import { emptyObject, isObject, type Json, type JsonObject } from '../json/values.js';
import { maskedWords } from './secret-commands.js';
import { isSecretName } from './secret-names.js';
import { isSecretFlag, MASK, maskMemberName, maskText } from './secret-text.js';

export { isSecretName, MASK };

/** Members that name what stands beside them: headers and environments as lists of `{name, value}`. */
const NAMING = ['name', 'key', 'header', 'field', 'variable', 'param', 'Name', 'Key'];
const NAMED = ['value', 'values', 'val', 'content', 'data', 'text', 'default', 'Value'];

/**
 * The params as the log keeps them: what is likely to be a secret is replaced by `[masked]`, at any depth: a value under a name that looks secret,
 * beside such a name (`{name, value}`, `["Authorization", ...]`, `["--password", ...]`), or within a text or a name that shows one (`maskText`).
 * The same object comes back when there is nothing to mask. Depth is bounded by the parser.
 */
export function maskParams(params: JsonObject): JsonObject {
  const beside = NAMING.some((member) => {
    const name = params[member];
    return typeof name === 'string' && isSecretName(name);
  });
  let masked: Record<string, Json> | null = null;
  for (const name of Object.keys(params)) {
    const value = params[name]!;
    const secret = isSecretValue(name, value) || (beside && NAMED.includes(name) && tells(value));
    const kept = secret ? MASK : maskValue(value, Array.isArray(value) ? programOf(params) : null);
    if (kept === value) continue;
    // Inheriting nothing, so that a param named `__proto__` stays a param.
    masked ??= Object.assign(emptyObject(), params);
    masked[name] = kept;
  }
  return renamed(masked ?? params, namesShown(params));
}

/** The names of an object as the log keeps them, by name; null where all of them stay. Of two that would become one, each has its own. */
function namesShown(object: JsonObject): ReadonlyMap<string, string> | null {
  const names = Object.keys(object);
  if (names.every((name) => maskMemberName(name) === name)) return null;
  const shown = new Map<string, string>();
  const taken = new Set(names);
  for (const name of sortNames(names)) {
    const masked = maskMemberName(name);
    if (masked === name) continue;
    let own = masked;
    for (let nth = 2; taken.has(own); nth++) own = `${masked} (${nth})`;
    taken.add(own);
    shown.set(name, own);
  }
  return shown;
}

function renamed(object: JsonObject, names: ReadonlyMap<string, string> | null): JsonObject {
  if (names === null) return object;
  const entries = Object.entries(object).map(([name, value]) => [names.get(name) ?? name, value]);
  return Object.assign(emptyObject(), Object.fromEntries(entries));
}

/**
 * The params as the log commits to them: one whose name shows a secret stands under the name that the log keeps, as an object of that one
 * param, so that name and value are committed to together. The same object where no name does.
 */
export function paramsCommitted(params: JsonObject): JsonObject {
  const names = namesShown(params);
  if (names === null) return params;
  const whole = Object.entries(params).map(([name, value]) => [name, names.has(name) ? { [name]: value } : value]);
  return renamed(Object.fromEntries(whole) as JsonObject, names);
}

/** Members that name the program whose words stand in a list beside them. */
const PROGRAM = ['command', 'cmd', 'program', 'executable', 'binary', 'exe', 'tool', 'file', 'path'];

function programOf(params: JsonObject): string | null {
  const named = PROGRAM.find((member) => typeof params[member] === 'string');
  return named === undefined ? null : (params[named] as string);
}

function maskValue(value: Json, program: string | null = null): Json {
  if (typeof value === 'string') return maskString(value);
  if (typeof value !== 'object' || value === null) return value;
  if (isObject(value)) return maskParams(value);
  let masked: Json[] | null = null;
  const words = maskedWords(value, program, MASK);
  for (let i = 0; i < value.length; i++) {
    const secret = followsName(value, i) && tells(value[i]!);
    const kept = secret ? MASK : (words.get(i) ?? maskValue(value[i]!));
    if (kept === value[i]) continue;
    masked ??= [...value];
    masked[i] = kept;
  }
  return masked ?? value;
}

/** A header as a pair, headers as a flat list, and the words of a command. */
function followsName(list: readonly Json[], i: number): boolean {
  const before = list[i - 1];
  const value = list[i];
  if (typeof before !== 'string') return false;
  if (isSecretFlag(before)) return typeof value !== 'string' || !value.startsWith('--');
  // `-U name%password` of smbclient; `setx NAME value`, `config set NAME value`.
  if (before === '-U') return typeof value === 'string' && /^[^%\s]+%/.test(value);
  // `set -gx NAME value` of a shell; behind other commands -x is a flag of theirs.
  const verb = list[i - 2] === '-x' || list[i - 2] === '-gx' ? list[i - 3] : list[i - 2];
  if (typeof verb === 'string' && /^(?:set|setx|setenv)$/.test(verb) && isSecretName(before)) return true;
  if (/^(?:-u|--user|--proxy-user)$/.test(before))
    return typeof value === 'string' && /:(?!\d+$|\/\/)|^[^:]*\D[^:]*:(?!\/\/)/.test(value);
  if (
    list.length !== 2 &&
    !/^(?:(?:proxy-)?authorization|(?:set-)?cookie|x-[a-z-]*(?:key|token|secret))$/i.test(before)
  )
    return false;
  return i % 2 === 1 && /^[\w.-]{1,64}$/.test(before) && isSecretName(before);
}

/** A text as the log keeps it, in params, targets and outcomes: JSON in it is masked as what it is; any other text by its shapes. */
export function maskString(text: string): string {
  if (/^\s*[[{]/.test(text)) {
    const inner = objectOrList(text);
    if (inner !== null) {
      const kept = maskValue(inner);
      return kept === inner ? text : JSON.stringify(kept);
    }
  }
  return maskText(text);
}

/** A text nested deeper is masked by its shapes: writing it again would run out of stack. */
const MAX_DEPTH = 64;

function objectOrList(text: string): Json | null {
  let depth = 0;
  for (const character of text) {
    if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
    if (depth > MAX_DEPTH) return null;
  }
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}

function isSecretValue(name: string, value: Json): boolean {
  if (!tells(value) || !isSecretName(name)) return false;
  // A number of `tokens` counts them (`max_tokens: 500`).
  return !(typeof value === 'number' && /tokens$/i.test(name));
}

/** null, true and false tell nothing that a name does not. */
function tells(value: Json): boolean {
  return value !== null && typeof value !== 'boolean';
}

/** The details of a refusal as the log keeps them: what was requested under a param that looks secret is masked there as well. */
export function maskDetails(details: JsonObject | null): JsonObject | null {
  if (details === null) return details;
  const secret = typeof details.param === 'string' && isSecretName(details.param);
  let masked: Record<string, Json> | null = null;
  for (const name of Object.keys(details)) {
    const value = details[name]!;
    // The names here are the catalogue's own; `key_id` and its like hold no secret.
    const kept = secret && name === 'requested' ? MASK : maskValue(value);
    if (kept === value) continue;
    masked ??= Object.assign(emptyObject(), details);
    masked[name] = kept;
  }
  return masked ?? details;
}
