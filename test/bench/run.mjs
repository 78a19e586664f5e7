/** Compiles a benchmark as the package is compiled, and runs it: `node test/bench/run.mjs <name> [arguments]`. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { standIns } from '../../.build/targets.mjs';
import { compile, root } from '../kit/compile.mjs';
import { measuredEnvironment } from './environment.mjs';

/** The pieces that `prices` measures a verifier without, and what stands in their place. */
const PIECES = {
  constraints: 'src/verify/checks/constraints.ts',
  hidden: 'src/verify/limits/hidden.ts',
  unmeasured: 'src/verify/limits/unmeasured.ts',
  secrets: 'src/protocol/log/secrets.ts',
  commitments: 'src/protocol/log/leaf.ts',
};

const [name, ...args] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'aip-bench-'));
const outfile = join(folder, `${name}.mjs`);
try {
  await compile(join(root, 'test/bench', `${name}.ts`), outfile, 'warning');
  if (name === 'prices') await compileVerifiers();
  const env = { ...measuredEnvironment(process.env), HOME: folder, AIP_BENCH_ROOT: root, AIP_BENCH_PROGRAMS: folder };
  process.exitCode = spawnSync(process.execPath, [outfile, ...args], { stdio: 'inherit', env }).status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function compileVerifiers() {
  const subject = join(root, 'test/bench/subject.ts');
  await compile(subject, join(folder, 'whole.mjs'), 'warning');
  for (const [piece, source] of Object.entries(PIECES)) {
    const without = standIns({ [source]: `test/bench/without/${piece}.ts` });
    await compile(subject, join(folder, `${piece}.mjs`), 'warning', [without]);
  }
}
