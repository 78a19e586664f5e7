/**
 * Builds after `npm ci`, and before a package is made of the checkout. Where npm installs it globally from git, as pre-commit does, it
 * takes the preparation for a global installation as well and leaves the development packages out: then they are fetched first.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const { npm_command: command, npm_execpath: npm = '' } = process.env;

/** @param {string[]} argv */
function run(...argv) {
  const env = { ...process.env, npm_config_global: 'false' };
  const { status } = spawnSync(process.execPath, [npm, ...argv], { stdio: 'inherit', env });
  if (status !== 0) process.exit(status ?? 1);
}

// `npx aip` in a checkout that is built starts at once.
if (command !== 'exec' || !existsSync('dist/main.cjs')) {
  if (!existsSync('node_modules/esbuild')) run('ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund');
  run('run', '-s', 'build');
}
