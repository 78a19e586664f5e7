/** Servers of one mesh on one PostgreSQL, and a mesh that moves in and out of it. */
import { copyFileSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { SqliteMeshStore } from '../../src/adapters/mesh/sqlite/store.js';
import { promoteMesh } from '../../src/workspace/mesh/region.js';
import { migrateMesh } from '../../src/workspace/mesh/migration.js';
import { serveMesh, type Serving } from '../../src/workspace/mesh/serving.js';
import { SYSTEM } from '../../src/workspace/world.js';
import { FaultProxy } from '../kit/mesh/fault-proxy.js';
import { openStore } from '../kit/mesh/several/postgres.js';
import { until } from '../kit/mesh/network.js';
import { get, Home, listener, post, region } from '../kit/mesh/several/regions.js';
import { scratch } from '../kit/scratch.js';
import { connectWithUrl, describePostgres, QUICK } from '../kit/postgres.js';

const WORLD = { ...SYSTEM, env: {}, userHome: '' };
const AGENT = 'did:web:acme.com:agents:bot';
const agent = (n: number): string => `did:web:acme.com:agents:bot-${n}`;

async function node(store: string, data = scratch(), key: string | null = null): Promise<Serving> {
  if (key !== null) {
    mkdirSync(data, { recursive: true, mode: 0o700 });
    copyFileSync(key, join(data, 'mesh.key'));
  }
  const serving = await serveMesh(WORLD, {
    ...{ data, store, host: '127.0.0.1', port: 0, tls: null, requireSignedCommands: false, operatorKey: null },
    onBug: (error) => {
      throw error;
    },
  });
  let closed = false;
  const close = async (): Promise<void> => {
    if (!closed) await serving.close();
    closed = true;
  };
  onTestFinished(close);
  return { ...serving, close };
}

function revoke(url: string, key: string, subject: string, wait = 0): ReturnType<typeof post> {
  const command = {
    cmd_id: `revoke-number-${++count}`,
    action: 'revoke',
    agent_id: subject,
    reason: 'r',
  };
  return post(url, key, `/v1/mesh/commands?wait=${wait}ms`, command);
}
let count = 0;

describePostgres('a mesh on PostgreSQL', QUICK, (cluster) => {
  test('two servers are one mesh: denied at one, refused at a stream of the other, and counted at both', async () => {
    const { url } = await cluster().database();
    const data = scratch();
    const a = await node(url, data);
    const admin = a.newAdminKey!;
    const b = await node(url, scratch(), join(data, 'mesh.key'));
    expect(b).toMatchObject({ newAdminKey: null, publicKey: a.publicKey });
    const key = String((await post(a.url, admin, '/v1/mesh/keys', { role: 'verifier' })).json.key);
    const client = listener(b.url, key, a.publicKey);
    await until(() => client.state === 'live', 'live at b');
    expect(await revoke(a.url, admin, AGENT)).toMatchObject({ status: 200, json: { seq: 1, durable: true } });
    await until(() => client.check(AGENT).status === 'revoked', 'the deny of a at b');
    // In turn: one history, so nobody takes it for a fork.
    for (let i = 0; i < 6; i++)
      expect((await revoke(i % 2 === 0 ? a.url : b.url, admin, agent(i))).json.seq).toBe(i + 2);
    await until(() => client.check(agent(5)).status === 'revoked', 'the last one');
    expect(client.alarms).toEqual([]);
    const met = async (): Promise<unknown> => (await get(a.url, admin, '/v1/mesh/status')).json.roster;
    for (const end = Date.now() + 10_000; (await met()) !== 1 && Date.now() < end;)
      await new Promise((resolve) => setTimeout(resolve, 50));
    // Presence is shared: the verifier listens at b, and a waits for it.
    const { json } = await revoke(a.url, admin, agent(9), 5_000);
    expect(json).toMatchObject({ roster: 1, applied: 1, connected: 1, complete: true });
    expect(json.propagation_ms).toBeGreaterThanOrEqual(0);
    // And a names it as one that listens, with what it has confirmed: a drill measures by that list.
    const { json: seen } = await get(a.url, admin, '/v1/mesh/status');
    expect(seen).toMatchObject({ connected: 1, verifiers: [{ mode: 'poll', confirmed: true, seq: 8 }], absent: [] });
    // A key that is revoked at one ends at the other.
    const { json: keys } = await get(a.url, admin, '/v1/mesh/keys');
    const made = (keys.keys as { key_id: string; role: string }[]).find(({ role }) => role === 'verifier')!;
    await fetch(`${a.url}/v1/mesh/keys/${made.key_id}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${admin}` },
    });
    await until(() => client.state !== 'live', 'its stream ends');
    // Taken off at one, it is missed at neither.
    const missed = async (url: string) => (await get(url, admin, '/v1/mesh/status')).json.roster;
    const { verifiers } = (await get(a.url, admin, '/v1/mesh/roster')).json as { verifiers: { verifier: string }[] };
    await fetch(`${a.url}/v1/mesh/verifiers/${encodeURIComponent(verifiers[0]!.verifier)}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${admin}` },
    });
    expect(await missed(a.url)).toBe(0);
    for (const end = Date.now() + 5_000; (await missed(b.url)) !== 0 && Date.now() < end;)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await missed(b.url)).toBe(0);
  }, 60_000);

  test('the mesh is moved into a region: each server on the database knows that it is sealed, and says so', async () => {
    const { url } = await cluster().database();
    const data = scratch();
    const a = await node(url, data);
    const b = await node(url, scratch(), join(data, 'mesh.key'));
    const admin = a.newAdminKey!;
    const key = async (role: string): Promise<string> =>
      String((await post(a.url, admin, '/v1/mesh/keys', { role })).json.key);
    const regionKey = await key('region');
    const eu = await region(a, { url: a.url, key: regionKey });
    await revoke(b.url, admin, AGENT);
    await eu.close();
    // A proxy stands before both: one is shown the proof, the other is asked whether it is sealed.
    const proxy = createServer((request, response) => {
      const to = request.url === '/v1/mesh/regions' ? b.url : a.url;
      const headers = request.headers as Record<string, string>;
      void fetch(`${to}${request.url}`, { headers })
        .then(async (reply) => response.writeHead(reply.status).end(Buffer.from(await reply.arrayBuffer())))
        .catch(() => response.destroy());
    });
    await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
    onTestFinished(() => void proxy.close());
    const store = new SqliteMeshStore(join(eu.data, 'mesh.db'), () => '');
    await store.notes.put('follows', `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`);
    await store.close();
    const promoted = await promoteMesh(WORLD, {
      ...{ folder: eu.data, keyFile: join(data, 'mesh.key'), regionKey, homeIsOff: false, staleMs: 0, ca: null },
    });
    expect(promoted).toMatchObject({ head: 1, term: 2, sealed: expect.any(String) as string });
    const sealed = { status: 503, json: { code: 'MESH_SEALED', details: { term: 2 } } };
    expect(await revoke(a.url, admin, agent(1))).toMatchObject(sealed);
    for (const end = Date.now() + 3_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 50)))
      if ((await revoke(b.url, admin, agent(1))).json.code === 'MESH_SEALED') break;
    for (const { url: each } of [a, b]) {
      expect(await revoke(each, admin, agent(1))).toMatchObject(sealed);
      expect((await get(each, admin, `/v1/mesh/status/${AGENT}`)).json).toMatchObject({
        status: 'revoked',
        age_ms: null,
      });
    }
  }, 60_000);

  test('what a home on a database took and nobody else had is told when it comes back: made a folder first', async () => {
    const { url } = await cluster().database();
    const data = scratch();
    const a = await node(url, data);
    const admin = a.newAdminKey!;
    const key = String((await post(a.url, admin, '/v1/mesh/keys', { role: 'region', label: 'eu' })).json.key);
    const eu = await region(a, { url: a.url, key });
    await revoke(a.url, admin, agent(1));
    const held = async (): Promise<unknown> => (await get(eu.url, admin, `/v1/mesh/status/${agent(1)}`)).json.status;
    for (const end = Date.now() + 5_000; (await held()) !== 'revoked' && Date.now() < end;)
      await new Promise((resolve) => setTimeout(resolve, 50));
    await eu.close();
    await revoke(a.url, admin, agent(2));
    await a.close();
    const keyFile = join(data, 'mesh.key');
    const off = { homeIsOff: true, staleMs: 0, ca: null, regionKey: null } as const;
    const later = { ...WORLD, clock: () => Date.now() + 60_000 };
    expect(await promoteMesh(later, { ...off, folder: eu.data, keyFile })).toMatchObject({ term: 2 });
    const next = await Home.start({ data: eu.data, admin });
    // A region that follows with the folder beside the database is told that its log is not in there.
    const beside = await region(next, { url: next.url, key, data });
    expect(beside).toMatchObject({ returned: null, lacksStore: true });
    await beside.close();
    const back = scratch();
    await migrateMesh(WORLD, url, back);
    const returned = await region(next, { url: next.url, key, data: back });
    expect(returned).toMatchObject({
      ...{ lacksStore: false, returned: { fork: 2, events: [{ agent_id: agent(2), type: 'revocation', seq: 2 }] } },
    });
    expect((await get(next.url, admin, `/v1/mesh/status/${agent(2)}`)).json).toMatchObject({ status: 'revoked' });
  }, 60_000);

  test('what a database says that commits nothing has an age: an old primary goes on answering', async () => {
    const { url } = await cluster().database();
    const a = await node(url);
    const admin = a.newAdminKey!;
    const age = async () => (await get(a.url, admin, `/v1/mesh/status/${AGENT}`)).json.age_ms as number | null;
    expect(await age()).toBe(0);
    const other = await connectWithUrl(url);
    await other.query('BEGIN', [], 5_000);
    await other.query('LOCK TABLE aip_mesh.proofs IN EXCLUSIVE MODE', [], 5_000);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await age()).toBeGreaterThan(1_000);
    await other.query('ROLLBACK', [], 5_000);
    await other.close();
    for (const end = Date.now() + 5_000; (await age()) !== 0 && Date.now() < end;)
      await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await age()).toBe(0);
  }, 60_000);

  test('a server that starts on a database that only answers reads says so, and goes on when it takes writes', async () => {
    const { name, url } = await cluster().database();
    const data = scratch();
    const first = await node(url, data);
    const admin = first.newAdminKey!;
    expect(first.unproven).toBeNull();
    await first.close();
    await cluster().admin(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    const a = await node(url, data);
    expect(a.unproven).toContain('it only answers reads');
    expect(a.unproven).toContain('name the primary');
    expect(await revoke(a.url, admin, AGENT)).toMatchObject({ status: 503 });
    // As after a promotion: what is connected stays, and takes writes now.
    await cluster().admin(`ALTER DATABASE ${name} RESET default_transaction_read_only`);
    await cluster().admin(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}' AND pid <> pg_backend_pid()`,
    );
    for (const end = Date.now() + 10_000; (await revoke(a.url, admin, AGENT)).status !== 200 && Date.now() < end;)
      await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await get(a.url, admin, `/v1/mesh/status/${AGENT}`)).json).toMatchObject({ status: 'revoked' });
  }, 30_000);

  test('another mesh.key is refused', async () => {
    const { url } = await cluster().database();
    await node(url);
    const other = await Home.start();
    await expect(node(url, scratch(), join(other.data, 'mesh.key'))).rejects.toMatchObject({ code: 'STATE' });
    await expect(node(url)).rejects.toMatchObject({
      code: 'STATE',
      hint: expect.stringContaining('another server') as string,
    });
  });

  test('a server that is cut off from the database proves nothing: T + B holds; it goes on by itself afterwards', async () => {
    const { url } = await cluster().database();
    const data = scratch();
    const a = await node(url, data);
    const admin = a.newAdminKey!;
    const proxy = await FaultProxy.start(cluster().port);
    const through = url.replace(`:${cluster().port}/`, `:${new URL(proxy.url).port}/`);
    const b = await node(through, scratch(), join(data, 'mesh.key'));
    const key = String((await post(a.url, admin, '/v1/mesh/keys', { role: 'verifier' })).json.key);
    const client = listener(b.url, key, a.publicKey);
    await until(() => client.state === 'live', 'live at b');
    proxy.faults.blackHole = true;
    const committed = Date.now();
    expect(await revoke(a.url, admin, AGENT)).toMatchObject({ status: 200 });
    await until(
      () => client.check(AGENT).status === 'revoked' || client.state === 'expired',
      'applied or refusing',
      20_000,
    );
    // The budget of this client is 3 s; its last proof is of before the commit.
    expect(Date.now() - committed).toBeLessThan(20_000);
    expect(client.state).toBe('expired');
    expect(await revoke(b.url, admin, agent(1)).catch(() => ({ status: 503 }))).toMatchObject({ status: 503 });
    proxy.faults.blackHole = false;
    proxy.cutAll();
    await until(() => client.check(AGENT).status === 'revoked' && client.state === 'live', 'live again', 30_000);
    expect(client.alarms.filter((alarm) => /fork|forged/.test(alarm))).toEqual([]);
    await b.close();
    await proxy.close();
  }, 90_000);

  test('a database that lost its end begins a new history, when its servers are stopped and an operator says so', async () => {
    const { name, url } = await cluster().database();
    const data = scratch();
    const a = await node(url, data);
    const admin = a.newAdminKey!;
    for (const n of [1, 2]) await revoke(a.url, admin, agent(n));
    const failed = a.failed.catch((error: unknown) => error);
    await cluster().admin(
      `DELETE FROM aip_mesh.events WHERE seq = 2;
       UPDATE aip_mesh.head SET (seq, event_term, hash) = (SELECT seq, term, hash FROM aip_mesh.events WHERE seq = 1)`,
      name,
    );
    // What was answered is not said to be kept.
    await revoke(a.url, admin, agent(3)).catch(() => undefined);
    expect(await failed).toMatchObject({
      ...{ code: 'STATE', hint: expect.stringContaining('aip help growing') as string },
      message:
        'The store of the mesh failed: The log in the database ends at event 1, and 2 was there. This server ends.',
    });
    await a.close();
    const promotion = { folder: data, keyFile: null, staleMs: 0, regionKey: null, ca: null, store: url };
    await expect(promoteMesh(WORLD, { ...promotion, homeIsOff: false })).rejects.toMatchObject({ code: 'STATE' });
    expect(await promoteMesh(WORLD, { ...promotion, homeIsOff: true })).toMatchObject({
      head: 1,
      term: 2,
      sealed: null,
    });
    const again = await node(url, data);
    expect((await get(again.url, admin, '/v1/mesh/status')).json).toMatchObject({ head: 1, term: 2 });
  });

  test('a region follows a mesh on PostgreSQL', async () => {
    const { url } = await cluster().database();
    const home = await node(url);
    const admin = home.newAdminKey!;
    const made = await post(home.url, admin, '/v1/mesh/keys', { role: 'region', label: 'eu' });
    await region(home, { url: home.url, key: String(made.json.key) });
    const command = { cmd_id: 'to-every-region', action: 'revoke', agent_id: AGENT, reason: 'r' };
    const { json } = await post(home.url, admin, '/v1/mesh/commands?replication=sync&within=5000ms', command);
    expect(json).toMatchObject({ regions: [{ region: 'eu', state: 'acknowledged' }] });
  }, 60_000);

  test('out of a folder and back: the same log, byte for byte, under a greater term; what was copied is sealed', async () => {
    const home = await Home.start();
    for (let i = 0; i < 300; i++) await home.revoke(agent(i % 40), { cmd_id: `migrated-${i}` });
    await home.key('verifier', 'v');
    await home.serving.close();
    const { url } = await cluster().database();
    const there = await migrateMesh(WORLD, home.data, url);
    expect(there).toMatchObject({ term: 2, digest: { events: 300 } });
    // Asked again, it finds the copy whole.
    expect((await migrateMesh(WORLD, home.data, url)).digest).toEqual(there.digest);
    const served = await node(url, scratch(), join(home.data, 'mesh.key'));
    expect(served.publicKey).toBe(home.publicKey);
    expect((await revoke(served.url, home.admin, AGENT)).json).toMatchObject({ seq: 301 });
    // The same command is the same command there.
    const again = { cmd_id: 'migrated-7', action: 'revoke', agent_id: agent(7), reason: 'r' };
    expect((await post(served.url, home.admin, '/v1/mesh/commands', again)).json).toMatchObject({ seq: 8 });
    await served.close();
    // The folder takes no command any more.
    await home.boot();
    expect(await home.revoke(AGENT)).toMatchObject({ status: 503, json: { code: 'MESH_SEALED' } });
    await home.serving.close();

    const back = scratch();
    expect(await migrateMesh(WORLD, url, back)).toMatchObject({ digest: { events: 301 } });
    const store = new SqliteMeshStore(join(back, 'mesh.db'), () => '');
    const database = await openStore(url);
    expect(await store.read(0, 1_000)).toEqual(await database.read(0, 1_000));
    await store.close();
    // Another mesh is in the way.
    const strange = await Home.start();
    await strange.serving.close();
    await expect(migrateMesh(WORLD, strange.data, url)).rejects.toMatchObject({ code: 'STATE' });
    await expect(migrateMesh(WORLD, scratch(), url)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  }, 90_000);
});
