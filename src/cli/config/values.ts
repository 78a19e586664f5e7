/** The members of a config file under the names of the table. */
import { Failure } from '../../app/failure.js';
import { nearest } from '../../protocol/naming/nearest.js';
import type { ConfigFile } from './files.js';
import { isKeyName, KEY_NAMES, KEYS, type KeyName, type KeySpec } from './keys.js';

/** The members of a file under the table's names; every one is known and of its kind. */
export function flatten(file: ConfigFile): Partial<Record<KeyName, unknown>> {
  const values: Partial<Record<KeyName, unknown>> = {};
  const take = (name: string, value: unknown): void => {
    if (!isKeyName(name)) throw unknownKey(name, file.path);
    const { kind } = KEYS[name] as KeySpec<unknown>;
    if (kind.read(value) === undefined) throw wrongValue(name, file.path, kind, value);
    values[name] = value;
  };
  if (!isGroup(file.content)) throw new Failure('USAGE', `the config file ${file.path} is not an object`);
  for (const [name, value] of Object.entries(file.content)) {
    if (name.includes('.')) throw notNested(name, file.path);
    if (!KEY_NAMES.some((known) => known.startsWith(`${name}.`))) take(name, value);
    else if (!isGroup(value)) throw wrongValue(name, file.path, { expects: 'an object' }, value);
    else for (const [member, inner] of Object.entries(value)) take(`${name}.${member}`, inner);
  }
  return values;
}

function unknownKey(name: string, path: string): Failure {
  const guess = nearest(name, KEY_NAMES);
  return new Failure(
    'USAGE',
    `unknown key "${name.slice(0, 64)}" in ${path}${guess === null ? '' : `; did you mean ${guess}?`}`,
    {
      hint: 'aip help config',
    },
  );
}

/** One spelling of each key: with two, a file could say both. */
function notNested(name: string, path: string): Failure {
  const [group, ...rest] = name.slice(0, 64).split('.');
  return new Failure(
    'USAGE',
    `"${name.slice(0, 64)}" in ${path} is written nested, as "${rest.join('.')}" in "${group}"`,
    {
      hint: 'aip help config',
    },
  );
}

/** A value of the wrong kind; `where` is the file or the variable. */
export function wrongValue(
  name: string,
  where: string,
  { expects, why }: Pick<KeySpec<unknown>['kind'], 'expects' | 'why'>,
  value: unknown,
): Failure {
  const list = /^(an? |did|ed|public)/.test(expects) ? '' : 'one of ';
  const found = why?.(value) ?? `it is ${described(value)}`;
  return new Failure('USAGE', `${name} in ${where} is not ${list}${expects}: ${found}`, { hint: 'aip help config' });
}

/** A value of a config in words; a text that may hold a secret, or is long, is not quoted. */
function described(value: unknown): string {
  if (typeof value === 'string') {
    if (value === '') return 'empty';
    return /^[\w .:+,-]{1,40}$/.test(value) ? `"${value}"` : 'another text';
  }
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return value === null
    ? 'null'
    : Array.isArray(value)
      ? 'a list of other things'
      : value === undefined
        ? 'no JSON'
        : 'an object of other things';
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
