/** Which tests say most about a change in a few seconds. */
import { build } from 'esbuild';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { partsForEsbuild, root } from './parts.mjs';

/** What needs no process, socket or file beside itself, below test/. */
export const UNIT_FOLDERS = ['protocol', 'verify', 'trust', 'app'];

/** ms that the chosen tests may take by themselves, and what one is taken to need that never ran here. */
const BUDGET_MS = 4_000;
const UNKNOWN_MS = 1_000;

/**
 * The tests for changed files: changed ones and namesakes (`test/a/b.test.ts` of `src/a/b.ts`) in any case, then unit tests as far as the time goes:
 * those of the same folder, and then by how few imports lie between. `left`: those that reach a changed file, and are for `npm run test:unit`.
 */
export async function nearestTests(changed) {
  const own = changed.flatMap((path) => [path, path.replace(/^src\/(.*)\.ts$/, 'test/$1.test.ts')]);
  const first = [...new Set(own)].filter((path) => path.endsWith('.test.ts') && existsSync(join(root, path)));
  const unit = UNIT_FOLDERS.flatMap((folder) =>
    readdirSync(join(root, 'test', folder), { recursive: true }).map((name) => `test/${folder}/${name}`),
  ).filter((path) => path.endsWith('.test.ts') && !first.includes(path));
  const distance = distances(await importersIn(unit), changed);
  const took = durations();
  const msOf = (path) => took.get(path) ?? UNKNOWN_MS;
  const beside = changed.map((path) => dirname(path).replace(/^src/, 'test'));
  const far = (path) => (beside.some((folder) => path.startsWith(`${folder}/`)) ? 0 : 1);
  const reached = unit
    .filter((path) => distance.has(path))
    .sort((a, b) => far(a) - far(b) || distance.get(a) - distance.get(b) || msOf(a) - msOf(b));
  const chosen = [];
  let rest = BUDGET_MS - first.reduce((sum, path) => sum + msOf(path), 0);
  for (const path of reached) {
    if (msOf(path) > rest) continue;
    rest -= msOf(path);
    chosen.push(path);
  }
  return { tests: [...first, ...chosen], left: reached.length - chosen.length };
}

/** Of every file that these tests reach, the files that import it. */
async function importersIn(tests) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: tests,
    outdir: 'nowhere',
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    plugins: [partsForEsbuild],
    logLevel: 'silent',
  });
  const importers = new Map();
  for (const [path, { imports }] of Object.entries(metafile.inputs))
    for (const { path: imported } of imports) importers.set(imported, [...(importers.get(imported) ?? []), path]);
  return importers;
}

/** How many imports lie between a changed file and each that reaches it. */
function distances(importers, changed) {
  const distance = new Map(changed.map((path) => [path, 0]));
  // Sets and maps are walked to what is added on the way.
  for (const [path, steps] of distance)
    for (const importer of importers.get(path) ?? []) if (!distance.has(importer)) distance.set(importer, steps + 1);
  return distance;
}

/** ms by test, as vitest keeps them of its last runs; none where it keeps them in another form. */
function durations() {
  try {
    const cache = join(root, 'node_modules', '.vite', 'vitest');
    return new Map(
      readdirSync(cache)
        .flatMap((name) => JSON.parse(readFileSync(join(cache, name, 'results.json'), 'utf8')).results)
        .map(([key, { duration }]) => [key.replace(/^.*?:/, ''), duration]),
    );
  } catch {
    return new Map();
  }
}
