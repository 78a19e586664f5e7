/** Compiles a TypeScript program of the tests as the package is compiled; in JavaScript, so that plain `node` can start with it. */
import { build } from 'esbuild';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../../.build/parts.mjs';
import { COMMON } from '../../.build/targets.mjs';

export { root };

/** Writes one file that plain `node` runs; native packages are found in this checkout. `plugins` come before those of the package. */
export async function compile(entryPath, outfile, logLevel, plugins = []) {
  await build({
    ...COMMON,
    entryPoints: [entryPath],
    outfile,
    format: 'esm',
    plugins: [...plugins, ...COMMON.plugins],
    define: { ...COMMON.define, __dirname: 'undefined' },
    banner: {
      js: `import{createRequire as $createRequire}from'node:module';const require=$createRequire(${JSON.stringify(pathToFileURL(join(root, 'package.json')).href)});`,
    },
    logLevel,
  });
}
