/** Resources and prompts from the command that declares them to the server that gives them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { guarded, type Guarded } from '../../kit/guard.js';
import { openMcp, speakMcp } from '../../kit/mcp/stdio.js';

type Any = Record<string, any>;
const SERVER = fileURLToPath(new URL('../../kit/servers/mcp-server.mjs', import.meta.url));
const DOCS = 'resource:file:///docs/*';
const SITE = 'resource:https://acme.com/a?x=1&y=(2)';

/** A home in which the command itself made the passport. */
async function created(...more: string[]): Promise<Guarded> {
  const place = await guarded({}, []);
  delete place.env.AGENT_PRIVATE_KEY;
  Object.assign(place.env, { AIP_KEY_STORE: 'file', AIP_KEY_PASSPHRASE: 'correct horse' });
  const flags = ['--domain', 'acme.com', '-a', DOCS, SITE, 'prompt:greet', ...more];
  expect(place.run(['passport', 'create', 'coder', ...flags])).toMatchObject({ status: 0 });
  return place;
}

test('the guard reads below a declared prefix and nowhere else, and signs the very URI', async () => {
  const place = await created('--deny', 'resource:file:///docs/private/*');
  const [seen, tools] = [join(place.folder, 'seen'), join(place.folder, 'tools.json')];
  writeFileSync(tools, '[]');
  const client = speakMcp(place, ['--', process.execPath, SERVER, seen, tools]);
  await openMcp(client);
  const read = (uri: string): Promise<Any> => client.ask('resources/read', { uri });
  const yes = [
    'file:///docs/a.md',
    'FILE:///docs/x/../b.md',
    'file:///docs/a.md?x=1',
    'https://ACME.com:443/a?x=1&y=(2)',
  ];
  for (const uri of yes) expect((await read(uri)).result?.contents, uri).toEqual([{ uri, text: 'read' }]);
  expect((await client.ask('prompts/get', { name: 'greet' })).result.messages).toEqual([]);
  for (const uri of [
    'file:///etc/passwd',
    'file:///docs/../etc/passwd',
    'file:///docs/%2e%2e/etc/passwd',
    'file:///docs/a%2f..%2f..%2fetc',
    'file:///docs//etc/passwd',
    'file:///Docs/a.md',
    'https://acme.com/a?x=1&y=(2)&z=3',
    'https://acme.com/a',
  ])
    expect((await read(uri)).error?.message, uri).toMatch(/^AIP-E201 ACTION_NOT_DECLARED/);
  expect((await read('file:///docs/Pr%69vate/a.md')).error.message).toMatch(/^AIP-E210 ACTION_DENIED/);
  const told = readFileSync(seen, 'utf8').matchAll(/"method":"resources\/read".*?"uri":"([^"]*)"/g);
  expect([...told].map(([, uri]) => uri)).toEqual(yes);
  const log = (await place.workspace.getVerificationLogs()).reverse();
  expect(log.map(({ action, params, error_code }) => [action, params, error_code])).toEqual([
    ...yes.map((resource) => [resource.startsWith('https') ? SITE : DOCS, { resource }, null]),
    ['prompt:greet', { prompt: 'greet' }, null],
    ['resource:file:///docs/private/*', { resource: 'file:///docs/Pr%69vate/a.md' }, 'AIP-E210'],
  ]);
});

test.each([['native'], ['aip-1']])('%s: a star matches the very same action only', async (dialect) => {
  const place = await created();
  const verified = (action: string): Any => {
    const signed = place.run(['intent', 'sign', '-p', 'coder', '-a', action, '--dialect', dialect]);
    return JSON.parse(place.run(['intent', 'verify', '-', '--json'], signed.stdout).stdout) as Any;
  };
  expect(verified(DOCS)).toMatchObject({ success: true, action: DOCS });
  expect(verified(SITE)).toMatchObject({ success: true, action: SITE });
  for (const action of [
    'resource:file:///docs/a.md',
    'resource:file:///docs/',
    'resource:FILE:///docs/*',
    'resource:*',
    '*',
  ])
    expect(verified(action), action).toMatchObject({ success: false });
});

test('what else names such an action takes it: params, limits, approval, lint and update', async () => {
  const asks = JSON.stringify({ actions: [SITE] });
  const rate = JSON.stringify({ [DOCS]: '1/hour' });
  const place = await created(
    ...['--param', `${DOCS}:resource:url`, '--constraint', `rate_limit:=${rate}`],
    ...['--constraint', `require_approval:=${asks}`],
  );
  const verify = (action: string, ...params: string[]): Any => {
    const signed = place.run(['intent', 'sign', '-p', 'coder', '-a', action, ...params]);
    return JSON.parse(place.run(['intent', 'verify', '-', '--json'], signed.stdout).stdout) as Any;
  };
  expect(verify(DOCS)).toMatchObject({ error_code: 'AIP-E211' });
  expect(verify(DOCS, '--param', 'resource=https://acme.com/')).toMatchObject({ success: true });
  expect(verify(DOCS, '--param', 'resource=https://acme.com/')).toMatchObject({ error_code: 'AIP-E205' });
  expect(verify(SITE)).toMatchObject({ error_code: 'AIP-E209' });
  expect(place.run(['passport', 'lint', 'coder', '--json']).stdout).not.toMatch(/resource-|undeclared_action/);
  const update = (...flags: string[]) => place.run(['passport', 'update', 'coder', '--yes', ...flags]);
  expect(update('--add-action', 'resource:file:///*')).toMatchObject({
    status: 0,
    stderr: expect.stringContaining('[resource-any]'),
  });
  expect(update('--remove-action', 'resource:file:///*', SITE)).toMatchObject({
    stderr: expect.stringContaining(`- actions.${SITE}`),
  });
  expect(update('--add-action', 'resource:*')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('behind "resource:" a URI'),
  });
  const wrong = place.run(['intent', 'sign', '-p', 'coder', '-a', SITE]).stdout;
  const { stdout } = place.run(['intent', 'verify', '-', '--format', 'github'], wrong);
  expect(stdout).toContain(`--add-action '${SITE}'\``);
});
