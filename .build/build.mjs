#!/usr/bin/env node
/**
 * Builds the package into dist.
 *
 *   node .build/build.mjs                  everything, into an empty folder
 *   node .build/build.mjs cli library      these of: cli, library, types
 *   node .build/build.mjs cli --out DIR    somewhere else
 */
import { build } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './parts.mjs';
import { TARGETS, TYPES } from './targets.mjs';

const { values, positionals } = parseArgs({ options: { out: { type: 'string' } }, allowPositionals: true });
const out = values.out === undefined ? join(root, 'dist') : resolve(values.out);

const STEPS = {
  async cli() {
    await build({ ...TARGETS.cli, outdir: out });
    execFileSync(process.execPath, [join(out, 'compile.cjs')], { stdio: 'inherit' });
  },
  library: () => build({ ...TARGETS.library, outdir: out }),
  types() {
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    execFileSync(process.execPath, [tsc, ...TYPES, '--outDir', join(out, 'types')], { cwd: root, stdio: 'inherit' });
  },
};

const unknown = positionals.find((name) => !Object.hasOwn(STEPS, name));
if (unknown !== undefined) {
  console.error(`there is no "${unknown}" to build; there are ${Object.keys(STEPS).join(', ')}`);
  process.exit(2);
}
if (positionals.length === 0) rmSync(out, { recursive: true, force: true });
for (const name of positionals.length === 0 ? Object.keys(STEPS) : positionals) await STEPS[name]();
