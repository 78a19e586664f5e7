#!/usr/bin/env node
/**
 * Mutation run for `src/protocol` and `src/verify`: changes one operator or constant at a time and runs the unit tests that reach the
 * file. A mutant that no test kills is printed with its place: write the test, or a comment that says why the two are the same.
 *
 *   npm run mutants -- [--most N] [--seed N] [--only PATH-PREFIX]
 *
 * The tree is put back after each mutant, also when the run is interrupted. Exit 15 when a mutant survived.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    most: { type: 'string', default: '120' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
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

const files = execFileSync('git', ['ls-files', 'src/protocol/**.ts', 'src/verify/**.ts'], { encoding: 'utf8' })
  .split('\n')
  .filter((path) => path.endsWith('.ts') && path.startsWith(values.only));
const mutants = sampled(files.flatMap(mutantsOf), Number(values.most), Number(values.seed));

let current = null;
const restore = () => current !== null && writeFileSync(current.path, current.text);
process.once('exit', restore);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));

const survivors = [];
for (const [index, mutant] of mutants.entries()) {
  const { path, text, at, from, to } = mutant;
  current = { path, text };
  writeFileSync(path, text.slice(0, at) + to + text.slice(at + from.length));
  const ran = spawnSync(
    'npx',
    ['--no-install', 'vitest', 'related', '--run', '--bail=1', '--config', 'test/vitest.unit.config.ts', path],
    { encoding: 'utf8', timeout: 120_000, maxBuffer: 1 << 26 },
  );
  restore();
  current = null;
  const place = `${path}:${text.slice(0, at).split('\n').length}: ${from.trim() || '(condition)'} -> ${to.trim()}`;
  if (ran.status === 0) survivors.push(place);
  console.log(`${index + 1}/${mutants.length} ${ran.status === 0 ? 'SURVIVED' : 'killed  '} ${place}`);
}
console.log(`\n${mutants.length - survivors.length} killed, ${survivors.length} survived`);
for (const place of survivors) console.log(`  ${place}`);
process.exitCode = survivors.length > 0 ? 15 : 0;

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
