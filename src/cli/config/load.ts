/** Config and where each value came from: `AIP_*`, then the project's file, then the user's, then the default. Flags are above all. */
import { dirname, resolve } from 'node:path';
import { Failure } from '../../app/failure.js';
import { sha256Hex } from '../../protocol/hash.js';
import { secretVariable } from '../../app/ports/secrets.js';
import type { Io } from '../io.js';
import type { Globals } from '../spec.js';
import type { LocalWorkspace } from '../../workspace/workspace.js';
import { codeDigest, findProjectFile, readNamedFile, readTrusted, readUserFile, type ConfigFile } from './files.js';
import { isKeyName, KEY_NAMES, KEYS, variableOf, type ConfigValues, type KeyName, type KeySpec } from './keys.js';
import { nearest } from '../input/nearest.js';

export type Origin = 'environment' | 'project' | 'user' | 'default';

export interface ConfigEntry {
  readonly name: KeyName;
  /** As it was written. */
  readonly shown: unknown;
  readonly origin: Origin;
  /** The file or the variable; null for a default. */
  readonly from: string | null;
}

export interface Config {
  /** `get('verify.max_age')` is in milliseconds. */
  get<K extends KeyName>(name: K): ConfigValues[K];
  readonly entries: readonly ConfigEntry[];
  /** The project's file (or the one of `--config`), and the user's, when they exist. */
  readonly files: { readonly project: string | null; readonly user: string | null };
  /** Keys of the project's file that count only once it is trusted, and did not. Empty unless `inspect` was asked for. */
  readonly untrusted: readonly string[];
}

interface Layer {
  readonly origin: Origin;
  readonly from: (name: KeyName) => string;
  readonly values: Readonly<Partial<Record<KeyName, unknown>>>;
}

/** What config is read from: files, `--config`, the environment. */
export interface ConfigSource {
  readonly io: Io;
  readonly globals: Pick<Globals, 'config'>;
  readonly workspace: Pick<LocalWorkspace, 'paths'>;
}

/** Fails with USAGE on an unknown key, a value of the wrong kind, or an untrusted file; with `inspect` the last is only noted. */
export async function loadConfig(source: ConfigSource, options: { readonly inspect?: boolean } = {}): Promise<Config> {
  const { io, globals, workspace } = source;
  const named = globals.config === null ? null : await readNamedFile(globals.config, io);
  const project = named ?? (await findProjectFile(io));
  const user = readUserFile(workspace.paths(), io.uid);

  const projectValues = project === null ? {} : flatten(project);
  const userValues = user === null ? {} : flatten(user);
  // A home below a folder that all may write to could be another's: their settings are a nuisance, their code is theirs to run.
  if (user?.foreign === true && userValues.hooks !== undefined && options.inspect !== true) {
    throw new Failure('USAGE', `${user.path} names hooks and belongs to another user`, {
      hint: 'set AIP_HOME to a folder of your own',
    });
  }
  const untrusted = project === null || named !== null ? [] : untrustedKeys(source, project, projectValues, userValues);
  if (untrusted.length > 0 && options.inspect !== true) {
    throw new Failure('USAGE', `${project!.path} sets ${untrusted.join(', ')} and is not trusted`, {
      hint: 'read the file, then: aip config trust (in CI: AIP_TRUST_CONFIG=1)',
    });
  }
  const believed = Object.fromEntries(Object.entries(projectValues).filter(([name]) => !untrusted.includes(name)));

  const layers: Layer[] = [
    { origin: 'environment', from: variableOf, values: fromEnvironment(io) },
    { origin: 'project', from: () => project!.path, values: believed },
    { origin: 'user', from: () => user!.path, values: userValues },
  ];
  const entries = KEY_NAMES.map((name): ConfigEntry => {
    const layer = layers.find((one) => one.values[name] !== undefined);
    return layer === undefined
      ? { name, shown: KEYS[name].fallback, origin: 'default', from: null }
      : { name, shown: layer.values[name], origin: layer.origin, from: layer.from(name) };
  });
  const values = Object.fromEntries(entries.map((entry) => [entry.name, valueOf(entry)]));
  return {
    get: <K extends KeyName>(name: K) => values[name] as ConfigValues[K],
    entries,
    files: { project: project?.path ?? null, user: user?.path ?? null },
    untrusted,
  };
}

/** The members of a file under the table's names; every one is known and of its kind. */
export function flatten(file: ConfigFile): Partial<Record<KeyName, unknown>> {
  const values: Partial<Record<KeyName, unknown>> = {};
  const take = (name: string, value: unknown): void => {
    if (!isKeyName(name)) throw unknownKey(name, file.path);
    const { kind } = KEYS[name] as KeySpec<unknown>;
    if (kind.read(value) === undefined) throw wrongValue(name, file.path, kind.expects);
    values[name] = value;
  };
  if (!isGroup(file.content)) throw new Failure('USAGE', `the config file ${file.path} is not an object`);
  for (const [name, value] of Object.entries(file.content)) {
    if (name.includes('.')) throw notNested(name, file.path);
    if (!KEY_NAMES.some((known) => known.startsWith(`${name}.`))) take(name, value);
    else if (!isGroup(value)) throw wrongValue(name, file.path, 'an object');
    else for (const [member, inner] of Object.entries(value)) take(`${name}.${member}`, inner);
  }
  return values;
}

/**
 * What is trusted is what the file says, so that a comment or another member of package.json does not undo it, and the text of the
 * hooks it names: a pull request can change that as well. What they import is theirs to watch.
 */
export function digestOf(file: ConfigFile): string {
  const values = flatten(file);
  const said = KEY_NAMES.map((name) => [name, values[name] ?? null]);
  const hooks = (values.hooks ?? []) as readonly string[];
  const code = hooks.map((path) => codeDigest(resolve(dirname(file.path), path)));
  return `sha256:${sha256Hex(JSON.stringify(code.length === 0 ? said : [...said, code]))}`;
}

function untrustedKeys(
  { io, workspace }: ConfigSource,
  file: ConfigFile,
  values: Partial<Record<KeyName, unknown>>,
  userValues: Partial<Record<KeyName, unknown>>,
): string[] {
  const names = (Object.keys(values) as KeyName[]).filter((name) => {
    const { sensitive, loosens, kind, fallback } = KEYS[name] as KeySpec<unknown>;
    if (file.foreign || sensitive === true) return true;
    return loosens?.(kind.read(values[name]), kind.read(userValues[name] ?? fallback)) === true;
  });
  if (names.length === 0 || io.env['AIP_TRUST_CONFIG'] === '1') return [];
  return readTrusted(workspace.paths())[file.path] === digestOf(file) ? [] : names;
}

function fromEnvironment({ env }: Pick<Io, 'env'>): Partial<Record<KeyName, unknown>> {
  const values: Partial<Record<KeyName, unknown>> = {};
  for (const name of KEY_NAMES) {
    const text = secretVariable(env, variableOf(name));
    if (text === null) continue;
    const { kind } = KEYS[name] as KeySpec<unknown>;
    const value = kind.fromText(text);
    if (value === undefined || kind.read(value) === undefined) throw wrongValue(name, variableOf(name), kind.expects);
    values[name] = value;
  }
  return values;
}

function valueOf(entry: ConfigEntry): unknown {
  const value = (KEYS[entry.name] as KeySpec<unknown>).kind.read(entry.shown);
  if (entry.origin !== 'project' && entry.origin !== 'user') return value;
  // Paths in a file are the file's own, wherever the command runs.
  const own = (path: string): string => resolve(dirname(entry.from!), path);
  if (entry.name === 'hooks') return (value as readonly string[]).map(own);
  const isPath = entry.name === 'mesh.key_file' || entry.name === 'mesh.ca';
  return isPath && value !== null ? own(value as string) : value;
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

function wrongValue(name: string, where: string, expects: string): Failure {
  return new Failure(
    'USAGE',
    `${name} in ${where} is not ${/^(an? |did|ed|public)/.test(expects) ? '' : 'one of '}${expects}`,
    {
      hint: 'aip help config',
    },
  );
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
