/** Regions on real sockets: what they hold, what they pass on, and what becomes of a mesh whose home is lost. */
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SqliteMeshStore } from '../../src/adapters/mesh/sqlite/store.js';
import { writeBackup } from '../../src/adapters/mesh/sqlite/backup.js';
import { Failure } from '../../src/app/failure.js';
import { promoteMesh } from '../../src/workspace/mesh/region.js';
import { SYSTEM } from '../../src/workspace/world.js';
import { FaultProxy } from '../kit/mesh/fault-proxy.js';
import { until } from '../kit/mesh/network.js';
import { get, Home, listener, post, region } from '../kit/mesh/several/regions.js';
import { scratch } from '../kit/scratch.js';

const AGENT = 'did:web:acme.com:agents:bot';
const other = (n: number): string => `did:web:acme.com:agents:bot-${n}`;
const SYNC = { mode: 'sync', withinMs: 3_000, names: [] } as const;
const PROMOTION = { keyFile: null, homeIsOff: true, staleMs: 0, regionKey: null, ca: null } as const;
const LATER = { ...SYSTEM, clock: () => SYSTEM.clock() + 60_000, env: {} };

async function logOf(data: string): Promise<readonly string[]> {
  const store = new SqliteMeshStore(join(data, 'mesh.db'), () => '', { shared: true });
  try {
    return (await store.read(0, 10_000)).map(({ text }) => text);
  } finally {
    await store.close();
  }
}

test('a region holds and serves home’s events byte for byte, and its clients are live by home’s proofs', async () => {
  const home = await Home.start();
  await home.revoke(other(1));
  const eu = await region(home, { url: home.url, key: await home.key('region', 'eu') });
  expect(eu.current).toBe(true);
  const client = listener(eu.url, await home.key('verifier', 'v'), home.publicKey);
  await until(() => client.state === 'live', 'live at the region');
  const { json } = await home.revoke(AGENT);
  await until(() => client.check(AGENT).status === 'revoked', 'the deny of home');
  expect(json).toMatchObject({ regions: [{ region: 'eu' }] });
  await until(
    () =>
      client.state === 'live' && client.follower.freshness.age({ mono: performance.now(), wall: Date.now() })! < 2_500,
    'a later proof',
  );
  expect(client.alarms).toEqual([]);
  expect(await logOf(eu.data)).toEqual(await logOf(home.data));
  const served = await get(eu.url, home.admin, '/v1/mesh/events?after=0&wait=0ms&v=2');
  expect((served.json.events as unknown[]).length).toBe(2);
  expect(eu.bugs).toEqual([]);
});

test('commands given to a region are home’s: judged by the caller’s own key there, and applied everywhere', async () => {
  const home = await Home.start();
  const eu = await region(home, { url: home.url, key: await home.key('region', 'eu') });
  const client = listener(home.url, await home.key('verifier', 'v'), home.publicKey);
  await until(() => client.state === 'live', 'live at home');
  // Made a moment ago: the region has not heard of it.
  const operator = await home.key('operator', 'jane');
  const verifier = await home.key('verifier', 'w');
  expect(await home.revoke(AGENT, { at: eu.url, key: operator })).toMatchObject({
    status: 200,
    json: { seq: 1, durable: true },
  });
  await until(() => client.check(AGENT).status === 'revoked', 'the deny');
  expect(await home.revoke(other(1), { at: eu.url, key: verifier })).toMatchObject({
    status: 403,
    json: { code: 'FORBIDDEN' },
  });
  expect(
    await home.revoke(other(1), { at: eu.url, key: `${operator.slice(0, -1)}${operator.endsWith('0') ? '1' : '0'}` }),
  ).toMatchObject({ status: 401 });
  expect(await home.revoke(AGENT, { at: eu.url, key: operator, action: 'reinstate', version: 1 })).toMatchObject({
    status: 403,
  });
  const again = { at: eu.url, key: operator, cmd_id: 'the-same-command' };
  const [first, second] = [await home.revoke(other(2), again), await home.revoke(other(2), again)];
  expect(second.json.seq).toBe(first.json.seq);
  // Signed by the event, not by the region.
  expect(JSON.parse((await logOf(home.data))[0]!)).toMatchObject({ revoked_by: 'jane' });
});

test('a region may copy and nothing more; nobody else may', async () => {
  const home = await Home.start();
  const eu = await home.key('region', 'eu');
  expect((await get(home.url, eu, '/v1/mesh/region/tables')).status).toBe(200);
  expect((await get(home.url, eu, '/v1/mesh/status')).status).toBe(200);
  expect((await get(home.url, eu, '/v1/mesh/keys')).status).toBe(403);
  expect(await home.revoke(AGENT, { key: eu })).toMatchObject({ status: 403 });
  for (const role of ['observer', 'verifier', 'operator', 'admin'])
    for (const what of ['tables', 'log?after=0&wait=0ms', 'proof'])
      expect([role, (await get(home.url, await home.key(role), `/v1/mesh/region/${what}`)).status]).toEqual([
        role,
        403,
      ]);
});

test('a verifier at a region counts at home by its own signature, and is absent when it is gone', async () => {
  const home = await Home.start();
  const eu = await region(home, { url: home.url, key: await home.key('region', 'eu') });
  const client = listener(eu.url, await home.key('verifier', 'v'), home.publicKey);
  await until(() => client.state === 'live', 'live');
  const count = async () => (await get(home.url, home.admin, '/v1/mesh/status')).json;
  let seen = await count();
  for (const end = Date.now() + 5_000; seen.connected !== 1 && Date.now() < end; seen = await count())
    await new Promise((resolve) => setTimeout(resolve, 20));
  expect(seen).toMatchObject({ connected: 1, roster: 1, absent_total: 0 });
  const { json } = await post(home.url, home.admin, '/v1/mesh/commands?wait=5s', {
    ...{ cmd_id: 'counted-at-home', action: 'revoke', agent_id: AGENT, reason: 'r' },
  });
  expect(json).toMatchObject({ applied: 1, roster: 1, complete: true });
  client.stop();
  for (const end = Date.now() + 5_000; seen.connected !== 0 && Date.now() < end; seen = await count())
    await new Promise((resolve) => setTimeout(resolve, 20));
  expect(seen).toMatchObject({ connected: 0, absent_total: 1 });
});

test('a region does not vouch: a word that no verifier signed counts for nothing', async () => {
  const home = await Home.start();
  const eu = await home.key('region', 'eu');
  const card = { type: 'mesh-verifier', version: 1, public_key: `ed25519:${'ab'.repeat(32)}`, key_id: 'x', label: 'v' };
  const forged = { ...card, program: '1', on_stale: 'deny', max_age_ms: 1, signature: '00'.repeat(64) };
  const report = { verifiers: [{ card: forged, applied: null }], present: [], gone: [] };
  expect(await post(home.url, eu, '/v1/mesh/region/report', report)).toMatchObject({ status: 400 });
  expect((await get(home.url, home.admin, '/v1/mesh/status')).json).toMatchObject({ roster: 0, connected: 0 });
  const names = { verifiers: [], present: ['ed25519:who'], gone: ['ed25519:who'] };
  expect(await post(home.url, eu, '/v1/mesh/region/report', names)).toMatchObject({
    json: { unknown: ['ed25519:who'] },
  });
});

test('without home a region proves nothing: clients grow stale, known denies deny, commands are refused; it comes back by itself', async () => {
  const home = await Home.start();
  const proxy = await FaultProxy.start(home.port);
  const eu = await region(home, { url: proxy.url, key: await home.key('region', 'eu') });
  const key = await home.key('verifier', 'v', { max_verifiers: 5 });
  const client = listener(eu.url, key, home.publicKey);
  await home.revoke(AGENT);
  await until(() => client.check(AGENT).status === 'revoked' && client.state === 'live', 'live with the deny');
  proxy.faults.blackHole = true;
  proxy.cutAll();
  await until(() => client.state === 'expired', 'expired without home', 15_000);
  expect(client.check(AGENT).status).toBe('revoked');
  expect(await home.revoke(other(1), { at: eu.url })).toMatchObject({ status: 503 });
  // One that comes now is told what is known, and that nothing is proven.
  const late = listener(eu.url, key, home.publicKey);
  await until(() => late.check(AGENT).status === 'revoked', 'the snapshot that is held');
  expect(late.state).toBe('expired');
  expect(eu.troubles.length).toBe(1);
  await home.revoke(other(2));
  proxy.faults.blackHole = false;
  proxy.cutAll();
  await until(() => client.check(other(2)).status === 'revoked' && client.state === 'live', 'live again', 20_000);
  await until(() => late.state === 'live', 'live for the first time', 20_000);
  expect([...client.alarms, ...late.alarms].filter((alarm) => /forged|fork/.test(alarm))).toEqual([]);
  await proxy.close();
  expect(eu.troubles).toEqual([expect.stringContaining('without proof') as string, 'over']);
}, 60_000);

test('sync: three regions answer with the command; one that is cut off is named within the deadline, and home goes on', async () => {
  const home = await Home.start({ replication: SYNC });
  const proxy = await FaultProxy.start(home.port);
  const urls = { us: home.url, eu: home.url, ap: proxy.url };
  const regions = [];
  for (const [name, url] of Object.entries(urls))
    regions.push(await region(home, { url, key: await home.key('region', name) }));
  const all = await home.revoke(AGENT);
  expect(
    (all.json.regions as { region: string; state: string }[]).map(({ region: name, state }) => [name, state]),
  ).toEqual([
    ['ap', 'acknowledged'],
    ['eu', 'acknowledged'],
    ['us', 'acknowledged'],
  ]);
  for (const each of regions) expect(await logOf(each.data)).toHaveLength(1);
  proxy.faults.blackHole = true;
  const before = performance.now();
  const cut = await home.revoke(other(1));
  const took = performance.now() - before;
  expect(cut).toMatchObject({
    status: 200,
    json: {
      durable: true,
      seq: 2,
      regions: [
        { region: 'ap', state: 'late', ms: null, last_seq: 1 },
        { region: 'eu', state: 'acknowledged' },
        { region: 'us', state: 'acknowledged' },
      ],
    },
  });
  expect(took).toBeGreaterThanOrEqual(2_990);
  proxy.faults.blackHole = false;
  proxy.cutAll();
  for (const end = Date.now() + 20_000; (await logOf(regions[2]!.data)).length < 2 && Date.now() < end;)
    await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await logOf(regions[2]!.data)).toEqual(await logOf(home.data));
  await proxy.close();
}, 60_000);

test('a region that is configured and was never heard is not acknowledged; home’s own is not waited for', async () => {
  const home = await Home.start();
  const query = (name: string, endpoint: string): string =>
    `&replication=sync&within=50ms&region=${name}&endpoint=${encodeURIComponent(endpoint)}`;
  expect((await home.revoke(AGENT, { query: query('eu', 'http://127.0.0.1:9') })).json).toMatchObject({
    regions: [{ region: 'eu', state: 'late', ms: null, last_seq: null, last_seen: null }],
  });
  expect((await home.revoke(AGENT, { query: query('us', home.url) })).json).toMatchObject({ regions: [] });
  for (const wrong of ['&replication=maybe', '&replication=sync&within=soon', '&replication=sync&region=a'])
    expect(await home.revoke(AGENT, { query: wrong })).toMatchObject({ status: 400 });
});

test('home is moved while it runs: it seals itself, gives what is missing, and follows', async () => {
  const home = await Home.start();
  const key = await home.key('region', 'eu');
  const eu = await region(home, { url: home.url, key });
  await home.revoke(AGENT);
  await eu.close();
  await home.revoke(other(1));
  writeBackup(home.data, join(home.data, 'backup'), false);
  const promotion = { ...PROMOTION, homeIsOff: false, folder: eu.data, regionKey: key, staleMs: 30_000 };
  await expect(promoteMesh({ ...SYSTEM, env: {} }, promotion)).rejects.toMatchObject({ code: 'USAGE' });
  const promoted = await promoteMesh({ ...SYSTEM, env: {} }, { ...promotion, keyFile: join(home.data, 'backup') });
  expect(promoted).toMatchObject({ head: 2, term: 2, sealed: home.url });
  // Sealed: no command, no proof.
  expect(await home.revoke(other(2))).toMatchObject({ status: 503, json: { code: 'MESH_SEALED' } });
  expect((await get(home.url, home.admin, '/v1/mesh/status')).json).toMatchObject({
    sealed_by_term: 2,
    checkpoint: null,
  });
  const next = await Home.start({ data: eu.data, admin: home.admin });
  expect(await next.revoke(other(2))).toMatchObject({ status: 200, json: { seq: 3 } });
  await home.serving.close();
  const back = await region(next, { url: next.url, key, data: home.data });
  expect(back).toMatchObject({ current: true, returned: null, holdsKey: true });
  expect(await logOf(back.data)).toEqual(await logOf(next.data));
}, 60_000);

test('home is lost and another is promoted; the old one returns: its tail is told, denies are given again, nothing else', async () => {
  const home = await Home.start();
  const key = await home.key('region', 'eu');
  const eu = await region(home, { url: home.url, key });
  await home.revoke(AGENT);
  for (const end = Date.now() + 5_000; (await logOf(eu.data)).length < 1 && Date.now() < end;)
    await new Promise((resolve) => setTimeout(resolve, 20));
  await eu.close();
  // What no region has stored.
  await home.revoke(other(1), { cmd_id: 'beyond-the-fork-1', reason: 'leaked' });
  await home.revoke(AGENT, { action: 'reinstate', version: 1, cmd_id: 'beyond-the-fork-2' });
  copyFileSync(join(home.data, 'mesh.key'), join(eu.data, 'brought.key'));
  await home.serving.close();
  const promotion = { ...PROMOTION, folder: eu.data, keyFile: join(eu.data, 'brought.key'), regionKey: key };
  // Nobody said that it is off; then, that verifiers may still go by it.
  await expect(promoteMesh({ ...SYSTEM, env: {} }, { ...promotion, homeIsOff: false })).rejects.toMatchObject({
    code: 'NETWORK',
  });
  await expect(promoteMesh({ ...SYSTEM, env: {} }, { ...promotion, staleMs: 30_000 })).rejects.toMatchObject({
    code: 'STATE',
  });
  expect(await promoteMesh(LATER, { ...promotion, staleMs: 30_000 })).toMatchObject({ head: 1, term: 2, sealed: null });
  const next = await Home.start({ data: eu.data, admin: home.admin });
  await next.revoke(other(2));
  const client = listener(next.url, await next.key('verifier', 'v'), next.publicKey);
  await until(() => client.state === 'live', 'live in the new term');

  // The old home comes back as home: it proves nothing to one that knows the new term, and seals itself.
  await home.boot();
  const proof = Buffer.from(
    JSON.stringify((await get(next.url, next.admin, '/v1/mesh/status')).json.checkpoint),
  ).toString('base64url');
  await get(home.url, home.admin, '/v1/mesh/events?after=1&wait=0ms&v=2', { 'aip-proof': proof });
  expect(await home.revoke(other(3))).toMatchObject({ status: 503, json: { code: 'MESH_SEALED' } });
  await home.serving.close();

  const back = await region(next, { url: next.url, key, data: home.data });
  expect(back.returned).toMatchObject({
    fork: 2,
    events: [
      { agent_id: other(1), type: 'revocation', cmd_id: 'beyond-the-fork-1', was_seq: 2, seq: 3 },
      { agent_id: AGENT, type: 'reinstatement', cmd_id: 'beyond-the-fork-2', was_seq: 3, seq: null },
    ],
  });
  await until(() => client.check(other(1)).status === 'revoked', 'the deny that was given again');
  expect(client.check(AGENT).status).toBe('revoked');
  for (const end = Date.now() + 5_000; (await logOf(back.data)).length < 3 && Date.now() < end;)
    await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await logOf(back.data)).toEqual(await logOf(next.data));
  // Asked again under its id, it is the same command.
  expect(await next.revoke(other(1), { cmd_id: 'beyond-the-fork-1', reason: 'leaked' })).toMatchObject({
    json: { seq: 3 },
  });
  await back.close();
  // Told once.
  expect((await region(next, { url: next.url, key, data: home.data })).returned).toBeNull();
}, 60_000);

test.each([
  ['home already, and not sealed', async (home: Home) => ({ folder: home.data, keyFile: null })],
  ['no mesh', async () => ({ folder: scratch(), keyFile: null })],
] as const)('there is nothing to promote: %s', async (_, of) => {
  const home = await Home.start();
  await home.serving.close();
  await expect(promoteMesh(LATER, { ...PROMOTION, ...(await of(home)) })).rejects.toBeInstanceOf(Failure);
});

test('a folder that follows is not served as home, and another mesh is not followed into it', async () => {
  const [home, strange] = [await Home.start(), await Home.start()];
  const eu = await region(home, { url: home.url, key: await home.key('region', 'eu') });
  await home.revoke(AGENT);
  await eu.close();
  await expect(Home.start({ data: eu.data })).rejects.toMatchObject({ code: 'STATE' });
  const key = await strange.key('region', 'eu');
  await expect(region(strange, { url: strange.url, key, data: eu.data })).rejects.toMatchObject({ code: 'STATE' });
  await expect(region(home, { url: strange.url, key, data: scratch() })).rejects.toMatchObject({ code: 'NETWORK' });
  const brought = join(scratch(), 'brought.key');
  writeFileSync(brought, readFileSync(join(strange.data, 'mesh.key')), { mode: 0o600 });
  await expect(promoteMesh(LATER, { ...PROMOTION, folder: eu.data, keyFile: brought })).rejects.toMatchObject({
    code: 'STATE',
  });
});

test('home that lost events without a greater term is a fork: nothing is dropped', async () => {
  const home = await Home.start();
  const key = await home.key('region', 'eu');
  await home.revoke(other(1));
  const eu = await region(home, { url: home.url, key });
  await eu.close();
  await home.serving.close();
  for (const end of ['', '-wal', '-shm']) rmSync(join(home.data, `mesh.db${end}`), { force: true });
  // The same key over an empty log of the same id, which no mesh of ours would make.
  const { logId } = JSON.parse(JSON.stringify({ logId: await idOf(eu.data) })) as { logId: string };
  const forged = new SqliteMeshStore(join(home.data, 'mesh.db'), () => logId);
  await forged.setMeshKey(home.publicKey);
  for (const record of await keysOf(eu.data)) await forged.keys.add(record);
  await forged.close();
  await home.boot();
  await expect(region(home, { url: home.url, key, data: eu.data })).rejects.toMatchObject({
    code: 'STATE',
    message: expect.stringContaining('FORK'),
  });
  expect(await logOf(eu.data)).toHaveLength(1);
});

async function idOf(data: string): Promise<string> {
  const store = new SqliteMeshStore(join(data, 'mesh.db'), () => '', { shared: true });
  await store.close();
  return store.logId;
}

async function keysOf(data: string) {
  const store = new SqliteMeshStore(join(data, 'mesh.db'), () => '', { shared: true });
  const keys = await store.keys.list();
  await store.close();
  return keys;
}
