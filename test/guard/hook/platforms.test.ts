/** Coding agents, and the check-up of a machine, on systems other than Linux. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run } from '../../../src/cli/main.js';
import { world, type World } from '../../kit/world.js';

async function onPlatform(platform: 'darwin' | 'win32'): Promise<World> {
  const env = { AIP_KEY_PASSPHRASE: 'correct horse', AIP_KEY_STORE: 'file' };
  const here = world({ platform, env });
  const place: World = { ...here, run: (...argv) => here.run(...argv, '--home', join(here.io.userHome, 'home')) };
  const flags = ['--domain', 'acme.com', '--action', 'read_file', '-o', join(here.cwd, 'bot.json')];
  const { code, err } = await place.run('passport', 'create', 'bot', ...flags);
  expect(code, err).toBe(0);
  return place;
}

test('a managed hook is where the agent looks for it on that system', async () => {
  const place = await onPlatform('darwin');
  const install = (client: string) =>
    place.run('hook', 'install', client, '-p', 'bot', '--scope', 'managed', '--dry-run', '--json');
  const pathOf = async (client: string): Promise<unknown> =>
    (JSON.parse((await install(client)).out) as { path: unknown }).path;
  expect(await pathOf('claude')).toBe('/Library/Application Support/ClaudeCode/managed-settings.json');
  expect(await pathOf('gemini')).toBe('/Library/Application Support/GeminiCli/settings.json');
  expect((await install('copilot')).code).toBe(2);
});

test('on Windows the command means the same to bash, cmd and PowerShell, and doctor says that it is not tried', async () => {
  const place = await onPlatform('win32');
  const startup = { frequent: false, compiled: false, folder: null, problem: () => null, kept: () => [] };
  const home = join(place.io.userHome, 'home');
  const install = async (script: string): Promise<{ code: number; command: unknown; byHand: string }> => {
    const io = { ...place.io, startup: { ...startup, script } };
    const before = place.out().length;
    const code = await run(['hook', 'install', 'gemini', '-p', 'bot', '--json', '--home', home], io);
    if (code !== 0) return { code, command: null, byHand: '' };
    const said = JSON.parse(place.out().slice(before)) as { command: unknown; by_hand: string[] };
    return { code, command: said.command, byHand: said.by_hand.join(' ') };
  };
  const script = 'C:\\Users\\A B\\npm\\aip-cli\\dist\\start.cjs';
  expect(await install(script)).toEqual({
    code: 0,
    command: `node "C:/Users/A B/npm/aip-cli/dist/start.cjs" hook gemini --passport did:web:acme.com:agents:bot --home ${home}`,
    byHand: expect.not.stringContaining('aip serve') as string,
  });
  expect((await install(script.replace('A B', '$x'))).code).toBe(2);
  const { out } = await place.run('doctor', '--json');
  const findings = JSON.parse(out) as { check: string; status: string; message: string }[];
  expect(findings.filter(({ check }) => check === 'hook')).toMatchObject([
    { status: 'warning', message: expect.stringContaining('is not tried on Windows') as string },
  ]);
});

test('doctor calls no file private on Windows, where it does not see who may read it', async () => {
  const place = await onPlatform('win32');
  place.file('.env', `AGENT_PRIVATE_KEY=ed25519:${'07'.repeat(32)}\n`);
  const { out } = await place.run('doctor', '--json');
  const findings = JSON.parse(out) as { check: string; status: string; message: string }[];
  expect(findings.filter(({ check }) => check === 'env file')).toMatchObject([
    { status: 'ok', message: expect.not.stringContaining('is private') as string },
  ]);
});

test('on Windows it is said how a server is started that npm has made a script of', async () => {
  const place = await onPlatform('win32');
  const { code, err } = await place.run('mcp', 'pin', '--name', 'pay', '--', 'no-such-program');
  expect(code).toBe(3);
  expect(err).toContain('--env APPDATA -- cmd /c npx');
});
