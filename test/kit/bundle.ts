import { createHash } from 'node:crypto';
import { existsSync, renameSync } from 'node:fs';
import { join, parse } from 'node:path';
import { RUN_FOLDER } from '../run-folder.js';
import { compile } from './compile.mjs';

const made = new Map<string, Promise<string>>();

/**
 * Compiles a TypeScript program of the tests into one file that plain `node` runs, as the package's own build does, and
 * returns its path. Native packages are found in this checkout; the file goes away with the run of the tests.
 */
export function bundle(entryPath: string): Promise<string> {
  let bundled = made.get(entryPath);
  if (bundled === undefined) made.set(entryPath, (bundled = compiled(entryPath)));
  return bundled;
}

/** Once in a run, whichever worker comes first. */
async function compiled(entryPath: string): Promise<string> {
  const id = createHash('sha256').update(entryPath).digest('hex').slice(0, 8);
  const path = join(process.env[RUN_FOLDER]!, `${parse(entryPath).name}-${id}.mjs`);
  if (existsSync(path)) return path;
  const draft = `${path}.${process.pid}.mjs`;
  await compile(entryPath, draft, 'silent');
  renameSync(draft, path);
  return path;
}
