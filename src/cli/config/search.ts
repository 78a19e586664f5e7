/** Where project config is looked for. Looking for something optional never fails a command: what cannot be read is said once. */
import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Failure } from '../../app/failure.js';
import type { Io } from '../io.js';
import { isForeign } from '../../workspace/files.js';
import { readProjectFile, type ConfigFile } from './files.js';

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
  '.config/aiprc.yml',
];

export interface Search {
  /** Nearest first. */
  readonly files: readonly ConfigFile[];
  /** Places that hold something that cannot be looked into or read, and why. */
  readonly skipped: readonly { readonly path: string; readonly why: string }[];
  /** Files that stand beside one another: it is not clear which of them would count. */
  readonly doubles: readonly (readonly string[])[];
}

/** The project files from the current folder up to the repository's root or the home folder. */
export async function searchProject(io: Io): Promise<Search> {
  const found = {
    files: [] as ConfigFile[],
    skipped: [] as { path: string; why: string }[],
    doubles: [] as string[][],
  };
  for (const folder of reachable(io)) {
    const here: string[] = [];
    for (const place of PLACES) {
      const path = join(folder, place);
      try {
        if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) continue;
        const file = await readProjectFile(path);
        if (file === null) continue;
        here.push(path);
        found.files.push(file);
      } catch (error) {
        found.skipped.push({ path, why: whyNot(error) });
      }
    }
    if (here.length > 1) found.doubles.push(here);
    if (folder === io.userHome || existsSync(join(folder, '.git'))) break;
  }
  return found;
}

/** The folders from the current one up, as far as they belong to this user or root: who owns a folder decides what lies in it. */
export function reachable(io: Pick<Io, 'cwd' | 'uid'>): string[] {
  const folders: string[] = [];
  for (let folder = resolve(io.cwd); ; folder = dirname(folder)) {
    const owner = statSync(folder, { throwIfNoEntry: false })?.uid;
    if (owner === undefined || isForeign(owner, io.uid)) return folders;
    folders.push(folder);
    if (dirname(folder) === folder) return folders;
  }
}

/** The folder that a project file is for. */
export function folderOf(path: string): string {
  const folder = dirname(path);
  return PLACES.some((place) => place.startsWith('.config/') && path.endsWith(join('/', place)))
    ? dirname(folder)
    : folder;
}

function whyNot(error: unknown): string {
  if (error instanceof Failure) return error.message.replace(/^the config file \S+ /, '');
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  return code;
}
