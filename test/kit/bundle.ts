import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, parse } from 'node:path';
import { afterAll } from 'vitest';
import { compile } from './compile.mjs';

const made = new Map<string, Promise<string>>();
afterAll(async () => {
  for (const file of await Promise.allSettled(made.values()))
    if (file.status === 'fulfilled') rmSync(dirname(file.value), { recursive: true, force: true });
});

/**
 * Compiles a TypeScript program of the tests into one file that plain `node` runs, as the package's own build does, and
 * returns its path. Native packages are found in this checkout; the file goes away with the tests of the file that asked for it.
 */
export function bundle(entryPath: string): Promise<string> {
  let bundled = made.get(entryPath);
  if (bundled === undefined) made.set(entryPath, (bundled = compiled(entryPath)));
  return bundled;
}

async function compiled(entryPath: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'aip-bundle-'));
  const outfile = join(folder, `${parse(entryPath).name}.mjs`);
  await compile(entryPath, outfile, 'silent');
  return outfile;
}
