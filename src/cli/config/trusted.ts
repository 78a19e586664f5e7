/**
 * Which project files count. Nothing that lies in a folder can displace a policy: a file counts when the user has trusted exactly
 * what it says, and a trusted one that is missing or says something else ends every verification at its place.
 */
import { dirname, resolve } from 'node:path';
import { Failure, shellWord } from '../../app/failure.js';
import { sha256Hex } from '../../protocol/hash.js';
import type { Paths } from '../../app/ports/paths.js';
import type { Io } from '../io.js';
import { readProjectFile, readTrusted, type ConfigFile } from './files.js';
import { codeOf } from './hook-code.js';
import { KEY_NAMES } from './keys.js';
import { folderOf, reachable, searchProject, type Search } from './search.js';
import { flatten } from './values.js';

export interface ProjectConfig {
  /** Files whose every word is trusted, nearest first. */
  readonly trusted: readonly ConfigFile[];
  /** Untrusted files, nearest first; nothing in them counts. */
  readonly untrusted: readonly ConfigFile[];
  /** Why nothing may be verified here. */
  readonly problems: readonly Failure[];
  readonly skipped: Search['skipped'];
}

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** The project's config at the current folder. Fails for nothing that a project file does. */
export async function projectConfig(paths: Paths, io: Io): Promise<ProjectConfig> {
  const { files, skipped, doubles } = await searchProject(io);
  const problems = doubles.map(
    (paths) =>
      new Failure('USAGE', `two project files in one folder: ${paths.join(' and ')}`, { hint: 'keep one of the two' }),
  );
  const trusted: ConfigFile[] = [];
  for (const [path, digest] of registered(paths, io)) {
    const file = await atItsPlace(path, digest);
    if (file instanceof Failure) problems.push(file);
    else trusted.push(file);
  }
  const given = io.env['AIP_TRUST_CONFIG'] ?? '';
  if (given !== '') {
    const digests = given.trim().split(/[\s,]+/);
    const matching = files.filter((file) => digests.includes(digestOrNull(file) ?? ''));
    for (const file of matching) if (!trusted.some(({ path }) => path === file.path)) trusted.push(file);
    const problem = variableProblem(digests, matching);
    if (problem !== null) problems.push(problem);
  }
  const isTrusted = (file: ConfigFile): boolean => trusted.some(({ path }) => path === file.path);
  const depth = ({ path }: ConfigFile): number => folderOf(path).length;
  return {
    trusted: trusted.sort((a, b) => depth(b) - depth(a)),
    untrusted: files.filter((file) => !isTrusted(file)),
    problems,
    skipped: skipped.filter(({ path }) => !Object.hasOwn(readTrusted(paths), path)),
  };
}

/**
 * What was trusted for the current folder or one above it. Not only what a search would find: a `.git` or a nearer file that is
 * added must not put it out of sight.
 */
function registered(paths: Paths, io: Io): [string, string][] {
  const folders = reachable(io);
  return Object.entries(readTrusted(paths)).filter(([path]) => folders.includes(folderOf(path)));
}

async function atItsPlace(path: string, digest: string): Promise<ConfigFile | Failure> {
  const forget = `aip config trust --forget ${shellWord(path)}`;
  const hint = `read it, then: aip config trust (or, to do without it: ${forget})`;
  let file: ConfigFile | null = null;
  try {
    file = await readProjectFile(path);
  } catch (error) {
    const why = error instanceof Failure ? error.message : (error as NodeJS.ErrnoException).code;
    if (why === undefined) throw error;
    return new Failure('USAGE', `the trusted config ${path} cannot be read: ${why}`, { hint, cause: error });
  }
  if (file === null)
    return new Failure('USAGE', `the trusted config ${path} is missing`, { hint: `restore it, or: ${forget}` });
  if (digestOrNull(file) === digest) return file;
  return new Failure('USAGE', `the trusted config ${path}, or a hook that it names, has changed`, { hint });
}

function variableProblem(digests: readonly string[], matching: readonly ConfigFile[]): Failure | null {
  if (digests.some((one) => !DIGEST.test(one))) {
    return new Failure(
      'USAGE',
      `AIP_TRUST_CONFIG is not sha256:<digest>: on a runner, strangers' files are checked out`,
      {
        hint: 'set it to what this prints where the file was read: aip config trust --print',
      },
    );
  }
  if (matching.length > 0) return null;
  return new Failure('USAGE', 'AIP_TRUST_CONFIG names a config that is not here, or says something else here', {
    hint: 'aip config trust --print',
  });
}

/**
 * What is trusted is what the file says, so that a comment or another member of package.json does not undo it, and the text of the
 * hooks that it names with all that these import: a pull request can change that as well. Fails on a hook that imports otherwise.
 */
export function digestOf(file: ConfigFile): string {
  const values = flatten(file);
  const said = KEY_NAMES.map((name) => [name, values[name] ?? null]);
  const hooks = (values.hooks ?? []) as readonly string[];
  const code = codeOf(
    hooks.map((path) => resolve(dirname(file.path), path)),
    dirname(file.path),
  );
  return `sha256:${sha256Hex(JSON.stringify(code.length === 0 ? said : [...said, code]))}`;
}

/** Null for a file that no digest could be trusted of. */
function digestOrNull(file: ConfigFile): string | null {
  try {
    return digestOf(file);
  } catch (error) {
    if (error instanceof Failure) return null;
    throw error;
  }
}
