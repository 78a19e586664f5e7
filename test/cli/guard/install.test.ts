import { existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { HOOK_CLIENTS } from '../../../src/guard/hook/clients.js';
import { BINARY } from '../../kit/built/program.js';
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

  const doctor = (...where: string[]): { check: string; status: string; message: string; hint: string | null }[] => {
    const { stdout } = place.run(['doctor', '--json', ...where]);
    const report = JSON.parse(stdout) as { findings?: [] } | [];
    return (Array.isArray(report) ? report : (report.findings ?? [])).filter(({ check }) => check === 'hook');
  };
  expect(doctor()).toMatchObject([{ status: 'ok' }]);
  // Another home asks the hook for a file of the home that it is bound to.
  expect(doctor('--home', join(place.folder, "another's home"))).toMatchObject([{ status: 'ok' }]);
  // A hook that lets everything through is found.
  writeFileSync(file, readFileSync(file, 'utf8').replace(/hook claude/, 'hook claude || true #'));
  expect(doctor()).toMatchObject([
    {
      status: 'failed',
      hint: expect.stringMatching(/^aip hook install claude --passport did:web:\S+:agents:coder --home \S+$/),
    },
  ]);
  writeFileSync(file, JSON.stringify(config));

  expect(install('--uninstall')).toMatchObject({ status: 0 });
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(before);
  expect(install('-p', 'coder', '--scope', 'project').status).toBe(0);
  expect(existsSync(join(place.folder, '.claude', 'settings.json'))).toBe(true);
  writeFileSync(file, '{ // a comment\n}');
  expect(install('-p', 'coder').status).toBe(3);
  expect(place.run(['hook', 'install', 'codex', '-p', 'coder', '--scope', 'managed']).status).toBe(2);
});

test('doctor tries what a person must approve, and asks nobody', { timeout: 120_000 }, async () => {
  const place = await guarded({ constraints: { require_approval: true } });
  place.env.HOME = join(place.folder, 'user');
  const findings = (): { check: string; status: string; message: string }[] =>
    (JSON.parse(place.run(['doctor', '--json']).stdout) as { check: string; status: string; message: string }[]).filter(
      ({ check }) => check === 'hook',
    );
  const clients = ['claude', 'codex', 'cursor', 'gemini', 'copilot', 'vscode'];
  for (const client of clients) {
    const { status, stderr } = place.run(['hook', 'install', client, '-p', 'coder', '--ask']);
    expect(status).toBe(0);
    expect(stderr.includes('--ask changes nothing')).toBe(!HOOK_CLIENTS[client as 'claude'].asks);
  }
  expect(
    findings().map(({ status, message }) => [status, /^The hook of (\w+) in \S+ (.*)/.exec(message)!.slice(1)]),
  ).toEqual(
    clients.map((client) => {
      // Where a question would run the tool, none is put.
      const persons = HOOK_CLIENTS[client as 'claude'].asks ? ', asks about' : ', also';
      return ['ok', [client, `refuses${persons} what a person must approve, and blocks when it fails.`]];
    }),
  );
  // Else each check-up would lower the agent's trust.
  expect(await place.workspace.getVerificationLogs()).toEqual([]);
  expect(JSON.parse(place.run(['approvals', 'list', '--json']).stdout)).toEqual([]);
  for (const client of clients) expect(place.run(['hook', 'install', client, '--uninstall']).status).toBe(0);

  const fake = join(place.folder, 'aip');
  const real = `'${process.execPath}' '${BINARY}'`;
  const script = `#!/bin/sh\nevent=$(cat)\ncase $event in *aip_canary*) echo '{}';; *) printf %s "$event" | ${real} "$@";; esac\n`;
  writeFileSync(fake, script, { mode: 0o755 });
  const hooks = [{ type: 'command', command: `${fake} hook claude --passport coder` }];
  mkdirSync(join(place.env.HOME, '.claude'), { recursive: true });
  const config = { hooks: { PreToolUse: [{ matcher: '*', hooks }] } };
  writeFileSync(join(place.env.HOME, '.claude', 'settings.json'), JSON.stringify(config));
  expect(findings()).toMatchObject([
    { status: 'failed', message: expect.stringContaining('does not block what a person must approve.') },
  ]);
});

test('doctor says which file switches a hook off, and tries each hook once', { timeout: 120_000 }, async () => {
  const place = await guarded();
  const findings = (): { status: string; message: string }[] =>
    (JSON.parse(place.run(['doctor', '--json']).stdout) as { check: string; status: string; message: string }[]).filter(
      ({ check }) => check === 'hook',
    );
  // In the user's home folder the project's file is the user's.
  place.env.HOME = place.folder;
  expect(place.run(['hook', 'install', 'claude', '-p', 'coder']).status).toBe(0);
  expect(findings()).toMatchObject([{ status: 'ok' }]);
  place.env.HOME = join(place.folder, 'user');
  const own = join(place.folder, '.claude');
  for (const file of ['settings.json', 'settings.local.json']) {
    expect(place.run(['hook', 'install', 'claude', '-p', 'coder']).status).toBe(0);
    writeFileSync(join(own, 'settings.json'), '{}');
    writeFileSync(join(own, file), '{"disableAllHooks":true}');
    const message = `${join(own, file)} switches all hooks off: claude runs every tool.`;
    expect(findings()).toMatchObject([{ status: 'warning', message }]);
  }
  for (const file of ['settings.json', 'settings.local.json']) writeFileSync(join(own, file), '{}');
  expect(place.run(['hook', 'install', 'copilot', '-p', 'coder', '--scope', 'user']).status).toBe(0);
  const settings = join(place.folder, '.github/copilot/settings.json');
  mkdirSync(dirname(settings), { recursive: true });
  writeFileSync(settings, '{"disableAllHooks":true}');
  const message = `${settings} switches all hooks off: copilot runs every tool.`;
  expect(findings()).toMatchObject([{ status: 'ok' }, { status: 'warning', message }]);
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
  expect(JSON.parse(readFileSync(kept, 'utf8'))).toEqual({ theme: 'x' });
});

test('what is taken out leaves the file as it was: set in as before, gone where it was not there', async () => {
  const place = await guarded();
  place.env.HOME = join(place.folder, 'user');
  const file = join(place.env.HOME, '.gemini', 'settings.json');
  mkdirSync(join(place.env.HOME, '.gemini'), { recursive: true });
  const before = '{\n\t"theme": "x"\n}\n';
  writeFileSync(file, before);
  expect(place.run(['hook', 'install', 'gemini', '-p', 'coder']).status).toBe(0);
  expect(readFileSync(file, 'utf8')).not.toBe(before);
  expect(place.run(['hook', 'install', 'gemini', '--uninstall']).status).toBe(0);
  expect(readFileSync(file, 'utf8')).toBe(before);

  const made = join(place.env.HOME, '.cursor', 'hooks.json');
  expect(place.run(['hook', 'install', 'cursor', '-p', 'coder']).status).toBe(0);
  expect(place.run(['hook', 'install', 'cursor', '--uninstall', '--dry-run']).status).toBe(0);
  expect(existsSync(made)).toBe(true);
  expect(place.run(['hook', 'install', 'cursor', '--uninstall'])).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('is gone'),
  });
  expect(existsSync(made)).toBe(false);

  // A link goes on leading to a file.
  writeFileSync(join(place.folder, 'kept.json'), '{}');
  symlinkSync(join(place.folder, 'kept.json'), made);
  expect(place.run(['hook', 'install', 'cursor', '-p', 'coder']).status).toBe(0);
  expect(place.run(['hook', 'install', 'cursor', '--uninstall']).status).toBe(0);
  expect(readFileSync(made, 'utf8')).toBe('{}\n');
});

test('says what the hook needs of keys when it runs, and whose key lies beside them', async () => {
  const place = await guarded();
  place.env.HOME = join(place.folder, 'user');
  const { stdout, stderr } = place.run(['hook', 'install', 'claude', '-p', 'coder', '--json']);
  expect(JSON.parse(stdout)).toMatchObject({
    by_hand: expect.arrayContaining([expect.stringContaining('AGENT_PRIVATE_KEY')]),
  });
  // The principal's key is in a file, and nothing here opens it.
  expect(stderr).toBe('');
  place.env.AIP_KEY_PASSPHRASE = 'correct horse';
  expect(place.run(['hook', 'install', 'claude', '-p', 'coder']).stderr).toContain('[principal_key_here]');
  expect(place.run(['hook', 'install', 'claude', '--uninstall']).stderr).toBe('');
  // A key in a file takes a passphrase, which opens the principal's as well.
  const made = ['passport', 'create', 'filed', '--domain', 'acme.com', '-a', 'shell', '--key-store', 'file'];
  expect(place.run([...made, '-o', join(place.folder, 'filed.json')])).toMatchObject({ status: 0 });
  delete place.env.AIP_KEY_PASSPHRASE;
  const filed = place.run(['hook', 'install', 'codex', '-p', 'filed']);
  expect(filed.stderr).toMatch(
    /AIP_KEY_PASSPHRASE set, for the key in .*aip serve --as did:web:acme\.com:agents:filed/,
  );
  expect(filed.stderr).toContain('[principal_key_here]');
});

test('a hook is installed where the variable of its agent says', async () => {
  const place = await guarded();
  place.env.HOME = join(place.folder, 'user');
  place.env.CLAUDE_CONFIG_DIR = 'claude';
  place.env.CODEX_HOME = join(place.folder, 'codex');
  place.env.COPILOT_HOME = join(place.folder, 'copilot');
  for (const [client, file] of [
    ['claude', 'claude/settings.json'],
    ['codex', 'codex/hooks.json'],
    ['copilot', 'copilot/hooks/aip.json'],
  ] as const) {
    const { stdout } = place.run(['hook', 'install', client, '-p', 'coder', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ path: join(place.folder, file), written: true });
    expect(existsSync(join(place.folder, file))).toBe(true);
  }
  expect(existsSync(place.env.HOME)).toBe(false);
});

test.each([
  ['a comment', '{ // ours\n}'],
  ['hooks of another shape', '{"hooks": [{"matcher": "Bash"}]}'],
  ['a member given twice', '{"env": {"A": "1"}, "env": {"B": "2"}}'],
  ['more digits than come back', '{"id": 12345678901234567890}'],
])('a file that cannot be merged is left, and what belongs into it is shown: %s', async (_, text) => {
  const place = await guarded();
  place.env.HOME = join(place.folder, 'user');
  const file = join(place.env.HOME, '.claude', 'settings.json');
  mkdirSync(join(place.env.HOME, '.claude'), { recursive: true });
  writeFileSync(file, text);
  const install = ['hook', 'install', 'claude', '--passport', 'coder', '--scope', 'user'];
  expect(place.run(install)).toMatchObject({
    status: 3,
    stderr: expect.stringContaining(`hint: add by hand what this shows: aip ${install.join(' ')} --dry-run\n`),
  });
  const shown = place.run([...install, '--dry-run']);
  expect([shown.status, shown.stderr]).toEqual([0, expect.stringContaining('belongs into it, by hand.')]);
  expect(JSON.parse(shown.stdout)).toMatchObject({ hooks: { PreToolUse: [{ matcher: '*' }] } });
  expect(place.run(['hook', 'install', 'claude', '--uninstall']).status).toBe(3);
  expect(readFileSync(file, 'utf8')).toBe(text);
});

test('a home and a config file that are named relative to this folder are installed whole: elsewhere it would be a folder of the project', async () => {
  const place = await guarded();
  place.env.HOME = join(place.folder, 'user');
  const home = place.env.AIP_HOME!;
  const command = (...argv: string[]) =>
    (
      JSON.parse(place.run([...argv, 'hook', 'install', 'claude', '-p', 'coder', '--dry-run', '--json']).stdout) as {
        command: string;
      }
    ).command;
  place.env.AIP_HOME = relative(place.folder, home);
  expect(command()).toContain(` --home ${home}`);
  delete place.env.AIP_HOME;
  expect(command('--home', relative(place.folder, home))).toContain(` --home ${home}`);
  const config = join(place.folder, 'aip.json');
  writeFileSync(config, '{}');
  expect(command('--home', home, '--config', 'aip.json')).toContain(` --home ${home} --config ${config}`);
});
