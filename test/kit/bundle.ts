import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, parse } from 'node:path';
import { compile } from './compile.mjs';

const made = new Map<string, Promise<string>>();

/**
 * Compiles a TypeScript program of the tests into one file that plain `node` runs, as the package's own build does, and
 * returns its path. Native packages are found in this checkout; the file goes away with the test process.
 */
export function bundle(entryPath: string): Promise<string> {
  let bundled = made.get(entryPath);
  if (bundled === undefined) made.set(entryPath, (bundled = compiled(entryPath)));
  return bundled;
}

async function compiled(entryPath: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'aip-bundle-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const outfile = join(folder, `${parse(entryPath).name}.mjs`);
  await compile(entryPath, outfile, 'silent');
  return outfile;
}
