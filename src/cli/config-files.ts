/** The config files on disk: where they are looked for, how they are read, and which of them the user has trusted. */
import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { Failure } from '../app/failure.js';
import type { Io } from './io.js';
import type { Paths } from '../adapters/paths.js';

/** Data files only: a config that runs as code, found by itself beside a signing key, is code execution by pull request. */
const PLACES = [
  'package.json',
  '.aiprc',
  '.aiprc.json',
  '.aiprc.yaml',
  '.aiprc.yml',
  '.config/aiprc',
  '.config/aiprc.json',
  '.config/aiprc.yaml',
];
const MAX_BYTES = 64 * 1024;

export interface ConfigFile {
  readonly path: string;
  readonly content: unknown;
  /** Another user than this one and root wrote it: nothing in it is believed without trust. */
  readonly foreign: boolean;
}

/** The nearest project file, from the current folder up to the home folder or the root. */
export async function findProjectFile(io: Io): Promise<ConfigFile | null> {
  for (let folder = resolve(io.cwd); ; folder = dirname(folder)) {
    for (const place of PLACES) {
      const path = join(folder, place);
      const found = statSync(path, { throwIfNoEntry: false });
      if (found?.isFile() !== true) continue;
      if (place === 'package.json') {
        const content = packageMember(path);
        if (content !== undefined) return { path, content, foreign: isForeign(found.uid, io) };
      } else return { path, content: await readData(path), foreign: isForeign(found.uid, io) };
    }
    if (folder === io.userHome || dirname(folder) === folder) return null;
  }
}

/** The file named by `--config`: the user's own choice, so it may be code as well. */
export async function readNamedFile(path: string): Promise<ConfigFile> {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) {
    throw new Failure('NOT_FOUND', `the config file ${path} does not exist`);
  }
  const content = basename(path) === 'package.json' ? (packageMember(path) ?? {}) : await readData(path, true);
  return { path, content, foreign: false };
}

export function readUserFile(paths: Paths): ConfigFile | null {
  const path = paths.userConfigFile;
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return null;
  return { path, content: parseJsonFile(path, readText(path)), foreign: false };
}

/** Sets members of the user's config file (null removes one); nested names are written `group.name`. */
export function saveUserConfig(paths: Paths, changes: Readonly<Record<string, unknown>>): void {
  const before = readUserFile(paths)?.content;
  const content = (typeof before === 'object' && before !== null ? { ...before } : {}) as Record<string, unknown>;
  for (const [name, value] of Object.entries(changes)) {
    const [group, member] = name.split('.') as [string, string | undefined];
    if (member === undefined) set(content, group, value);
    else {
      const members = { ...(content[group] as Record<string, unknown> | undefined) };
      set(members, member, value);
      set(content, group, Object.keys(members).length === 0 ? null : members);
    }
  }
  writePrivate(paths, paths.userConfigFile, `${JSON.stringify(content, null, 2)}\n`);
}

/** Digests of trusted config, by path of its file. */
export function readTrusted(paths: Paths): Record<string, string> {
  if (statSync(paths.trustedFile, { throwIfNoEntry: false }) === undefined) return {};
  const content = parseJsonFile(paths.trustedFile, readText(paths.trustedFile));
  const entries = typeof content === 'object' && content !== null ? Object.entries(content) : [];
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

export function saveTrusted(paths: Paths, path: string, digest: string): void {
  writePrivate(paths, paths.trustedFile, `${JSON.stringify({ ...readTrusted(paths), [path]: digest }, null, 2)}\n`);
}

async function readData(path: string, codeToo = false): Promise<unknown> {
  const extension = extname(path);
  const isCode = /^\.[cm]?js$/.test(extension);
  if (isCode && !codeToo) throw new Failure('USAGE', `${path} is code, not data`);
  const text = isCode ? '' : readText(path);
  if (extension === '.json') return parseJsonFile(path, text);
  // cosmiconfig's own search is not used: before any option of ours counts it looks for `.config/config.js` and runs it, and
  // `$import` in a data file may name code.
  const { defaultLoaders } = await import('cosmiconfig');
  const load = isCode ? defaultLoaders['.js'] : defaultLoaders['.yaml'];
  try {
    return (await load(path, text)) ?? {};
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/\s+/g, ' ') : String(error);
    throw new Failure('USAGE', `the config file ${path} cannot be read: ${why.slice(0, 200)}`, { cause: error });
  }
}

function packageMember(path: string): unknown {
  const text = readText(path, 4 * 1024 * 1024);
  if (!text.includes('"aip"')) return undefined;
  const content = parseJsonFile(path, text);
  const member = (content as { aip?: unknown } | null)?.aip;
  return typeof member === 'object' && member !== null ? member : undefined;
}

function parseJsonFile(path: string, text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    throw new Failure('USAGE', `the config file ${path} is not JSON`, { hint: `correct ${path}`, cause: error });
  }
}

function readText(path: string, most = MAX_BYTES): string {
  const bytes = readFileSync(path);
  if (bytes.length > most) throw new Failure('USAGE', `the config file ${path} is larger than ${most} bytes`);
  return bytes.toString('utf8');
}

function isForeign(owner: number, io: Io): boolean {
  return io.uid !== null && owner !== io.uid && owner !== 0;
}

function set(members: Record<string, unknown>, name: string, value: unknown): void {
  if (value === null) delete members[name];
  else members[name] = value;
}

/** Whole or not at all, and readable by this user only. */
function writePrivate(paths: Paths, path: string, text: string): void {
  mkdirSync(paths.configDir, { recursive: true, mode: 0o700 });
  const draft = `${path}.new`;
  writeFileSync(draft, text, { mode: 0o600 });
  chmodSync(draft, 0o600);
  renameSync(draft, path);
}

export function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
