/** Attacks 7: an API key goes to another machine over plain http only where somebody said so. */
import { describe, expect, test } from 'vitest';
import { isPlainElsewhere } from '../../../src/protocol/web-url.js';
import { Home } from '../../kit/mesh/homes.js';
import { testProxy } from '../../kit/servers/proxy.js';
import { MESH_PUBLIC_KEY } from '../../kit/mesh/server.js';

const KEY = `aipm_admin_${'a'.repeat(12)}_${'b'.repeat(64)}`;
const ELSEWHERE = 'http://mesh.acme.test';
const REVOKE = ['revoke', 'did:web:acme.com:agents:x', '--unseen', '--reason', 'leak', '--yes'];

describe('plain http to another machine is', () => {
  test.each([
    ...[
      'http://mesh.acme.com',
      'HTTP://0.0.0.0:45999',
      'hTTp://10.0.0.5',
      'http://127.0.0.1.evil.com',
      'http://[::]:1',
    ],
    ...['http://localhost.evil.com', 'http://128.0.0.1', 'http://[::ffff:10.0.0.5]', 'http://0/'],
  ])('%s', (url) => expect(isPlainElsewhere(url)).toBe(true));
  test.each([
    ...['https://mesh.acme.com', 'HTTPS://10.0.0.5', 'http://127.0.0.1:1', 'HTTP://LOCALHOST:1', 'http://[::1]:1'],
    ...['http://127.9.9.9', 'http://127.1', 'http://[0:0:0:0:0:0:0:1]/'],
  ])('not %s', (url) => expect(isPlainElsewhere(url)).toBe(false));
});

/** A home whose plain http goes through a proxy that knows the mesh as mesh.acme.test. */
async function stage(url = 'http://127.0.0.1:1') {
  const proxy = await testProxy({ 'mesh.acme.test': Number(new URL(url).port) });
  const home = new Home({ HTTP_PROXY: `http://127.0.0.1:${proxy.port}` });
  return { proxy, home };
}

/** A machine that was in a mesh before, at `ELSEWHERE` by the config that an earlier version left. */
async function joinedBefore() {
  const admin = new Home();
  const { url, mesh_public_key: publicKey } = await admin.serve();
  const { proxy, home } = await stage(url);
  await home.join(admin, 'admin');
  return { proxy, home, publicKey };
}

describe('an API key', () => {
  test.each(['HTTP://0.0.0.0:45999', 'hTTp://mesh.acme.test', 'http://0.0.0.0:1'])(
    'is not sent by mesh join %s',
    async (url) => {
      const { proxy, home } = await stage();
      const said = await home.run(['mesh', 'join', url, '--key', KEY, '--mesh-key', MESH_PUBLIC_KEY]);
      expect([said.code, said.err]).toEqual([2, expect.stringContaining('--insecure-http')]);
      expect(proxy.asked).toEqual([]);
    },
  );

  const config = { url: ELSEWHERE, public_key: MESH_PUBLIC_KEY };
  test.each<[string, Record<string, unknown> | null, Record<string, string>]>([
    ['the environment', null, { AIP_MESH_URL: 'HTTP://mesh.acme.test', AIP_MESH_PUBLIC_KEY: MESH_PUBLIC_KEY }],
    ['a config that was written by hand', config, {}],
    ['a config that says no', { ...config, insecure_http: false }, {}],
    [
      'the endpoint of a region',
      { ...config, url: 'https://mesh.acme.test', regions: [{ name: 'eu', endpoint: ELSEWHERE }] },
      {},
    ],
  ])('is not sent to what %s names', async (_, mesh, env) => {
    const { proxy, home } = await stage();
    if (mesh !== null) home.set('mesh', mesh);
    for (const argv of [REVOKE, ['mesh', 'status'], ['status']]) {
      const said = await home.run(argv, { env: { ...env, AIP_MESH_KEY: KEY } });
      expect([said.code, said.err]).toEqual([2, expect.stringContaining('AIP_MESH_INSECURE_HTTP')]);
      expect(said.err).toContain('mesh.acme.test is plain http');
      expect(said.err).not.toContain('bbbb');
    }
    expect(proxy.asked).toEqual([]);
  });

  test('is sent where the environment or the config permits it', async () => {
    for (const permit of ['environment', 'config']) {
      const { proxy, home } = await stage();
      home.set('mesh', permit === 'config' ? { ...config, insecure_http: true } : config);
      const env: Record<string, string> = permit === 'config' ? {} : { AIP_MESH_INSECURE_HTTP: 'true' };
      const said = await home.run(['mesh', 'status'], { env: { ...env, AIP_MESH_KEY: KEY } });
      expect(said.code, said.err).toBe(5);
      expect(proxy.asked[0]!.headers.authorization).toBe(`Bearer ${KEY}`);
    }
  });

  test('goes on where the machine joined so, which join keeps and leave takes away', { timeout: 60_000 }, async () => {
    const { proxy, home, publicKey } = await joinedBefore();
    expect(home.config().mesh).toMatchObject({ insecure_http: false });
    const flags = ['--mesh-key', publicKey, '--key-file', home.at('admin.key')];
    await home.json('mesh', 'join', ELSEWHERE, ...flags, '--insecure-http');
    expect(home.config().mesh).toMatchObject({ url: ELSEWHERE, insecure_http: true });
    expect((await home.run(['mesh', 'status'])).code).toBe(0);
    expect(proxy.asked.length).toBeGreaterThan(1);
    await home.json('mesh', 'leave', '--yes');
    expect(home.config().mesh ?? {}).not.toHaveProperty('insecure_http');
  });

  test('goes on where the machine joined before the permission was kept', { timeout: 60_000 }, async () => {
    const { home, publicKey } = await joinedBefore();
    home.set('mesh', { url: ELSEWHERE, insecure_http: undefined });
    expect(home.config().mesh).not.toHaveProperty('insecure_http');
    const said = await home.run(['mesh', 'status']);
    expect(said.code, said.err).toBe(0);
    // That is a word for the mesh of the config, and for no other that the environment names.
    const env = { AIP_MESH_URL: ELSEWHERE, AIP_MESH_PUBLIC_KEY: publicKey };
    expect((await home.run(['mesh', 'status'], { env })).code).toBe(2);
  });
});
