/** Regions at a terminal: the help's own steps, on real processes. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Home, type Running } from '../../kit/mesh/homes.js';
import { household } from '../../kit/native/household.js';

const SLOW = 120_000;
const agent = (n: number): string => `did:web:acme.com:agents:a${n}`;
const REGION = `aipm_region_${'0'.repeat(12)}_${'0'.repeat(64)}`;
const REVOKE = ['--reason', 'r', '--yes', '--unseen'];

interface Ready {
  readonly url: string;
  readonly mesh_public_key: string;
  readonly follows: string;
  readonly current: boolean;
  readonly returned: { readonly fork: number; readonly events: readonly object[] } | null;
  readonly running: Running;
}

async function follow(
  home: Home,
  url: string,
  key: string,
  publicKey: string,
  env: Record<string, string> = {},
): Promise<Ready> {
  const running = home.start(
    ['mesh', 'serve', '--follow', url, '--mesh-key', publicKey, '--listen', '127.0.0.1:0', '--json'],
    { AIP_MESH_KEY: key, ...env },
  );
  return { ...(JSON.parse(await running.says(/^\{.*\}\n/m)) as Omit<Ready, 'running'>), running };
}

describe('regions', { timeout: SLOW }, () => {
  test('the runbook of a lost home, as it is written', async () => {
    const [first, second] = [new Home(), new Home()];
    const home = await first.serve();
    const { key } = await first.json<{ key: string }>(
      'mesh',
      'key',
      'create',
      '--role',
      'region',
      '--label',
      'eu-west-1',
    );
    // A public key is a file as well.
    const eu = await follow(second, home.url, key, second.file('mesh.pub', `${home.mesh_public_key}\n`));
    expect(eu).toMatchObject({ event: 'ready', follows: home.url, current: true, returned: null });
    await first.json('revoke', agent(1), ...REVOKE);
    const seen = await first.json<{ regions: object[] }>('mesh', 'status', '--regions');
    expect(seen).toMatchObject({
      home: { region: null, term: 1, sealed_by_term: null },
      replication_mode: 'async',
      max_propagation_time_ms: 8_000,
      regions: [{ region: 'eu-west-1', state: 'following' }],
    });
    expect((await first.run(['mesh', 'status', '--regions'])).out).toContain('eu-west-1');
    const backup = first.at('mesh.backup');
    await first.json('mesh', 'backup', backup);

    await home.running.stop('SIGKILL');
    expect((await second.run(['mesh', 'promote', '--mesh-key-file', backup, '--yes'])).code).toBe(3);
    await eu.running.stop();
    expect((await second.run(['mesh', 'serve', '--listen', '127.0.0.1:0'])).code).toBe(3);
    expect((await second.run(['mesh', 'promote', '--yes'])).code).toBe(2);
    expect((await second.run(['mesh', 'promote', '--mesh-key-file', backup, '--yes'])).code).toBe(5);
    const off = ['mesh', 'promote', '--mesh-key-file', backup, '--home-is-off', '--yes'];
    expect(await second.run(off)).toMatchObject({ code: 3, err: expect.stringContaining('wait ') });
    // Their verifiers go by a copy for a second at most.
    const brief = { AIP_REVOCATION_MAX_AGE: '1s' };
    let promoted = await second.run([...off, '--json'], { env: brief });
    for (let i = 0; promoted.code === 3 && i < 30; i++) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      promoted = await second.run([...off, '--json'], { env: brief });
    }
    expect(JSON.parse(promoted.out)).toMatchObject({
      head: 1,
      term: 2,
      sealed_home: null,
      mesh_public_key: home.mesh_public_key,
    });

    const next = await second.serve();
    const returned = await follow(first, next.url, key, home.mesh_public_key);
    expect(returned).toMatchObject({ follows: next.url, current: true });
    expect(returned.running.err).toContain('holds_mesh_key');
    await returned.running.stop();
    await next.running.stop();
  });

  test('a region that stores nothing in time is exit 5 with a table; nothing is undone', async () => {
    const home = new Home();
    await home.serve();
    const regions = JSON.stringify([{ name: 'ap', endpoint: 'http://127.0.0.1:1' }]);
    const env = {
      AIP_MESH_REGIONS: regions,
      AIP_MESH_REPLICATION_MODE: 'sync',
      AIP_MESH_MAX_PROPAGATION_TIME_MS: '50',
    };
    const said = await home.run(['revoke', agent(1), ...REVOKE, '--json'], { env });
    expect(said.code).toBe(5);
    expect(JSON.parse(said.out)).toMatchObject({
      ...{ status: 'revoked', durable: true, seq: 1 },
      regions: [{ region: 'ap', state: 'late', ms: null, last_seq: null, last_seen: null }],
    });
    const shown = await home.run(['revoke', agent(2), ...REVOKE], { env });
    expect(shown).toMatchObject({ code: 5, out: expect.stringContaining('never heard of') });
    expect(await home.json('status', agent(1))).toMatchObject({ status: 'revoked' });
  });

  test.each([
    ['a key of another role', [], { AIP_MESH_KEY: `aipm_admin_${'0'.repeat(12)}_${'0'.repeat(64)}` }, 4, 'role region'],
    ['no key', [], {}, 2, '--key-file'],
    ['a pin that is no key', ['--mesh-key', 'nonsense'], { AIP_MESH_KEY: REGION }, 2, '--mesh-key'],
    ['no pinned key', [], { AIP_MESH_KEY: REGION, AIP_MESH_PUBLIC_KEY: '' }, 2, '--mesh-key'],
    ['what only home does', ['--log-quota', '1G'], { AIP_MESH_KEY: REGION }, 2, '--log-quota'],
    ['what only home keeps', ['--log-retention', '90d'], { AIP_MESH_KEY: REGION }, 2, '--log-retention'],
    ['what only home asks for', ['--require-signed-commands'], { AIP_MESH_KEY: REGION }, 2, 'signed-commands'],
    ['a home that is not there', [], { AIP_MESH_KEY: REGION }, 5, 'no proof'],
  ] as const)('does not follow with %s', async (_, flags, env, code, says) => {
    const home = new Home();
    const pinned = {
      AIP_MESH_PUBLIC_KEY: `ed25519:${'3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29'}`,
    };
    const said = await home.run(['mesh', 'serve', '--follow', 'http://127.0.0.1:1', ...flags], {
      env: { ...pinned, ...env },
    });
    expect(said).toMatchObject({ code, out: '' });
    expect(said.err).toContain(says);
  });

  test('two homes are told by who asks both, and made one again without a deny that is lost', async () => {
    const first = new Home();
    const { running } = await first.serve();
    const file = first.at('mesh.backup');
    await first.json('mesh', 'backup', file);
    await running.stop();
    const [a, b] = [new Home(), new Home()];
    const admin = readFileSync(first.config().mesh!.key_file!, 'utf8').trim();
    for (const home of [a, b]) await home.json('mesh', 'restore', file, '--yes');
    const [homeA, homeB] = [await a.serve(), await b.serve()];
    const urls = [homeA.url, homeB.url] as const;
    for (const home of [a, b]) {
      home.set('mesh', { key_file: home.file('admin.key', `${admin}\n`) });
      home.set('mesh', { regions: urls.map((endpoint, i) => ({ name: `r${i}`, endpoint })) });
    }
    const looked = async (): Promise<unknown[]> => {
      const { code, out, err } = await a.run(['mesh', 'status', '--json']);
      const { endpoints } = JSON.parse(out) as { endpoints: { url: string; state: string; reason: string | null }[] };
      expect(endpoints.map(({ url }) => url)).toEqual(urls);
      expect(err.includes('"mesh_fork"')).toBe(code === 5);
      return [code, ...endpoints.map(({ state, reason }) => reason?.replace(/ than at .*| and .*/, '') ?? state)];
    };
    expect(await looked()).toEqual([0, 'agrees', 'agrees']);
    await a.json('revoke', agent(1), ...REVOKE);
    expect(await looked()).toEqual([0, 'agrees', 'agrees']);
    await b.json('revoke', agent(2), ...REVOKE);
    expect(await looked()).toEqual([5, 'agrees', 'event 1 is another one there']);
    await b.json('revoke', agent(3), ...REVOKE);
    expect(await looked()).toEqual([5, 'agrees', 'event 1 is another one there']);
    expect((await a.run(['doctor'])).out).toContain('tells another history under the key of this mesh');
    await homeA.running.stop();
    await a.json('mesh', 'backup', a.at('again.backup'));
    await a.json('mesh', 'restore', a.at('again.backup'), '--yes');
    const again = await a.serve('--listen', new URL(homeA.url).host);
    expect(await looked()).toEqual([5, 'agrees', 'it is in term 2,']);
    await homeB.running.stop();
    const made = await a.json<{ key: string }>('mesh', 'key', 'create', '--role', 'region', '--label', 'b');
    const back = await follow(b, again.url, made.key, again.mesh_public_key);
    expect(back.returned).toMatchObject({ fork: 1, events: [{ agent_id: agent(2) }, { agent_id: agent(3) }] });
    for (const n of [1, 2, 3]) expect(await a.json('status', agent(n))).toMatchObject({ status: 'revoked' });
  });

  test('an endpoint that signs with another key is said, and the others are shown', async () => {
    const home = new Home();
    const { url } = await home.serve();
    const impostor = createServer(({ headers, url: path }, reply) => {
      void fetch(new URL(path!, url), { headers: { authorization: headers.authorization! } })
        .then((told) => told.text())
        .then((text) => reply.end(text.replace(/"signature":"[0-9a-f]{8}/, '"signature":"00000000')))
        .catch(() => reply.destroy());
    });
    await new Promise<void>((resolve) => impostor.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void impostor.close());
    const other = `http://127.0.0.1:${(impostor.address() as AddressInfo).port}`;
    const away = 'http://127.0.0.1:9';
    home.set('mesh', { url: away, regions: [other, url].map((endpoint, i) => ({ name: `r${i}`, endpoint })) });
    const machine = household({ env: { AIP_HOME: home.env.AIP_HOME! } });
    const { code, out, err } = await machine.run('mesh', 'status', '--json');
    expect([code, err]).toEqual([5, expect.stringMatching(/"endpoint_silent"[^]*"endpoint_foreign"/)]);
    expect(JSON.parse(out)).toMatchObject({
      url,
      endpoints: [{ url: away }, { url: other, state: 'foreign' }, { url }],
    });
    expect((await machine.run('doctor')).out).toContain(`${other} does not sign with the pinned key of the mesh`);
  });

  test('a plain text line beyond this machine is refused', async () => {
    const said = await new Home().run(['mesh', 'serve', '--follow', 'http://mesh.acme.com'], {
      env: { AIP_MESH_KEY: REGION },
    });
    expect(said).toMatchObject({ code: 2, err: expect.stringContaining('plain http') });
  });
});
