import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { COMMANDS as FREQUENT } from '../../../src/cli/boot/frequent-registry.js';
import { COMMANDS } from '../../../src/cli/registry.js';
import { noPty, play } from '../../kit/terminal.js';
import { scratch } from '../../kit/scratch.js';

/** The program as `npm run build` makes it, with what V8 made of it: other tests run the sources. */
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
// Below node_modules, where the native packages are found.
const BUILT = join(ROOT, 'node_modules', `.aip-built-${process.pid}`);
const SCRIPTS = ['start.cjs', 'main.cjs', 'frequent.cjs', 'frequent-rest.cjs'];

beforeAll(() => {
  execFileSync(process.execPath, [join(ROOT, '.build/build.mjs'), 'cli', '--out', BUILT]);
}, 120_000);
afterAll(() => rmSync(BUILT, { recursive: true, force: true }));

function place() {
  const folder = scratch();
  const cwd = join(folder, 'project');
  mkdirSync(cwd);
  return {
    folder,
    /** At a terminal, where `expect` is waited for. */
    type: (expect: string, send: string, ...argv: string[]) =>
      play({
        argv: [process.execPath, join(BUILT, 'start.cjs'), ...argv],
        env: { PATH: process.env['PATH'] ?? '', HOME: folder, AIP_HOME: join(folder, 'home'), TERM: 'xterm' },
        cwd,
        steps: [{ expect, send }],
      }),
    file: (name: string, text: string) => writeFileSync(join(cwd, name), text),
    run: (...argv: string[]) => run(BUILT, ...argv),
    /** The program where no native package is installed, as with `npm install --omit=optional`. */
    runAlone: (...argv: string[]) => {
      for (const name of SCRIPTS) copyFileSync(join(BUILT, name), join(folder, name));
      return run(folder, ...argv);
    },
  };

  function run(built: string, ...argv: string[]) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(built, 'start.cjs'), ...argv], {
      cwd,
      env: { PATH: process.env['PATH'], HOME: folder, AIP_HOME: join(folder, 'home') },
      encoding: 'utf8',
      timeout: 30_000,
    });
    return { status, stdout, stderr };
  }
}

test('without the prebuilt SQLite it says what is missing, and doctor finds it before there is a state', () => {
  const { file, runAlone } = place();
  file('intent.json', '{}');
  const refused = runAlone('intent', 'verify', 'intent.json');
  expect(refused.status).toBe(3);
  expect(refused.stderr).toMatch(
    /^error: SQLite cannot be loaded: the package @libsql\/\S+ is missing here, or broken\. \[STATE\]\nhint: /,
  );
  const looked = runAlone('doctor', '--json');
  expect(looked.status).toBe(3);
  expect(JSON.parse(looked.stdout)).toContainEqual(expect.objectContaining({ check: 'state', status: 'failed' }));
});

test('it finds the prebuilt SQLite where a package sees only what it declares', () => {
  const { folder, file, runAlone } = place();
  file('intent.json', '{}');
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(join(ROOT, 'node_modules', 'libsql'), join(folder, 'node_modules', 'libsql'), 'junction');
  expect(runAlone('intent', 'verify', 'intent.json')).toMatchObject({ status: 10, stderr: '' });
});

test('a project file counts for nothing before it is trusted, and is used then', () => {
  const { file, run } = place();
  file('.aiprc.json', '{"mesh": {"url": "https://mesh.example"}}');
  const refused = run('passport', 'list', '--json');
  expect(refused.status).toBe(0);
  const needed = run('intent', 'verify', '.aiprc.json');
  expect([needed.status, needed.stderr]).toEqual([10, expect.stringContaining('[config_untrusted]')]);
  expect(run('config', 'trust', '--yes')).toMatchObject({ status: 0 });
  expect(run('config', 'list').stdout).toContain('mesh.url\thttps://mesh.example\n');
});

test.each([
  ['a.mjs', 'await null; export default { domain: "code.example" }'],
  ['a.cjs', 'module.exports = { domain: "code.example" }'],
  ['a.yaml', 'domain: code.example'],
])('--config %s', (name, text) => {
  const { file, run } = place();
  file(name, text);
  expect(run('config', 'list', '--config', name)).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('domain\tcode.example\n') as string,
  });
});

test.each([
  ['never loads', 'await new Promise(() => {})'],
  ['ends the process', 'process.exit(0)'],
])('code of the user that %s is not a yes', (_, code) => {
  const { file, run } = place();
  file('a.mjs', `${code}; export default {}`);
  file('intent.json', '{}');
  expect(run('intent', 'verify', 'intent.json', '--config', 'a.mjs').status).toBe(1);
});

describe('the compiled form of the program', () => {
  /** A copy of the program with a cache folder of its own; gives what a verification of nothing says. */
  function install() {
    const { folder } = place();
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(join(ROOT, 'node_modules', 'libsql'), join(folder, 'node_modules', 'libsql'), 'junction');
    for (const name of SCRIPTS) copyFileSync(join(BUILT, name), join(folder, name));
    const cache = join(folder, '.cache', 'aip');
    const env = { PATH: process.env['PATH'], HOME: folder, AIP_HOME: join(folder, 'home') };
    const argv = (words: readonly string[], flags: readonly string[] = []) => [
      ...flags,
      join(folder, 'start.cjs'),
      ...words,
    ];
    const run = (words: readonly string[], flags: readonly string[] = [], more: Record<string, string> = {}) => {
      const options = { cwd: folder, env: { ...env, ...more }, encoding: 'utf8', timeout: 60_000 } as const;
      const { status, stdout, stderr } = spawnSync(process.execPath, argv(words, flags), options);
      return { status, stdout, stderr };
    };
    const forms = () => (existsSync(cache) ? readdirSync(cache).sort() : []);
    const ages = () => forms().map((name) => [name, statSync(join(cache, name)).mtimeMs]);
    return { folder, cache, env, argv, run, forms, ages };
  }
  const LIST = ['passport', 'list', '--json'];
  const SAID = { status: 0, stdout: '[]\n', stderr: '' };

  test('is made by the first run that goes through, and taken by the next', () => {
    const { run, forms, ages } = install();
    expect(run(['passport', 'list', '--help']).status).toBe(0);
    expect(run(['passport', 'list', '--no-such-flag']).status).toBe(2);
    expect(run(['no', 'such', 'command']).status).toBe(2);
    expect(forms()).toEqual([]);
    expect(run(LIST)).toEqual(SAID);
    expect(forms()).toHaveLength(1);
    const before = ages();
    expect(run(LIST)).toEqual(SAID);
    expect(ages()).toEqual(before);
    const found = JSON.parse(run(['doctor', '--json']).stdout) as { check: string; message: string }[];
    expect(found.find(({ check }) => check === 'start-up')?.message).toMatch(
      /was compiled as it started; one command has/,
    );
    const again = JSON.parse(run(['doctor', '--json']).stdout) as { check: string; message: string }[];
    expect(again.find(({ check }) => check === 'start-up')?.message).toMatch(
      /started from its compiled form; 2 commands have/,
    );
  });

  test('never outlives its source: a program that was edited runs as it was edited', () => {
    const { folder, run } = install();
    expect(run(LIST)).toEqual(SAID);
    const path = join(folder, 'main.cjs');
    const before = readFileSync(path, 'latin1');
    // Of the same length, which is all that V8 looks at.
    const after = before.replaceAll('unknown command: aip', 'UNKNOWN COMMAND: aip');
    expect(after).not.toBe(before);
    writeFileSync(path, after);
    expect(run(['passport', 'lis']).stderr).toContain('UNKNOWN COMMAND');
    expect(run(LIST)).toEqual(SAID);
  });

  test('that is damaged is not taken, and made anew', () => {
    const { cache, run, forms } = install();
    run(LIST);
    const path = join(cache, forms()[0]!);
    const whole = readFileSync(path);
    for (const at of [0, 40, 200, whole.length >> 2, whole.length >> 1, whole.length - 10]) {
      const bytes = Buffer.from(whole);
      bytes[at]! ^= 0xff;
      writeFileSync(path, bytes);
      expect(run(LIST)).toEqual(SAID);
      expect(readFileSync(path).equals(bytes)).toBe(false);
    }
  });

  test('is whole whichever of eight first runs makes it', async () => {
    const { folder, env, argv, run, forms, ages } = install();
    const runs = Array.from(
      { length: 8 },
      () =>
        new Promise<string>((resolve, reject) =>
          execFile(process.execPath, argv(LIST), { cwd: folder, env }, (error, out) =>
            error ? reject(error) : resolve(out),
          ),
        ),
    );
    expect(await Promise.all(runs)).toEqual(runs.map(() => SAID.stdout));
    expect(forms()).toEqual([expect.stringMatching(/^passport-list\..*\.v8$/)]);
    const before = ages();
    expect(run(LIST)).toEqual(SAID);
    expect(ages()).toEqual(before);
  });

  test('is one of each caller with flags of its own: neither makes the other slow', () => {
    const { run, forms, ages } = install();
    const callers: [string[], Record<string, string>][] = [
      [[], {}],
      [['--no-opt'], {}],
      [[], { NODE_OPTIONS: '--max-old-space-size=200' }],
    ];
    for (const [flags, env] of callers) expect(run(LIST, flags, env)).toEqual(SAID);
    expect(forms()).toHaveLength(3);
    const before = ages();
    for (const [flags, env] of callers) expect(run(LIST, flags, env)).toEqual(SAID);
    expect(ages()).toEqual(before);
  });

  test('that V8 refuses is made anew once a day at most', () => {
    const { cache, run, forms, ages } = install();
    run(LIST);
    const name = forms()[0]!;
    run(LIST, ['--no-opt']);
    const other = forms().find((one) => one !== name)!;
    // As where V8 was told something that is in no option: the form fits by its key, and not by V8's flags.
    const [key, body] = [readFileSync(join(cache, name)), readFileSync(join(cache, other))];
    expect(key.equals(body)).toBe(false);
    const form = body.subarray(32);
    const { size, mtimeMs } = statSync(join(cache, '..', '..', 'main.cjs'));
    const stamp = `${size} ${mtimeMs}`;
    const hash = createHash('sha256')
      .update(readFileSync(join(cache, '..', '..', 'main.cjs')))
      .digest('hex');
    const head = JSON.stringify(['passport-list', hash, stamp, process.version, process.arch, '']);
    const made = Buffer.concat([createHash('sha256').update(`${head}\n`).update(form).digest(), form]);
    writeFileSync(join(cache, name), made);
    expect(run(LIST)).toEqual(SAID);
    expect(readFileSync(join(cache, name)).equals(made)).toBe(true);
    const yesterday = new Date(Date.now() - 25 * 3_600_000);
    utimesSync(join(cache, name), yesterday, yesterday);
    expect(run(LIST)).toEqual(SAID);
    expect(readFileSync(join(cache, name)).equals(made)).toBe(false);
    const before = ages();
    expect(run(LIST)).toEqual(SAID);
    expect(ages()).toEqual(before);
  });

  test.each([
    ['no home', { HOME: '' }],
    ['a relative home', { HOME: 'relative' }],
    ['/proc as home', { HOME: '/proc' }],
    ['a file as home', { HOME: '/dev/null' }],
  ])('is not kept with %s, and the command is as right', (_, env) => {
    const { run } = install();
    expect(run(LIST, [], env)).toEqual(SAID);
    expect(run(LIST, [], env)).toEqual(SAID);
  });

  test('doctor --warm makes those of what runs most, and touches nothing else', () => {
    const { folder, run, forms } = install();
    const found = JSON.parse(run(['doctor', '--warm', '--json']).stdout) as {
      check: string;
      status: string;
      message: string;
    }[];
    expect(found.filter(({ check }) => check === 'start-up')).toEqual([
      expect.objectContaining({
        status: 'ok',
        message: expect.stringMatching(/; 11 commands have a compiled form/) as string,
      }),
    ]);
    // Of each both scripts.
    for (const name of ['intent-verify', 'intent-sign', 'revoke', 'status'])
      expect(forms().filter((form) => form.startsWith(`${name}.`))).toHaveLength(2);
    expect(existsSync(join(folder, 'home'))).toBe(false);
  });
});

describe('the bundle of the commands that run most', () => {
  test('holds the same commands', async () => {
    for (const { path, load } of FREQUENT) {
      const listing = COMMANDS.find((one) => one.path.join(' ') === path.join(' '));
      expect((await load()).command).toBe((await listing!.load()).command);
    }
  });

  test.each([
    ['intent verify --no-such-flag'],
    ['intent verify missing.json'],
    ['intent verify missing.json --json'],
    ['intent verify --version'],
    ['intent verify --help'],
    ['intent sign -h'],
    ['intent sign'],
    ['intent'],
    ['intent verfy x'],
    ['exec -a pay -- true'],
    ['status nobody'],
    ['revoke nobody --reason x'],
    ['suspend'],
  ])('says what the whole program says: aip %s', (line) => {
    const { folder, run } = place();
    const words = line.split(' ');
    const script = `const made = { exports: {} }; (0, eval)(fs.readFileSync(file, 'latin1'))(made.exports, require('node:module').createRequire(file), made, file, '.');`;
    const whole = `const file = ${JSON.stringify(join(BUILT, 'main.cjs'))}; ${script} process.argv.splice(1, 0, 'aip'); made.exports.main((href) => import(href))`;
    const env = { PATH: process.env['PATH'], HOME: folder, AIP_HOME: join(folder, 'home') };
    const cwd = join(folder, 'project');
    const expected = spawnSync(process.execPath, ['-e', whole, '--', ...words], { cwd, env, encoding: 'utf8' });
    const { status, stdout, stderr } = expected;
    expect(run(...words)).toEqual({ status, stdout, stderr });
  });
});

// A package that was bundled in another version than it needs shows itself here alone: other tests run the sources, or pipe.
describe.skipIf(noPty() !== null)('the built program asks at a terminal', () => {
  test.each([
    ['(y/N)', 'n\r', 2, ['revoke', 'did:web:acme.com:agents:bot', '--unseen', '--reason', 'leak']],
    ['Name of the agent', '\x03', 130, ['passport', 'create']],
  ])('%s', (expected, send, exit, argv) => {
    const { output, code, missed } = place().type(expected, send, ...argv);
    expect(missed, output).toEqual([]);
    expect(output).not.toContain('this is a bug');
    expect(code).toBe(exit);
  });
});
