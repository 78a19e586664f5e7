/** Config and where each value came from: `AIP_*`, then the trusted project files, then the user's, then the default. Flags are above all. */
import { dirname, resolve } from 'node:path';
import { Failure } from '../../app/failure.js';
import { secretVariable } from '../../app/ports/secrets.js';
import type { Io } from '../io.js';
import type { Globals } from '../globals.js';
import type { LocalWorkspace } from '../../workspace/workspace.js';
import { combined, hooksOf, isUsersAlone, principalsOf, type Layer } from './combine.js';
import { readNamedFile, readUserFile, type ConfigFile } from './files.js';
import { KEY_NAMES, KEYS, variableOf, type ConfigValues, type KeyName, type KeySpec } from './keys.js';
import { asJson, type Kind } from './kinds.js';
import { projectConfig, type ProjectConfig } from './trusted.js';
import { flatten, wrongValue } from './values.js';

export type Origin = 'environment' | 'project' | 'user' | 'default';

export interface ConfigEntry {
  readonly name: KeyName;
  /** As it was written. */
  readonly shown: unknown;
  readonly origin: Origin;
  /** The file or the variable; null for a default. */
  readonly from: string | null;
}

export interface ConfigWarning {
  readonly message: string;
  readonly code: 'config_untrusted' | 'config_skipped' | 'config_ignored' | 'config_unusable';
  /** The one of the `problems` that it says. */
  readonly problem?: Failure;
}

export interface Config {
  /** `get('verify.max_age')` is in milliseconds. */
  get<K extends KeyName>(name: K): ConfigValues[K];
  /** Keys of principals that config pins; null for one that its files do not agree on: its passports are not believed here. */
  readonly principals: Readonly<Record<string, string | null>>;
  readonly entries: readonly ConfigEntry[];
  /** The nearest project file (or the one of `--config`), and the user's, when they exist. */
  readonly files: { readonly project: string | null; readonly user: string | null };
  /** Keys of untrusted project files; they do not count. */
  readonly untrusted: readonly string[];
  /** Why nothing may be verified here: a trusted file is missing or says something else. */
  readonly problems: readonly Failure[];
  /** What is to be said once. */
  readonly warnings: readonly ConfigWarning[];
}

export interface LoadOptions {
  /** For commands that deny or ask: a config of the home that cannot be believed is said and left out, and fails nothing. */
  readonly lenient?: boolean;
}

/** What config is read from: files, `--config`, the environment. */
export interface ConfigSource {
  readonly io: Io;
  readonly globals: Pick<Globals, 'config'>;
  readonly workspace: Pick<LocalWorkspace, 'paths'>;
}

/** Fails with USAGE on a variable, the user's file or the one of `--config` that does not hold; never for a project's file. */
export async function loadConfig(source: ConfigSource, options: LoadOptions = {}): Promise<Config> {
  const { io, globals, workspace } = source;
  const warnings: ConfigWarning[] = [];
  const user = userLayer(source, options.lenient === true, warnings);
  const named = globals.config === null ? null : await readNamedFile(globals.config, io);
  const project: ProjectConfig =
    named === null
      ? await projectConfig(workspace.paths(), io)
      : { trusted: [named], untrusted: [], problems: [], skipped: [] };
  const layers = project.trusted.map((file): Layer => ({ path: file.path, values: flatten(file) }));
  const untrusted = ignoredKeys(project, warnings);
  warnUnused(layers, named !== null, warnings);

  const environment = fromEnvironment(io);
  const said = named === null ? combined(layers, user) : { ...combined([], user), ...alone(layers[0]!) };
  const entries = KEY_NAMES.map((name): ConfigEntry => {
    if (environment[name] !== undefined)
      return { name, shown: environment[name], origin: 'environment', from: variableOf(name) };
    const value = said[name];
    if (value === undefined) return { name, shown: KEYS[name].fallback, origin: 'default', from: null };
    return { name, shown: value.shown, origin: value.path === user?.path ? 'user' : 'project', from: value.path };
  });
  const given = entries.filter(({ origin }) => origin !== 'default');
  const values: Record<string, unknown> = Object.fromEntries(given.map((entry) => [entry.name, valueOf(entry)]));
  // A default holds by itself, and a command asks for few of them.
  const get = <K extends KeyName>(name: K): ConfigValues[K] => {
    if (!(name in values)) values[name] = KEYS[name].kind.read(KEYS[name].fallback);
    return values[name] as ConfigValues[K];
  };
  const all = named === null ? [...layers, ...(user === null ? [] : [user])] : null;
  if (all !== null && environment.hooks === undefined) values['hooks'] = hooksOf(all, ownPath);
  const principals = all !== null && environment.principals === undefined ? principalsOf(all) : get('principals');
  values['principals'] = Object.fromEntries(Object.entries(principals).filter(([, key]) => key !== null));
  return {
    get,
    principals,
    entries,
    files: { project: (project.trusted[0] ?? project.untrusted[0])?.path ?? null, user: user?.path ?? null },
    untrusted,
    problems: project.problems,
    warnings,
  };
}

/** Fails unless every project file that was trusted here stands at its place and says what it said: no verification goes without. */
export function requirePolicy(config: Pick<Config, 'problems'>): void {
  const [problem] = config.problems;
  if (problem !== undefined) throw problem;
}

function userLayer({ io, workspace }: ConfigSource, lenient: boolean, warnings: ConfigWarning[]): Layer | null {
  try {
    const file = readUserFile(workspace.paths(), io.uid);
    return file === null ? null : { path: file.path, values: flatten(file) };
  } catch (error) {
    if (!lenient || !(error instanceof Failure)) throw error;
    const hint = error.hint === null ? '' : `; ${error.hint}`;
    warnings.push({ message: `The config of the home is not used: ${error.message}${hint}`, code: 'config_unusable' });
    return null;
  }
}

/** A file that `--config` names is the only one beside the user's, and says what it says. */
function alone({ path, values }: Layer): Partial<Record<KeyName, { shown: unknown; path: string }>> {
  return Object.fromEntries(Object.entries(values).map(([name, shown]) => [name, { shown, path }]));
}

/** The keys of untrusted files; what is wrong with project files becomes warnings. */
function ignoredKeys({ untrusted, problems, skipped }: ProjectConfig, warnings: ConfigWarning[]): string[] {
  if (skipped.length > 0) {
    const places = skipped.slice(0, 4).map(({ path, why }) => `${path} (${why})`);
    const more = skipped.length > 4 ? ` and ${skipped.length - 4} more` : '';
    warnings.push({
      message: `Config was looked for and could not be read: ${places.join(', ')}${more}.`,
      code: 'config_skipped',
    });
  }
  for (const problem of problems) warnings.push({ message: `${problem.message}.`, code: 'config_untrusted', problem });
  const keys = untrusted
    .map((file) => ({ path: file.path, names: namesIn(file) }))
    .filter(({ names }) => names.length > 0);
  if (keys.length > 0) {
    const told = keys.map(({ path, names }) => `${path} (${names.slice(0, 8).join(', ')})`).join(', ');
    warnings.push({
      message: `Nobody trusted ${told}: none of it counts. Read it, then: aip config trust`,
      code: 'config_untrusted',
    });
  }
  return keys.flatMap(({ names }) => names);
}

/** What an untrusted file would set; what does not read counts for nothing. */
function namesIn(file: ConfigFile): string[] {
  try {
    return Object.keys(flatten(file));
  } catch (error) {
    if (error instanceof Failure) return ['what does not read'];
    throw error;
  }
}

function warnUnused(layers: readonly Layer[], named: boolean, warnings: ConfigWarning[]): void {
  if (named) return;
  for (const { path, values } of layers) {
    const unused = (Object.keys(values) as KeyName[]).filter(isUsersAlone);
    if (unused.length === 0) continue;
    const message = `${unused.join(', ')} in ${path} ${unused.length === 1 ? 'does' : 'do'} not count: log, trust, monitor and state are set in the config of the home.`;
    warnings.push({ message, code: 'config_ignored' });
  }
}

function fromEnvironment({ env }: Pick<Io, 'env'>): Partial<Record<KeyName, unknown>> {
  const values: Partial<Record<KeyName, unknown>> = {};
  for (const name of KEY_NAMES) {
    const text = secretVariable(env, variableOf(name));
    if (text === null) continue;
    const { kind } = KEYS[name] as KeySpec<unknown>;
    const value = kind.fromText(text);
    if (value === undefined || kind.read(value) === undefined)
      throw wrongValue(name, variableOf(name), inVariable(kind), value ?? text);
    values[name] = value;
  }
  return values;
}

/** The kind, saying how a variable is written. */
function inVariable<T>(kind: Kind<T>): Kind<T> {
  return kind.fromText === asJson ? { ...kind, expects: `${kind.expects}, written in JSON` } : kind;
}

function valueOf(entry: ConfigEntry): unknown {
  const value = (KEYS[entry.name] as KeySpec<unknown>).kind.read(entry.shown);
  if (entry.origin !== 'project' && entry.origin !== 'user') return value;
  if (entry.name === 'hooks') return (value as readonly string[]).map((path) => ownPath(path, entry.from!));
  return PATHS.has(entry.name) && value !== null ? ownPath(value as string, entry.from!) : value;
}

const PATHS: ReadonlySet<KeyName> = new Set<KeyName>(['mesh.key_file', 'mesh.ca']);

/** Paths in a file are the file's own, wherever the command runs. */
function ownPath(path: string, from: string): string {
  return resolve(dirname(from), path);
}
