import { existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { guarded } from '../../kit/guard.js';

test('a hook is installed beside others, tried by doctor, and taken out again', async () => {
  const place = await guarded();
  place.env.HOME = join(place.folder, 'user');
  const file = join(place.env.HOME, '.claude', 'settings.json');
  mkdirSync(join(place.env.HOME, '.claude'), { recursive: true });
  const before = {
    model: 'x',
    hooks: { PreToolUse: [{ matcher: 'Bash', hooks: [{ type: 'command', command: 'lint' }] }] },
  };
  writeFileSync(file, JSON.stringify(before));
  const install = (...argv: string[]) => place.run(['hook', 'install', 'claude', '--json', ...argv]);

  expect(install('-p', 'coder', '--dry-run')).toMatchObject({ status: 0 });
  expect(place.run(['hook', 'install', 'claude', '-p', 'coder', '--dry-run'])).toMatchObject({
    status: 0,
    stderr: expect.stringMatching(
      /^Nothing was written: .*\.claude\/settings\.json would read so\. After the real run:\n/,
    ),
  });
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(before);
  expect(install().status).toBe(2);
  expect(install('-p', 'stranger').status).toBe(3);
  const done = install('-p', 'coder', '--map', 'Bash=shell', '--ask', '--grant');
  expect(JSON.parse(done.stdout)).toMatchObject({
    client: 'claude',
    scope: 'user',
    path: file,
    changed: true,
    written: true,
  });
  const config = JSON.parse(readFileSync(file, 'utf8')) as typeof before;
  expect(config.hooks.PreToolUse).toHaveLength(2);
  expect(config.hooks.PreToolUse[1]).toMatchObject({ matcher: '*', hooks: [{ onFailure: 'block' }] });

  const doctor = (): { check: string; status: string; message: string }[] => {
    const { stdout } = place.run(['doctor', '--json']);
    const report = JSON.parse(stdout) as { findings?: [] } | [];
    return (Array.isArray(report) ? report : (report.findings ?? [])).filter(({ check }) => check === 'hook');
  };
  expect(doctor()).toMatchObject([{ status: 'ok' }]);
  // A hook that lets everything through is found.
  writeFileSync(file, readFileSync(file, 'utf8').replace(/hook claude/, 'hook claude || true #'));
  expect(doctor()).toMatchObject([{ status: 'failed' }]);
  writeFileSync(file, JSON.stringify(config));

  expect(install('--uninstall')).toMatchObject({ status: 0 });
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(before);
  expect(install('-p', 'coder', '--scope', 'project').status).toBe(0);
  expect(existsSync(join(place.folder, '.claude', 'settings.json'))).toBe(true);
  writeFileSync(file, '{ // a comment\n}');
  expect(install('-p', 'coder').status).toBe(3);
  expect(place.run(['hook', 'install', 'codex', '-p', 'coder', '--scope', 'managed']).status).toBe(2);
});

test('a configuration that is a link stays one, and what it leads to is changed', async () => {
  const place = await guarded();
  place.env.HOME = join(place.folder, 'user');
  const kept = join(place.folder, 'dotfiles.json');
  const file = join(place.env.HOME, '.gemini', 'settings.json');
  mkdirSync(join(place.env.HOME, '.gemini'), { recursive: true });
  writeFileSync(kept, '{"theme":"x"}');
  symlinkSync(kept, file);
  expect(place.run(['hook', 'install', 'gemini', '-p', 'coder']).status).toBe(0);
  expect(lstatSync(file).isSymbolicLink()).toBe(true);
  expect(JSON.parse(readFileSync(kept, 'utf8'))).toMatchObject({ theme: 'x', hooks: { BeforeTool: [{}] } });
  expect(place.run(['hook', 'install', 'gemini', '--uninstall']).status).toBe(0);
  expect(JSON.parse(readFileSync(kept, 'utf8'))).toEqual({ theme: 'x', hooks: { BeforeTool: [] } });
});
