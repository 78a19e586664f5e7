import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';

/** The program as `npm run build` makes it, with what V8 made of it: other tests run the sources. */
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
// Below node_modules, where the native packages are found.
const BUILT = join(ROOT, 'node_modules', `.aip-built-${process.pid}`);

beforeAll(() => {
  execFileSync(process.execPath, [join(ROOT, '.build/build.mjs'), 'cli', '--out', BUILT]);
}, 120_000);
afterAll(() => rmSync(BUILT, { recursive: true, force: true }));

function place() {
  const folder = mkdtempSync(join(tmpdir(), 'aip-built-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const cwd = join(folder, 'project');
  mkdirSync(cwd);
  return {
    folder,
    file: (name: string, text: string) => writeFileSync(join(cwd, name), text),
    run: (...argv: string[]) => run(BUILT, ...argv),
    /** The program where no native package is installed, as with `npm install --omit=optional`. */
    runAlone: (...argv: string[]) => {
      for (const name of ['start.cjs', 'main.cjs']) copyFileSync(join(BUILT, name), join(folder, name));
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

test('a project file that needs trust is refused, trusted and used', () => {
  const { file, run } = place();
  file('.aiprc.json', '{"mesh": {"url": "https://mesh.example"}}');
  const refused = run('passport', 'list', '--json');
  expect(refused.status).toBe(0);
  const needed = run('intent', 'verify', '.aiprc.json');
  expect([needed.status, needed.stderr]).toEqual([2, expect.stringContaining('sets mesh.url and is not trusted')]);
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
