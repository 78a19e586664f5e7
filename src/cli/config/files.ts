/** The config files on disk: how they are read, and which of them the user has trusted. */
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { disowned, makeFolder } from '../../workspace/files.js';
import { Failure } from '../../app/failure.js';
import { stdinOnce, type Io } from '../io.js';
import type { Paths } from '../../app/ports/paths.js';
import { configJson } from '../../app/setup/config-text.js';
import { maskName } from '../../protocol/log/secret-text.js';
import { withKeyFiles } from './key-files.js';

const MAX_BYTES = 64 * 1024;
const MAX_PACKAGE_BYTES = 4 * 1024 * 1024;

export interface ConfigFile {
  readonly path: string;
  readonly content: unknown;
}

/** A file of the places where project config is looked for; null when there is none, or a package.json without the member "aip". */
export async function readProjectFile(path: string): Promise<ConfigFile | null> {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return null;
  const isPackage = basename(path) === 'package.json';
  const text = readText(path, isPackage ? MAX_PACKAGE_BYTES : MAX_BYTES);
  const content = isPackage ? packageMember(path, text) : await parseData(path, text);
  return content === undefined ? null : { path, content };
}

/** The file named by `--config`: the user's own choice, so it may be code as well. */
export async function readNamedFile(name: string, io: Io): Promise<ConfigFile> {
  if (name === '-') return { path: 'stdin', content: await parseData('stdin', await readAll(io)) };
  const path = resolve(io.cwd, name);
  if (statSync(path, { throwIfNoEntry: false }) === undefined) {
    throw new Failure('NOT_FOUND', `the config file ${maskName(path)} does not exist`, {
      hint: 'name a file that exists with --config, or leave it out',
    });
  }
  return { path, content: withKeyFiles(await readNamed(path, io), path, null) };
}

/**
 * The config of the home; null when there is none. With `uid`, the user who reads it: fails where another one wrote it or can, for
 * it says whom to believe and which code to run.
 */
export function readUserFile(paths: Paths, uid: Io['uid'] = null): ConfigFile | null {
  const file = asWritten(paths, uid);
  return file === null ? null : { ...file, content: withKeyFiles(file.content, file.path, uid) };
}

function asWritten(paths: Paths, uid: Io['uid'] = null): ConfigFile | null {
  const path = paths.userConfigFile;
  if (!exists(path)) return null;
  const problem = disowned(path, uid);
  if (problem !== null) throw new Failure('USAGE', problem.message, { hint: problem.hint });
  return { path, content: configJson(path, readText(path)) };
}

/** Sets members of the user's config file (null removes one); nested names are written `group.name`. */
export function saveUserConfig(paths: Paths, changes: Readonly<Record<string, unknown>>): void {
  const before = asWritten(paths)?.content;
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
  if (!exists(paths.trustedFile)) return {};
  const content = configJson(paths.trustedFile, readText(paths.trustedFile));
  const entries = typeof content === 'object' && content !== null ? Object.entries(content) : [];
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

/** Remembers a digest, or with null forgets the file. */
export function saveTrusted(paths: Paths, path: string, digest: string | null): void {
  const kept = Object.entries(readTrusted(paths)).filter(([known]) => known !== path);
  const all = Object.fromEntries(digest === null ? kept : [...kept, [path, digest]]);
  writePrivate(paths, paths.trustedFile, `${JSON.stringify(all, null, 2)}\n`);
}

async function readNamed(path: string, io: Io): Promise<unknown> {
  if (/^\.[cm]?js$/.test(extname(path))) {
    const code = async (): Promise<unknown> => (await io.importModule(pathToFileURL(path).href)).default;
    return loaded(path, code);
  }
  if (basename(path) !== 'package.json') return parseData(path, readText(path));
  return packageMember(path, readText(path, MAX_PACKAGE_BYTES)) ?? {};
}

function parseData(path: string, text: string): unknown {
  return extname(path) === '.json' ? configJson(path, text) : loaded(path, () => yaml(path, text));
}

async function yaml(path: string, text: string): Promise<unknown> {
  // cosmiconfig's own search is not used: before any option counts it looks for `.config/config.js` and runs it, and
  // `$import` in a data file may name code.
  const { defaultLoaders } = await import('cosmiconfig');
  return defaultLoaders['.yaml'](path, text) as unknown;
}

async function loaded(path: string, read: () => Promise<unknown>): Promise<unknown> {
  try {
    return (await read()) ?? {};
  } catch (error) {
    // The parser of YAML names the file as well, and quotes what it holds: a webhook's URL is a secret.
    const why =
      error instanceof Error ? error.message.replace(/^YAML Error in .*\n/, '').split('\n', 1)[0]! : String(error);
    throw new Failure('USAGE', `the config file ${path} cannot be read: ${why.slice(0, 200)}`, {
      hint: `correct ${path}`,
      cause: error,
    });
  }
}

function packageMember(path: string, text: string): unknown {
  if (!text.includes('"aip"')) return undefined;
  const content = configJson(path, text);
  const member = (content as { aip?: unknown } | null)?.aip;
  return typeof member === 'object' && member !== null ? member : undefined;
}

/** The text of a regular file within bounds. */
function readText(path: string, most = MAX_BYTES): string {
  // Opening a pipe would wait for a writer.
  const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const found = fstatSync(file);
    if (!found.isFile()) throw new Failure('UNREADABLE', `the config file ${path} is not a regular file`);
    const bytes = found.size > most ? null : readFileSync(file);
    if (bytes === null || bytes.length > most) {
      throw new Failure('USAGE', `the config file ${path} is larger than ${most} bytes`);
    }
    return bytes.toString('utf8');
  } finally {
    closeSync(file);
  }
}

async function readAll(io: Io): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stdinOnce(io)) {
    chunks.push(Buffer.from(chunk as Uint8Array));
    length += chunks.at(-1)!.length;
    if (length > MAX_BYTES) throw new Failure('USAGE', `the config on stdin is larger than ${MAX_BYTES} bytes`);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function set(members: Record<string, unknown>, name: string, value: unknown): void {
  if (value === null) delete members[name];
  else members[name] = value;
}

/** Whole or not at all, and readable by this user only. */
function writePrivate(paths: Paths, path: string, text: string): void {
  makeFolder(paths.configDir, 0o700);
  // A name of its own: another process may be saving as well.
  const draft = `${path}.${process.pid}.new`;
  writeFileSync(draft, text, { mode: 0o600 });
  chmodSync(draft, 0o600);
  renameSync(draft, path);
}

export function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
