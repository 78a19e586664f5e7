/** Compiles a TypeScript program of the tests as the package is compiled; in JavaScript, so that plain `node` can start with it. */
import { build } from 'esbuild';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Writes one file that plain `node` runs; native packages are found in this checkout. */
export async function compile(entryPath, outfile, logLevel) {
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
    define: { 'process.env.LIBSQL_JS_DEV': 'true', __dirname: 'undefined' },
    banner: {
      js: `import{createRequire as $createRequire}from'node:module';const require=$createRequire(${JSON.stringify(pathToFileURL(join(root, 'package.json')).href)});`,
    },
    logLevel,
  });
}
