#!/usr/bin/env node
/**
 * The check for a change in progress: lint, types and the unit tests that reach the changed files, side by side.
 *
 *   npm run quick            what differs from HEAD, with new files
 *   npm run quick -- FILES   these files
 */
import { execFileSync, spawn } from 'node:child_process';

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

const STEPS = {
  lint: ['oxlint', '--type-aware', ...sources],
  format: ['prettier', '--check', '--log-level', 'warn', ...sources],
  types: ['tsc', '-p', 'test'],
  // Real processes, servers and browsers stay out: they are what takes minutes.
  tests: [
    'vitest',
    'related',
    '--run',
    '--config',
    'test/vitest.unit.config.ts',
    '--reporter=dot',
    '--passWithNoTests',
    ...sources,
  ],
};

const ends = await Promise.all(Object.entries(STEPS).map(([name, argv]) => run(name, argv)));
for (const { name, code, output, seconds } of ends) {
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
  if (code !== 0) console.log(output.split('\n').slice(-60).join('\n'));
}
process.exit(ends.some(({ code }) => code !== 0) ? 1 : 0);

function run(name, argv) {
  const started = Date.now();
  return new Promise((resolve) => {
    const child = spawn('npx', ['--no-install', ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    child.once('close', (code) =>
      resolve({ name, code: code ?? 1, output, seconds: ((Date.now() - started) / 1000).toFixed(1) }),
    );
  });
}
