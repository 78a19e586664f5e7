#!/usr/bin/env node
/**
 * Mutation run for `src/protocol` and `src/verify`, or for what --only names below `src`: changes one operator or constant at a time and
 * runs the tests that reach the file. A mutant that no test kills is printed with its place: write the test, or a comment that says why
 * the two are the same.
 *
 *   npm run mutants -- [--most N] [--seed N] [--only PATH-PREFIX] [--own]
 *
 * With --own only the tests of the mutant's own layer are asked: minutes less for each that survives them.
 * The tree is put back after each mutant, also when the run is interrupted. Exit 15 when a mutant survived.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { UNIT_FOLDERS } from '../../.build/nearest.mjs';

const { values } = parseArgs({
  options: {
    most: { type: 'string', default: '120' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    own: { type: 'boolean', default: false },
  },
});

/** What is exchanged for what. A pattern sees code only: comments and texts are blanked out before. */
const MUTATIONS = [
  [/===/g, '!=='],
  [/!==/g, '==='],
  [/(?<![<=])<=(?!=)/g, '<'],
  [/(?<![>=])>=(?!=)/g, '>'],
  [/ < /g, ' <= '],
  [/(?<!=) > /g, ' >= '],
  [/&&/g, '||'],
  [/\|\|/g, '&&'],
  [/\btrue\b/g, 'false'],
  [/\bfalse\b/g, 'true'],
  [/(?<=\bif \()(?=[^)])/g, '!!0 && '],
  [/(?<=\bif \()(?=[^)])/g, '!0 || '],
  [/ \+ /g, ' - '],
  [/\.some\(/g, '.every('],
  [/\.every\(/g, '.some('],
];

const within = values.only === '' ? ['src/protocol/', 'src/verify/'] : [values.only];
const files = execFileSync('git', ['ls-files', 'src/**.ts'], { encoding: 'utf8' })
  .split('\n')
  .filter((path) => within.some((start) => path.startsWith(start)));
const all = files.flatMap(mutantsOf);
const possible = all.length;
const mutants = sampled(all, Number(values.most), Number(values.seed));
/** A mutant that never ends is noticed as well; ms. */
const SLOWEST_MS = 300_000;

let current = null;
const restore = () => current !== null && writeFileSync(current.path, current.text);
process.once('exit', restore);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));

const ends = { killed: [], 'timed out': [], survived: [], untested: [] };
for (const [index, mutant] of mutants.entries()) {
  // Signals are taken here: everything else of the run is one synchronous piece.
  await new Promise(setImmediate);
  const { path, text, at, from, to } = mutant;
  current = { path, text };
  writeFileSync(path, text.slice(0, at) + to + text.slice(at + from.length));
  const end = endOf(path);
  restore();
  current = null;
  const place = `${path}:${text.slice(0, at).split('\n').length}: ${from.trim() || '(condition)'} -> ${to.trim()}`;
  ends[end].push(place);
  console.log(`${index + 1}/${mutants.length} ${end.padEnd(9)} ${place}`);
}
console.log(
  `\n${Object.entries(ends)
    .map(([end, { length }]) => `${length} ${end}`)
    .join(', ')} of ${possible} possible`,
);
const lived = [...ends.survived, ...ends.untested];
for (const place of lived) console.log(`  ${place}`);
process.exitCode = lived.length > 0 ? 15 : 0;

/** Where its tests are looked for: beside it, then in its layer, then among all unit tests that reach it. Most mutants meet the first alone. */
function besides(path) {
  const [, layer] = path.split('/');
  let beside = dirname(path).replace(/^src/, 'test');
  while (!existsSync(beside)) beside = dirname(beside);
  return [...new Set([beside, `test/${layer}`, ...(values.own ? [] : UNIT_FOLDERS.map((name) => `test/${name}`))])];
}

/** How the mutant in place ends. */
function endOf(path) {
  let met = false;
  for (const folder of besides(path)) {
    const end = tried(path, folder);
    if (end !== 'survived' && end !== 'untested') return end;
    met ||= end === 'survived';
  }
  return met ? 'survived' : 'untested';
}

/** How the mutant in place ends with the tests in this folder. */
function tried(path, folder) {
  const argv = ['--no-install', 'vitest', 'related', '--run', '--bail=1', '--passWithNoTests', '--reporter=json'];
  const { status, error, stdout, stderr } = spawnSync(
    'npx',
    [...argv, '--config', 'test/mutation/vitest.config.ts', '--dir', folder, path],
    {
      encoding: 'utf8',
      timeout: SLOWEST_MS,
      maxBuffer: 1 << 26,
    },
  );
  // Without a test that reaches the file vitest ends with 0 as well.
  if (status === 0) return JSON.parse(stdout).numTotalTests > 0 ? 'survived' : 'untested';
  if (status === 1) return 'killed';
  if (error?.code === 'ETIMEDOUT') return 'timed out';
  throw new Error(`vitest ended with ${status}: ${error?.message ?? stderr.slice(-500)}`);
}

function mutantsOf(path) {
  const text = readFileSync(path, 'utf8');
  const code = codeOnly(text);
  return MUTATIONS.flatMap(([pattern, to]) =>
    [...code.matchAll(pattern)].map((match) => ({ path, text, at: match.index, from: match[0], to })),
  ).filter(({ at }) => !/^(import|export (type|interface)|type|interface) /.test(lineAt(code, at)));
}

/** The text with comments and strings blanked out, every place kept. */
function codeOnly(text) {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/gm, (found) =>
    found.replace(/[^\n]/g, ' '),
  );
}

function lineAt(text, at) {
  const start = text.lastIndexOf('\n', at - 1) + 1;
  return text.slice(start, text.indexOf('\n', at));
}

/** `most` of them, the same for the same seed. */
function sampled(all, most, seed) {
  let state = seed >>> 0;
  const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0);
  return all
    .map((mutant) => ({ mutant, order: next() }))
    .sort((a, b) => a.order - b.order)
    .slice(0, most)
    .map(({ mutant }) => mutant);
}
