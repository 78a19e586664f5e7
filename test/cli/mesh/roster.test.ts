/** Who is missed when an agent is stopped: a dead verifier, one that denies when stale, one that left, and one too many. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { openLocalCopy } from '../../../src/adapters/mesh/client/local-copy.js';
import { FollowTeller } from '../../../src/cli/mesh/following.js';
import { Home } from '../../kit/mesh/homes.js';
import { network, until } from '../../kit/mesh/network.js';
import { MESH_PUBLIC_KEY } from '../../kit/mesh/server.js';
import { world } from '../../kit/world.js';

const SLOW = 120_000;
const AGENT = 'did:web:acme.com:agents:bot';

async function listening(admin: Home, label: string, ...flags: string[]) {
  const home = new Home();
  const made = await admin.json<{ key: string }>('mesh', 'key', 'create', '--role', 'verifier', ...flags);
  const { url, public_key } = admin.config().mesh!;
  const keyFile = home.file('mesh.key', `${made.key}\n`);
  await home.json('mesh', 'join', url!, '--mesh-key', public_key!, '--key-file', keyFile);
  const start = async () => {
    const running = home.start(['mesh', 'follow', '--label', label]);
    await running.notes(/live with/);
    return running;
  };
  return { home, key: made.key, start };
}

/** `intent verify --ndjson` of the home, for as long as the test lasts: gives its answer to one more intent of the agent. */
async function stream(home: Home) {
  const running = home.start(['intent', 'verify', '-', '--ndjson']);
  let asked = 0;
  return async (name?: string): Promise<{ success: boolean; error_code: string | null }> => {
    const intent: unknown = JSON.parse(readFileSync(await home.intent(name), 'utf8'));
    running.child.stdin!.write(`${JSON.stringify(intent)}\n`);
    const lines = await running.says(new RegExp(`^(?:.*\n){${++asked}}`));
    return JSON.parse(lines.trim().split('\n').pop()!) as { success: boolean; error_code: string | null };
  };
}

const revoke = (home: Home) => home.run(['revoke', AGENT, '--unseen', '--reason', 'leak', '--yes']);

test(
  'a key that takes long to open takes nothing of the time in which the mesh is asked',
  { timeout: SLOW },
  async () => {
    const admin = new Home();
    const { url, mesh_public_key } = await admin.serve();
    const home = new Home();
    const { key } = await admin.json<{ key: string }>('mesh', 'key', 'create', '--role', 'verifier');
    const joining = ['mesh', 'join', url, '--mesh-key', mesh_public_key, '--key', key];
    const before = keyFiles(home);
    await home.json(...joining, '--key-store', 'file');
    const [sealed] = keyFiles(home).filter((path) => !before.includes(path));
    // So that it takes longer than the mesh is waited for.
    const pass = `pass:${home.env.AIP_KEY_PASSPHRASE!}`;
    const slow = ['-topk8', '-v2', 'aes-256-cbc', '-v2prf', 'hmacWithSHA256', '-iter', '1500000'];
    const files = ['-in', sealed!, '-out', `${sealed!}.slow`, '-passin', pass, '-passout', pass];
    execFileSync('openssl', ['pkcs8', ...slow, ...files]);
    renameSync(`${sealed!}.slow`, sealed!);
    const agent = await home.agent();
    expect((await home.verify(await home.intent())).code).toBe(0);
    await admin.run(['revoke', agent, '--unseen', '--reason', 'leak', '--yes']);
    home.set('revocation', { max_age: '1ms' });
    expect(await home.verify(await home.intent())).toMatchObject({ code: 13, error_code: 'AIP-E401' });
  },
);

/** Paths of the encrypted keys of a home. */
function keyFiles(home: Home): string[] {
  return readdirSync(home.folder, { recursive: true, encoding: 'utf8' })
    .filter(
      (name) =>
        statSync(home.at(name)).isFile() && readFileSync(home.at(name), 'utf8').startsWith('-----BEGIN ENCRYPTED'),
    )
    .map((name) => home.at(name));
}

describe('the roster on the way of a revocation', { timeout: SLOW }, () => {
  test('a verifier that died is named, and the exit is 5; one that left, or was forgotten, is not missed', async () => {
    const admin = new Home();
    await admin.serve();
    const [eu, us] = [await listening(admin, 'eu-1'), await listening(admin, 'us-1')];
    const [one, two] = [await eu.start(), await us.start()];
    const both = await revoke(admin);
    expect([both.code, both.out]).toEqual([0, expect.stringMatching(/applied by 2 of 2 verifiers in /)]);
    expect(statSync(us.home.at('home/verifier.key')).mode & 0o777).toBe(0o600);

    await two.stop('SIGKILL');
    const dead = await revoke(admin);
    expect(dead.code).toBe(5);
    expect(dead.out).toMatch(
      /applied by 1 of 2 verifiers.*; us-1 absent since \d\d:\d\d \(last-known: may still accept\)/,
    );
    expect(dead.err).toContain('AIP-E501');
    const status = await admin.run(['mesh', 'status']);
    expect(status.out).toMatch(/us-1 absent since/);
    const drilled = await admin.run(['mesh', 'drill', '--rounds', '1', '--json']);
    expect([drilled.code, JSON.parse(drilled.out)]).toMatchObject([15, { can_halt: 'unknown', ok: false }]);

    expect((await admin.run(['mesh', 'forget', 'us-1'])).code).toBe(0);
    const gone = await admin.run(['mesh', 'forget', 'us-1']);
    expect([gone.code, gone.err]).toEqual([
      3,
      expect.stringMatching(/refused: There is no such verifier on the roster\. \[NOT_FOUND\]\nhint: .*mesh status/),
    ]);
    const unknown = await admin.run(['mesh', 'key', 'revoke', '0123456789ab', '--yes']);
    expect([unknown.code, unknown.err]).toEqual([3, expect.stringMatching(/\[NOT_FOUND\]\nhint: .*mesh key list/)]);
    expect((await revoke(admin)).code).toBe(0);
    await one.stop();
    const alone = await revoke(admin);
    expect([alone.code, alone.out]).toEqual([0, expect.stringContaining('no verifier listens now')]);
  });

  test('a home whose follower left refuses until somebody follows again, unless the mesh answers', async () => {
    const admin = new Home();
    const served = await admin.serve();
    const { home, start } = await listening(admin, 'eu-1');
    await home.agent();
    const running = await start();
    expect((await home.verify(await home.intent())).code).toBe(0);
    await running.stop();
    expect((await home.verify(await home.intent())).code).toBe(0);
    await served.running.stop();
    const refused = await home.verify(await home.intent());
    expect(refused).toMatchObject({ code: 13, error_code: 'AIP-E405' });
    // It was proven current, and nobody vouches for it now.
    expect(JSON.stringify(refused)).toContain('copy of the mesh on this machine is not proven current');
    expect(await (await stream(home))()).toMatchObject({ success: false, error_code: 'AIP-E405' });
  });

  test('a stream follows again for a home that left: from then on it is missed, and goes by its policy', async () => {
    const admin = new Home();
    const served = await admin.serve();
    const { home, start } = await listening(admin, 'eu-1');
    await home.agent();
    await (await start()).stop();
    const judge = await stream(home);
    expect(await judge()).toMatchObject({ success: true });
    while ((await admin.json('mesh', 'status'))['roster'] !== 1);
    expect(await judge()).toMatchObject({ success: true });
    await served.running.stop();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await judge()).toMatchObject({ success: true });
  });

  test('one that denies when stale is settled once its bound has passed', async () => {
    const admin = new Home();
    await admin.serve();
    const { home, start } = await listening(admin, 'us-1');
    home.set('revocation', { on_stale: 'deny', max_age: '1s' });
    await (await start()).stop('SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const said = await revoke(admin);
    expect([said.code, said.out]).toEqual([
      0,
      expect.stringMatching(
        /applied by 0 of 1 verifier; us-1 absent since .* \(denies when stale: refused since \d\d:\d\d\)/,
      ),
    ]);
  });

  test('a key lets one verifier in, or as many as it says; the mesh tells the next one why not', async () => {
    const admin = new Home();
    await admin.serve();
    const { key, start } = await listening(admin, 'eu-1');
    await start();
    const other = new Home();
    const { url, public_key } = admin.config().mesh!;
    const keyFile = other.file('mesh.key', `${key}\n`);
    await other.json('mesh', 'join', url!, '--mesh-key', public_key!, '--key-file', keyFile);
    const refused = other.start(['mesh', 'follow', '--label', 'us-1']);
    await refused.notes(/refuses this verifier: This API key is for one verifier, and eu-1 listens under it/);
    await refused.stop();
    const two = await listening(admin, 'ci-1', '--ephemeral');
    const more = await listening(admin, 'eu-2', '--max-verifiers', '2');
    await two.start();
    await more.start();
    const { roster } = await admin.json<{ roster: number }>('mesh', 'status');
    expect(roster).toBe(3);
  });

  test('a challenge is answered by each verifier, signed with its own key', async () => {
    const admin = new Home();
    await admin.serve();
    const { home, start } = await listening(admin, 'eu-1');
    await start();
    const challenge = 'ab'.repeat(16);
    const report = await admin.json<{ answers: { challenge: string; public_key: string }[]; ok: boolean }>(
      ...['mesh', 'drill', '--rounds', '1', '--challenge', challenge],
    );
    expect(report).toMatchObject({ ok: true, challenge, answers: [{ type: 'mesh-applied', challenge }] });
    expect(existsSync(home.at('home/verifier.key'))).toBe(true);
    expect(await admin.json('mesh', 'status')).toMatchObject({ last_drill: { can_halt: 'yes', ok: true } });
  });

  test('plain http beyond this machine is joined only by those who say so', async () => {
    const home = new Home();
    const keyFile = home.file('k', `aipm_verifier_${'a'.repeat(12)}_${'b'.repeat(64)}\n`);
    const join = [
      'mesh',
      'join',
      'http://mesh.invalid:4180',
      '--mesh-key',
      `ed25519:${'58'.repeat(1)}${'66'.repeat(31)}`,
    ];
    const refused = await home.run([...join, '--key-file', keyFile]);
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('--insecure-http')]);
    const tried = await home.run([...join, '--key-file', keyFile, '--insecure-http']);
    expect(tried.err).not.toContain('is plain http');
  });
});

describe('a machine that verifies now and then, and does not follow', { timeout: SLOW }, () => {
  const joined = async (admin: Home, key: string, maxAge = '1ms') => {
    const home = new Home();
    const { url, public_key } = admin.config().mesh!;
    await home.json('mesh', 'join', url!, '--mesh-key', public_key!, '--key-file', home.file('mesh.key', `${key}\n`));
    await home.agent();
    home.set('revocation', { max_age: maxAge });
    return home;
  };
  const keyFor = async (admin: Home, ...flags: string[]) =>
    (await admin.json<{ key: string }>('mesh', 'key', 'create', '--role', 'verifier', ...flags)).key;

  test('is missed from its first decision on, by the label of its API key, until it has asked again', async () => {
    const admin = new Home();
    const { url } = await admin.serve();
    const key = await keyFor(admin, '--label', 'cron-1');
    const home = await joined(admin, key);
    expect(await admin.json('mesh', 'status')).toMatchObject({ roster: 0 });
    expect((await home.verify(await home.intent(), '--dry-run')).code).toBe(0);
    expect(await admin.json('mesh', 'status')).toMatchObject({ roster: 0 });
    // One that the mesh has not heard of in its 300 ms, on a busy machine, is not counted.
    do expect((await home.verify(await home.intent())).code).toBe(0);
    while ((await admin.json('mesh', 'status'))['roster'] !== 1);
    const missed = await revoke(admin);
    expect([missed.code, missed.out]).toEqual([
      5,
      expect.stringMatching(
        /applied by 0 of 1 verifier; cron-1 absent since \d\d:\d\d \(last-known: may still accept\)/,
      ),
    ]);
    expect(await home.verify(await home.intent())).toMatchObject({ code: 13, error_code: 'AIP-E401' });
    const roster = await fetch(`${url}/v1/mesh/roster`, { headers: { authorization: `Bearer ${key}` } });
    expect(await roster.json()).toMatchObject({ verifiers: [{ label: 'cron-1', seq: 1 }] });
  });

  test('is missed from its first decision on also where its copy is fresh from joining', async () => {
    const admin = new Home();
    await admin.serve();
    const home = await joined(admin, await keyFor(admin), '1h');
    do expect((await home.verify(await home.intent())).code).toBe(0);
    while ((await admin.json('mesh', 'status'))['roster'] !== 1);
  });

  test('is held to the mesh’s answer in a stream too, for as long as its API key has no room for it', async () => {
    const admin = new Home();
    const served = await admin.serve();
    const { key, start } = await listening(admin, 'eu-1');
    await start();
    const home = await joined(admin, key, '1h');
    await home.agent('bob');
    const judge = await stream(home);
    expect(await judge()).toMatchObject({ success: true });
    expect((await revoke(admin)).out).toContain('applied by 1 of 1 verifier');
    expect(await judge()).toMatchObject({ success: false, error_code: 'AIP-E401' });
    expect(await judge('bob')).toMatchObject({ success: true });
    await served.running.stop();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await judge('bob')).toMatchObject({ success: false, error_code: 'AIP-E405' });
  });

  test('for which its API key has no room is told so, decides what the mesh confirms, and nothing without it', async () => {
    const admin = new Home();
    const served = await admin.serve();
    const key = await keyFor(admin);
    const [one, other] = [await joined(admin, key), await joined(admin, key)];
    expect((await one.verify(await one.intent())).code).toBe(0);
    const said = await other.run(['intent', 'verify', await other.intent(), '--json']);
    expect([said.code, said.out + said.err]).toEqual([0, expect.stringContaining('not_on_roster')]);
    await served.running.stop();
    expect(await one.verify(await one.intent())).toMatchObject({ code: 0, revocation: { degraded: true } });
    expect(await other.verify(await other.intent())).toMatchObject({ code: 13, error_code: 'AIP-E405' });
  });
});

describe('a machine that leaves', { timeout: SLOW }, () => {
  test('belongs to no mesh afterwards, is not missed, and what the mesh denied stays denied', async () => {
    const admin = new Home();
    await admin.serve();
    const { home, start } = await listening(admin, 'eu-1');
    await home.agent();
    const running = await start();
    expect((await revoke(admin)).code).toBe(0);
    await running.stop('SIGKILL');
    expect((await home.run(['mesh', 'leave'])).code).toBe(2);
    expect(await home.json('mesh', 'leave', '--yes')).toMatchObject({ told: true });
    expect((await home.run(['mesh', 'status'])).code).toBe(2);
    expect(await home.verify(await home.intent())).toMatchObject({ code: 13, error_code: 'AIP-E401' });
    expect((await revoke(admin)).code).toBe(0);
  });
});

describe('a machine that leaves under an API key that was revoked', { timeout: SLOW }, () => {
  test('is not said to be missed by a mesh that has forgotten it', async () => {
    const admin = new Home();
    await admin.serve();
    const { home, key, start } = await listening(admin, 'eu-1');
    await (await start()).stop('SIGKILL');
    await admin.json('mesh', 'forget', 'eu-1');
    await admin.json('mesh', 'key', 'revoke', key.split('_')[2]!, '--yes');
    const { code, err } = await home.run(['mesh', 'leave', '--yes']);
    expect(code).toBe(0);
    expect(err).toContain('The mesh did not take it. Where its roster names this machine (aip mesh status there)');
  });
});

describe('a clock that differs', { timeout: SLOW }, () => {
  test('is said in decisions and by doctor; a suspension ends by the mesh’s time, not by a clock that is fast', async () => {
    const admin = new Home();
    const served = await admin.serve();
    const agent = await admin.agent();
    await admin.json('suspend', agent, '--for', '1s', '--reason', 'odd', '--yes');
    await served.running.stop();
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    const clock = (ahead: string) => {
      const copy = openLocalCopy(admin.at('home/state.db'), served.mesh_public_key, (n) => new Uint8Array(n).fill(1));
      copy.setNote('clock.ahead', ahead);
      copy.close();
    };
    clock('0');
    expect((await admin.verify(await admin.intent())).error_code).not.toBe('AIP-E402');
    clock('7200000');
    const judged = await admin.run(['intent', 'verify', await admin.intent(), '--json']);
    expect(JSON.parse(judged.out)).toMatchObject({ error_code: 'AIP-E402' });
    expect(judged.out + judged.err).toContain('clock_differs');
    expect((await admin.run(['doctor'])).out).toContain('clock_differs');
  });
});

test('what follows names the endpoint that it hears, and that it hears no more', () => {
  const said: string[] = [];
  const scene = {
    ...{ io: { now: () => 0 }, paintErr: { dim: (text: string) => text } },
    note: (text: string) => void said.push(text),
  };
  const { listener } = new FollowTeller(scene as never, ['http://a', 'http://b'], () => undefined);
  listener.onState('syncing', 'live', 'http://b');
  listener.onState('live', 'stale', 'http://a');
  listener.onState('stale', 'live', 'http://a');
  expect(said).toEqual(['connecting to http://a', 'live with http://b', 'not hearing http://b', 'live with http://a']);
});

describe('a machine whose API key was revoked', { timeout: SLOW }, () => {
  test('gives up only when each endpoint has refused it again and again, and none has taken it in between', () => {
    const [warned, ended]: [string[], string[]] = [[], []];
    const scene = {
      ...{ io: { now: () => 0 }, paintErr: { dim: (text: string) => text }, note: () => undefined },
      warn: (_: string, code: string) => void warned.push(code),
    };
    const { listener } = new FollowTeller(scene as never, ['http://a', 'http://b'], ({ code }) => ended.push(code));
    const refuse = (times: number) => {
      for (let i = 0; i < times; i++) listener.onAlarm('unauthorized', 'the mesh refuses the API key');
    };
    refuse(39);
    listener.onState('syncing', 'live', 'http://b');
    refuse(39);
    expect([warned, ended]).toEqual([['mesh_unauthorized', 'mesh_unauthorized'], []]);
    for (let i = 0; i < 20; i++) listener.onAlarm('refused', 'the mesh refuses this verifier');
    expect(ended).toEqual([]);
    refuse(1);
    expect(ended).toEqual(['NETWORK']);
  });

  test('says so, and follows no more once the key goes on being refused', async () => {
    const net = await network();
    onTestFinished(() => net.close());
    const at = world({ stdin: '', env: { AIP_MESH_KEY: net.mesh.keys.verifier.text } });
    const config = { mesh: { url: net.url, public_key: MESH_PUBLIC_KEY } };
    writeFileSync(join(at.cwd, 'config.json'), JSON.stringify(config), { mode: 0o600 });
    // Attempts follow each other as fast as they may.
    const random = vi.spyOn(Math, 'random').mockReturnValue(0);
    onTestFinished(() => random.mockRestore());
    const running = at.run('mesh', 'follow', '--json', '--home', at.cwd);
    await until(() => at.err().includes('live with'), 'it follows');
    const revoked = await net.mesh.ask('DELETE', `/v1/mesh/keys/${net.mesh.keys.verifier.keyId}`, 'admin');
    expect(revoked.status).toBe(200);
    const { code, err } = await running;
    const said = err
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(said.filter((line) => line.code === 'mesh_unauthorized')).toHaveLength(1);
    expect([code, said.at(-1)]).toMatchObject([
      5,
      {
        code: 'NETWORK',
        message: expect.stringContaining('refuses the API key'),
        hint: expect.stringContaining('join'),
      },
    ]);
  });

  test('is told to join again, not to follow, and goes on with another key', async () => {
    const admin = new Home();
    await admin.serve();
    const home = new Home();
    const { key_id } = await home.join(admin);
    await home.agent();
    const running = await home.follow();
    await admin.json('mesh', 'key', 'revoke', key_id, '--yes');
    await running.notes(/mesh_unauthorized/);
    await running.stop('SIGKILL');
    home.set('revocation', { on_stale: 'deny', max_age: '1ms' });
    const refused = await home.run(['intent', 'verify', await home.intent()]);
    expect(refused.out).toMatch(/AIP-E405[^]*aip mesh join/);
    expect(refused.out).not.toContain('aip mesh follow');
    expect((await home.run(['doctor'])).out).toMatch(/refuses the API key of this machine/);
    await home.join(admin, 'verifier');
    home.set('revocation', { max_age: '30s' });
    expect((await home.verify(await home.intent())).code).toBe(0);
    await (await home.follow()).stop();
  });
});
