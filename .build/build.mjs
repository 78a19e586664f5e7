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
import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Script } from 'node:vm';
import { buildDeferred } from './deferred.mjs';
import { root } from './parts.mjs';
import { ADAPTERS, PLAIN_RUN, TARGETS, TYPES } from './targets.mjs';

const { values, positionals } = parseArgs({ options: { out: { type: 'string' } }, allowPositionals: true });
const out = values.out === undefined ? join(root, 'dist') : resolve(values.out);

const STEPS = {
  async cli() {
    const { cli, frequent, hook } = TARGETS;
    await Promise.all([cli, hook].map((target) => build({ ...target, outdir: out })));
    await buildDeferred(frequent, PLAIN_RUN, out);
    // The first that has a command is started for it.
    const bundles = await Promise.all(['frequent.cjs', 'main.cjs'].map((file) => known(join(out, file))));
    bundles[0].rest = hashed(join(out, 'frequent-rest.cjs'));
    await build({ ...TARGETS.start(bundles), outdir: out });
  },
  library: () => Promise.all([TARGETS.library, TARGETS.adapters].map((target) => build({ ...target, outdir: out }))),
  types() {
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const types = join(out, 'types');
    execFileSync(process.execPath, [tsc, ...TYPES, '--outDir', types], { cwd: root, stdio: 'inherit' });
    keepReachable(types);
    forRequire(types, join(out, 'commonjs'));
  },
};

const unknown = positionals.find((name) => !Object.hasOwn(STEPS, name));
if (unknown !== undefined) {
  console.error(`there is no "${unknown}" to build; there are ${Object.keys(STEPS).join(', ')}`);
  process.exit(2);
}
/** What the start is to know of a script. */
function hashed(path) {
  const text = readFileSync(path, 'latin1');
  return { file: basename(path), hash: createHash('sha256').update(text, 'latin1').digest('hex') };
}

/** The same of one that holds commands. */
async function known(path) {
  const module = { exports: {} };
  const text = readFileSync(path, 'latin1');
  const outside = createRequire(path);
  const given = (name) => (name.startsWith('held:') ? module.exports.held(name.slice('held:'.length)) : outside(name));
  new Script(text, { filename: path }).runInThisContext()(module.exports, given, module, path, out);
  return { ...hashed(path), rest: null, commands: await module.exports.commandWords() };
}

/** What the library's declarations do not lead to is the business of its insides, and not published. */
function keepReachable(types) {
  const reached = new Set();
  const visit = (path) => {
    if (reached.has(path)) return;
    reached.add(path);
    const text = readFileSync(path, 'utf8');
    for (const [, from] of text.matchAll(/(?:from |import\()['"](\.[^'"]*)\.js['"]/g))
      visit(join(dirname(path), `${from}.d.ts`));
  };
  visit(join(types, 'index.d.ts'));
  for (const name of ADAPTERS) visit(join(types, 'guard', 'frameworks', `${name}.d.ts`));
  for (const name of readdirSync(types, { recursive: true })) {
    const path = join(types, name);
    if (statSync(path).isFile() && !reached.has(path)) rmSync(path);
  }
}

/**
 * The same library for `require`: TypeScript takes the kind of a module from the package.json above its declarations, and refuses
 * to `require` an ES module. What runs is the one ES module, so that there is one workspace and one class of errors.
 */
function forRequire(types, folder) {
  rmSync(folder, { recursive: true, force: true });
  cpSync(types, join(folder, 'types'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }\n');
  for (const name of ['index', ...ADAPTERS])
    writeFileSync(join(folder, `${name}.js`), `module.exports = require('../${name}.js');\n`);
}

if (positionals.length === 0) rmSync(out, { recursive: true, force: true });
for (const name of positionals.length === 0 ? Object.keys(STEPS) : positionals) await STEPS[name]();
