/** One file of several that cannot be read: the others are judged, the report says what is missing, and the run fails. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { world } from '../../kit/world.js';

const ENV = { AIP_KEY_PASSPHRASE: 'correct horse battery staple', AIP_KEY_STORE: 'file' };

async function checkout() {
  const here = world({ env: ENV });
  expect(await here.run('init', '--domain', 'acme.com')).toMatchObject({ code: 0 });
  const path = join(here.cwd, 'bot.passport.json');
  expect(await here.run('passport', 'create', 'bot', '-a', 'pay', '-a', 'read', '-o', path)).toMatchObject({ code: 0 });
  const sign = async (name: string, action: string) =>
    here.file(name, (await here.run('intent', 'sign', '-p', 'bot', '-a', action)).out);
  return { ...here, path, good: await sign('good.json', 'pay'), bad: await sign('bad.json', 'steal') };
}

interface Sarif {
  runs: [
    {
      invocations: [{ executionSuccessful: boolean; toolExecutionNotifications?: { descriptor: { id: string } }[] }];
      results: { ruleId: string }[];
    },
  ];
}

describe('intent verify', () => {
  test('judges the others, and ends with the first that is wrong in the order given', async () => {
    const { run, good, bad, cwd } = await checkout();
    const none = join(cwd, 'none.json');
    const verify = (...argv: string[]) => run('intent', 'verify', '--dry-run', ...argv);
    const first = await verify(none, good, bad);
    expect(first).toMatchObject({ code: 3, err: expect.stringContaining('There is no file') as string });
    expect(first.out).toContain('ok pay');
    expect(first.out).toContain('AIP-E201');
    expect(await verify(good, bad, none)).toMatchObject({ code: 12 });
    expect(await verify(good, none)).toMatchObject({ code: 3 });
    mkdirSync(join(cwd, 'folder.json'));
    expect(await verify(join(cwd, 'folder.json'), good)).toMatchObject({ code: 3 });
    // What is handed on, and what ends at the first, is whole or nothing.
    expect(await verify('--fail-fast', good, none)).toMatchObject({ code: 3, out: '' });
    expect(await run('intent', 'verify', '--print-verified', good, none)).toMatchObject({ code: 3, out: '' });
    expect(await verify(none)).toMatchObject({ code: 3, out: '' });
  });

  test('says it in the reports of CI', async () => {
    const { run, good, bad, cwd } = await checkout();
    const verify = (format: string) =>
      run('intent', 'verify', '--dry-run', '--format', format, join(cwd, 'no,ne.json'), good, bad);
    const { runs } = JSON.parse((await verify('sarif')).out) as Sarif;
    expect(runs[0].invocations[0]).toMatchObject({
      executionSuccessful: false,
      toolExecutionNotifications: [{ descriptor: { id: 'NOT_FOUND' }, level: 'error' }],
    });
    expect(runs[0].results).toMatchObject([{ ruleId: 'AIP-E201' }]);
    const junit = (await verify('junit')).out;
    expect(junit).toContain('tests="3" failures="1" errors="1"');
    expect(junit).toContain('<error type="NOT_FOUND" message="There is no file');
    expect((await verify('github')).out).toMatch(/^::error file=.*no%2Cne\.json,title=NOT_FOUND::There is no file/);
  });
});

describe('passport lint', () => {
  test('lints the others, and says it in the reports of CI', async () => {
    const { run, file, cwd, path } = await checkout();
    file('torn.passport.json', '{"version": 1');
    const lint = (...argv: string[]) => run('passport', 'lint', join(cwd, '*.passport.json'), ...argv);
    const human = await lint();
    expect(human).toMatchObject({ code: 3, err: expect.stringContaining('torn.passport.json') as string });
    expect(human.out).toContain(path);
    const { runs } = JSON.parse((await lint('--format', 'sarif')).out) as Sarif;
    expect(runs[0].invocations[0]).toMatchObject({
      executionSuccessful: false,
      toolExecutionNotifications: [{ descriptor: { id: 'UNREADABLE' } }],
    });
    expect(runs[0].results.length).toBeGreaterThan(0);
    expect((await lint('--format', 'junit')).out).toContain('errors="1"');
    expect((await lint('--format', 'github')).out).toContain('title=UNREADABLE::');
    expect(await run('passport', 'lint', join(cwd, 'torn.passport.json'))).toMatchObject({ code: 3, out: '' });
  });
});
