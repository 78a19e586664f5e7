#!/usr/bin/env node
/**
 * The check for a change in progress, in a few seconds: lint, types, and the tests that are nearest to what changed, side by side. Each
 * goes on where it was last, with what it keeps in node_modules: the first run takes longer.
 *
 *   npm run quick            what differs from HEAD, with new files
 *   npm run quick -- FILES   these files
 */
import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { nearestTests } from './nearest.mjs';

const git = (...args) => execFileSync('git', args, { encoding: 'utf8' }).split('\n').filter(Boolean);
const given = process.argv.slice(2);
const changed =
  given.length > 0
    ? given
    : [...git('diff', '--name-only', '--diff-filter=d', 'HEAD'), ...git('ls-files', '-o', '--exclude-standard')];
const sources = changed.filter((path) => /^(src|test|bin|\.build)\/.*\.(ts|mjs|cjs)$/.test(path));
if (sources.length === 0) {
  console.log('Nothing that is linted, compiled or tested differs from HEAD.');
  process.exit(0);
}

/** A test that was never run here may take longer than is known. */
const MOST_MS = 8_000;
const { tests, left } = await nearestTests(sources);
// By path: npx takes as long to start as some of these run.
const STEPS = {
  lint: ['oxlint/bin/oxlint', '--type-aware', ...sources],
  format: ['prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', ...sources],
  types: [
    'typescript/bin/tsc',
    '-p',
    'test',
    '--incremental',
    '--tsBuildInfoFile',
    'node_modules/.cache/quick.tsbuildinfo',
  ],
  // Not all that reach the change: of a file in the middle, that would be minutes.
  tests: ['vitest/vitest.mjs', 'run', '--config', 'test/vitest.config.ts', '--reporter=dot', '--bail=1', ...tests],
};
if (tests.length === 0) delete STEPS.tests;

const ends = await Promise.all(Object.entries(STEPS).map(([name, argv]) => run(name, argv)));
for (const { name, code, output, seconds } of ends) {
  console.log(`${code === 0 ? 'ok     ' : code === null ? 'stopped' : 'FAILED '} ${name} (${seconds} s)`);
  if (code !== 0 && code !== null) console.log(output.split('\n').slice(-60).join('\n'));
}
const more = left === 0 ? '' : `, and not ${left} more that reach the change (npm run test:unit)`;
console.log(`tests: ${tests.length === 0 ? 'none of these files' : tests.join(' ')}${more}`);
process.exit(ends.some(({ code }) => code !== 0 && code !== null) ? 1 : 0);

/** `code` is null where the time was over: what had run by then had passed. */
function run(name, [program, ...argv]) {
  const started = Date.now();
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join('node_modules', program), ...argv], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stopped = false;
    const late = name === 'tests' ? setTimeout(() => (stopped = child.kill()), MOST_MS) : undefined;
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    child.once('close', (code) => {
      clearTimeout(late);
      const seconds = ((Date.now() - started) / 1000).toFixed(1);
      resolve({ name, code: stopped ? null : (code ?? 1), output, seconds });
    });
  });
}
