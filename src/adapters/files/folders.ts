// `promises` is loaded when it is first used: a verification of one document never does.
import { mkdirSync, readdirSync, statSync, promises } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Makes the folder at `path` and those above it that are missing, each with `mode` less the umask; one that is there is left
 * as it is. Not `mkdir` with `recursive`: under /proc, where making a folder fails with ENOENT below a parent that exists,
 * that one tries for ever.
 * @throws the system's error, such as ENOTDIR where something else stands in the place of one, or ENOENT where the file system takes none
 */
export function makeFolder(path: string, mode = 0o777): void {
  const missing: string[] = [];
  for (let at = path; !isFolder(at); at = dirname(at)) {
    missing.push(at);
    if (dirname(at) === at) break;
  }
  for (const folder of missing.reverse()) {
    try {
      mkdirSync(folder, { mode });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      // Another process may have made it since; what is no folder is in the way, and not what was to be made.
      if (!isFolder(folder)) throw Object.assign(new Error('not a folder'), { code: 'ENOTDIR', path: folder });
    }
  }
}

/** True where a folder is at `path`, also by a link. @throws the system's error where it cannot be told */
export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** The JSON files in a folder, at any depth, by name; null for what is no folder. */
export async function jsonFilesIn(path: string): Promise<string[] | null> {
  const found = await promises.stat(path).catch(() => null);
  if (found?.isDirectory() !== true) return null;
  const names = await promises.readdir(path, { recursive: true });
  return names
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => join(path, name));
}

/** The names in a folder; none where it is not there, or may not be listed. */
export function namesInFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
