/** Compiles a benchmark as the package is compiled, and runs it: `node test/bench/run.mjs <name> [arguments]`. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile, root } from '../kit/compile.mjs';
import { measuredEnvironment } from './environment.mjs';

const [name, ...args] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'aip-bench-'));
const outfile = join(folder, `${name}.mjs`);
try {
  await compile(join(root, 'test/bench', `${name}.ts`), outfile, 'warning');
  const env = { ...measuredEnvironment(process.env), HOME: folder, AIP_BENCH_ROOT: root };
  process.exitCode = spawnSync(process.execPath, [outfile, ...args], { stdio: 'inherit', env }).status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
