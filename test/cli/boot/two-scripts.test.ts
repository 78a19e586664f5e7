/** The commands that run most, as the package has them: a script that a plain verification needs, and the rest of it. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { BINARY, requireBuilt } from '../../kit/built/program.js';
import { scratch } from '../../kit/scratch.js';

const DIST = join(dirname(BINARY), '..', 'dist');

/** Makes every module of the rest, with what the first script holds, and says how many there are. */
const REST = `
const load = (file, given) => {
  const made = { exports: {} };
  const read = require('node:fs').readFileSync(__dirname + '/' + file, 'latin1');
  (0, eval)(read)(made.exports, given, made, __dirname + '/' + file, __dirname);
  return made.exports;
};
const own = load('frequent.cjs', require);
const rest = load('frequent-rest.cjs', (name) => (name.startsWith('held:') ? own.held(name.slice(5)) : require(name)));
const all = Object.entries(rest.deferred);
for (const [name, make] of all) if (Object.keys(make()).length === 0) throw new Error(name);
console.log(all.length);
process.exit();
`;

/** A copy of the program with a cache folder of its own, an agent, and an intent of it. */
function signed() {
  requireBuilt();
  const folder = scratch();
  for (const name of ['start.cjs', 'main.cjs', 'frequent.cjs', 'frequent-rest.cjs'])
    copyFileSync(join(DIST, name), join(folder, name));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(join(DIST, '..', 'node_modules', 'libsql'), join(folder, 'node_modules', 'libsql'), 'junction');
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    AIP_HOME: join(folder, 'home'),
    AIP_KEY_PASSPHRASE: 'correct horse',
  };
  const argv = (line: string) => [join(folder, 'start.cjs'), ...line.split(' ')];
  const run = (line: string) => {
    const options = { cwd: folder, env, encoding: 'utf8', timeout: 60_000 } as const;
    const { status, stdout, stderr } = spawnSync(process.execPath, argv(line), options);
    return { status, stdout, stderr };
  };
  expect(run('passport create bot --domain acme.com --action pay --key-store file').status).toBe(0);
  expect(run('intent sign -p bot -a pay -o intent.json').status).toBe(0);
  return { folder, env, argv, run };
}

test('every module of the rest can be made', () => {
  const { folder } = signed();
  writeFileSync(join(folder, 'every.cjs'), REST);
  const { stdout, stderr } = spawnSync(process.execPath, [join(folder, 'every.cjs')], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(Number(stdout)).toBeGreaterThan(30);
});

test('a plain verification reads nothing of the rest', () => {
  const { folder, run } = signed();
  const compiled = () =>
    readdirSync(join(folder, '.cache', 'aip')).filter((name) => name.startsWith('intent-verify.')).length;
  expect(run('intent verify intent.json')).toMatchObject({ status: 0, stderr: '' });
  expect(compiled()).toBe(1);
  expect(run('intent verify intent.json --json')).toMatchObject({ status: 11, stderr: '' });
  expect(compiled()).toBe(2);
});

test.skipIf(process.platform !== 'linux')(
  'what is installed in the place of the rest meanwhile is not read',
  async () => {
    const { folder, env, argv } = signed();
    const rest = join(folder, 'frequent-rest.cjs');
    const child = spawn(process.execPath, argv('intent verify -'), {
      cwd: folder,
      env: { ...env, AIP_LOG_RETENTION: '30d' },
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const ended = once(child, 'close');
    const said: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => void said.push(part));
    const opened = () =>
      readdirSync(`/proc/${child.pid}/fd`).some((name) => linkOf(`/proc/${child.pid}/fd/${name}`) === rest);
    await vi.waitFor(() => expect(opened()).toBe(true), { timeout: 20_000, interval: 5 });
    rmSync(rest);
    child.stdin.end(readFileSync(join(folder, 'intent.json')));
    const [code] = (await ended) as [number];
    expect([code, Buffer.concat(said).toString()]).toEqual([0, expect.stringMatching(/^ok pay by [^\n]*\n$/)]);
  },
);

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}
