/** Compiles a benchmark as the package is compiled, and runs it: `node test/bench/run.mjs <name> [arguments]`. */
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const [name, ...args] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'aip-bench-'));
const outfile = join(folder, `${name}.mjs`);
const target = join(root, 'src/adapters/sqlite/native-target.ts');
try {
  await build({
    entryPoints: [join(root, 'test/bench', `${name}.ts`)],
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
    logLevel: 'warning',
  });
  const env = { ...process.env, AIP_BENCH_ROOT: root };
  process.exitCode = spawnSync(process.execPath, [outfile, ...args], { stdio: 'inherit', env }).status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
