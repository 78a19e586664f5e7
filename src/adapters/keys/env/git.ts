import { existsSync, lstatSync, readFileSync, realpathSync, appendFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { Failure, shellWord } from '../../../app/failure.js';
import { fileFailure } from '../../../app/system-failures.js';
import { runSubprocess, type SubprocessResult } from '../../process/subprocess.js';

/** Four calls at most, within the 5 s of a key store. */
const TIMEOUT_MS = 1000;

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Keeps a plain-text key out of git: fails when git tracks `path`, and has its repository ignore it when it does not yet.
 * Returns what to say aloud. `path` need not exist; its folder must.
 */
export async function keepOutOfGit(path: string, env: Env): Promise<readonly string[]> {
  const folder = realpathSync(dirname(path));
  const notices: string[] = [];
  if (insideRepository(folder)) notices.push(...(await keepOutOf(folder, path, env, {})));
  const exported = exportedRepository(env);
  if (exported !== null && (await covers(exported, folder, env)))
    notices.push(...(await keepOutOf(folder, path, env, exported)));
  return [...new Set(notices)];
}

/** Which repository git works on when it is not the one that a folder lies in. */
type Repository = Readonly<Record<string, string>>;

/**
 * The repository that this process's environment names, as a bare one of dotfiles over the home folder is used: null without one.
 * Git itself takes the current folder for the work tree where none is named.
 */
function exportedRepository(env: Env): Repository | null {
  const { GIT_DIR: folder, GIT_WORK_TREE: tree } = env;
  if (folder === undefined || folder === '') return null;
  return { GIT_DIR: resolve(folder), GIT_WORK_TREE: resolve(tree === undefined || tree === '' ? '.' : tree) };
}

/** True when the folder lies in the repository's work tree. */
async function covers(repository: Repository, folder: string, env: Env): Promise<boolean> {
  const inside = await git(folder, env, ['rev-parse', '--is-inside-work-tree'], repository);
  return exit(inside) === 0 && stdout(inside).trim() === 'true';
}

async function keepOutOf(folder: string, path: string, env: Env, repository: Repository): Promise<readonly string[]> {
  const name = basename(path);
  const run = (args: readonly string[]): Promise<SubprocessResult> => git(folder, env, args, repository);
  const top = await run(['rev-parse', '--show-toplevel']);
  if (top.kind === 'unstarted' && top.reason === 'ENOENT') {
    return [`git is not installed, so whether it tracks or ignores ${path} was not checked.`];
  }
  const root = exit(top) === 0 ? stdout(top).replace(/\r?\n$/, '') : '';
  if (root === '') throw unsure(path);

  const tracked = exit(await run(['--literal-pathspecs', 'ls-files', '--error-unmatch', '--', name]));
  if (tracked === 0) {
    throw new Failure('KEYSTORE_DENIED', `git tracks ${path}: a private key in it would be committed.`, {
      hint: `git rm --cached ${shellWord(path)}, or name another file with --env-file`,
    });
  }
  if (tracked !== 1) throw unsure(path);

  const before = exit(await run(['check-ignore', '-q', '--', `./${name}`]));
  if (before === 0) return [];
  if (before !== 1) throw unsure(path);
  const ignoreFile = join(root, '.gitignore');
  ignore(ignoreFile, `/${[...relative(realpathSync(root), folder).split(sep), name].filter(Boolean).join('/')}`);
  if (exit(await run(['check-ignore', '-q', '--', `./${name}`])) !== 0) {
    throw new Failure('KEYSTORE_DENIED', `git does not ignore ${path}, not even with a line in ${ignoreFile}.`, {
      hint: 'name a file outside the repository with --env-file',
    });
  }
  return [`Added ${name} to ${ignoreFile}, so that git ignores it.`];
}

/** `outside`: in no repository. `unknown`: git is missing, or does not answer. */
export type GitKnowledge = 'outside' | 'tracked' | 'ignored' | 'unignored' | 'unknown';

/** What git knows of a file, which must exist; nothing is changed. */
export async function gitKnows(path: string, env: Env): Promise<GitKnowledge> {
  const folder = realpathSync(dirname(path));
  const exported = exportedRepository(env);
  if (exported !== null && (await covers(exported, folder, env))) {
    const known = await knownTo(folder, basename(path), env, exported);
    if (known !== 'ignored') return known;
  }
  return insideRepository(folder) ? knownTo(folder, basename(path), env, {}) : 'outside';
}

async function knownTo(folder: string, name: string, env: Env, repository: Repository): Promise<GitKnowledge> {
  const run = (args: readonly string[]): Promise<SubprocessResult> => git(folder, env, args, repository);
  const tracked = exit(await run(['--literal-pathspecs', 'ls-files', '--error-unmatch', '--', name]));
  if (tracked !== 1) return tracked === 0 ? 'tracked' : 'unknown';
  const ignored = exit(await run(['check-ignore', '-q', '--', `./${name}`]));
  return ignored === 0 ? 'ignored' : ignored === 1 ? 'unignored' : 'unknown';
}

/** Looked for without git, which may be missing or refuse to speak of a repository that another user owns. */
function insideRepository(folder: string): boolean {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) return true;
    if (dirname(at) === at) return false;
  }
}

function ignore(ignoreFile: string, path: string): void {
  // gitignore(5): these have a meaning in patterns; trailing spaces would be dropped.
  const line = path.replace(/[\\*?[\]!#]/g, '\\$&').replace(/ +$/, (spaces) => spaces.replaceAll(' ', '\\ '));
  if (/[\r\n]/.test(line)) throw new Failure('USAGE', 'The name of the env file holds a line break.');
  try {
    const stat = lstatSync(ignoreFile, { throwIfNoEntry: false });
    // git itself does not read a .gitignore behind a symlink, and whatever it leads to is not ours to change.
    if (stat?.isFile() === false) throw new Failure('KEYSTORE_DENIED', `${ignoreFile} is not a regular file.`);
    const old = stat === undefined ? '' : readFileSync(ignoreFile, 'utf8');
    appendFileSync(ignoreFile, `${old === '' || old.endsWith('\n') ? '' : '\n'}${line}\n`);
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw fileFailure(ignoreFile, 'written', cause, { kind: 'KEYSTORE_DENIED' });
  }
}

/**
 * Runs git without its GIT_* environment (a hook's GIT_DIR would point it elsewhere) and without what a repository's own
 * configuration could make it run.
 */
function git(cwd: string, env: Env, args: readonly string[], repository: Repository = {}): Promise<SubprocessResult> {
  const clean: Record<string, string> = {
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TERMINAL_PROMPT: '0',
  };
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && !/^(GIT_|AIP_|AGENT_PRIVATE_KEY$)/i.test(name)) clean[name] = value;
  }
  Object.assign(clean, repository);
  const safe = ['-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null'];
  return runSubprocess('git', [...safe, ...args], {
    cwd,
    env: clean,
    timeoutMs: TIMEOUT_MS,
    maxOutputBytes: 64 * 1024,
  });
}

function exit(result: SubprocessResult): number | null {
  return result.kind === 'exited' ? result.code : null;
}

function stdout(result: SubprocessResult): string {
  return result.kind === 'exited' ? result.stdout : '';
}

function unsure(path: string): Failure {
  return new Failure(
    'KEYSTORE_DENIED',
    `${path} lies in a git repository, and git could not say whether it is tracked.`,
    {
      hint: `see what git says: git -C ${shellWord(dirname(path))} status`,
    },
  );
}
