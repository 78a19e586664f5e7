import { build } from 'esbuild';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, parse } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const made = new Map<string, Promise<string>>();

/**
 * Compiles a TypeScript program of the tests into one file that plain `node` runs, as the package's own build does, and
 * returns its path. Native packages are found in this checkout; the file goes away with the test process.
 */
export function bundle(entryPath: string): Promise<string> {
  let bundled = made.get(entryPath);
  if (bundled === undefined) made.set(entryPath, (bundled = compile(entryPath)));
  return bundled;
}

async function compile(entryPath: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'aip-bundle-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const outfile = join(folder, `${parse(entryPath).name}.mjs`);
  const target = join(root, 'src/adapters/sqlite/native-target.ts');
  await build({
    entryPoints: [entryPath],
    absWorkingDir: root,
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    external: ['@libsql/*', 'keytar'],
    alias: { 'detect-libc': target, '@neon-rs/load': target },
    banner: {
      js: `import{createRequire as $createRequire}from'node:module';const require=$createRequire(${JSON.stringify(pathToFileURL(join(root, 'package.json')).href)});`,
    },
    logLevel: 'silent',
  });
  return outfile;
}
