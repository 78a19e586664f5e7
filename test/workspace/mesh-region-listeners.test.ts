/** What a region tells of the whole mesh, beyond its own verifiers. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SqliteMeshStore } from '../../src/adapters/mesh/sqlite/store.js';
import { verifierKey } from '../../src/adapters/mesh/client/verifier-key.js';
import { asHeader, writeApplied, writeCard, writeLeaving } from '../../src/mesh/roster/member.js';
import { until } from '../kit/mesh/network.js';
import { get, Home, listener, post, region } from '../kit/mesh/several/regions.js';
import { scratch } from '../kit/scratch.js';

test('a region tells who listens as home counts it: also those who listen elsewhere, and those who are absent', async () => {
  const home = await Home.start();
  const eu = await region(home, { url: home.url, key: await home.key('region', 'eu') });
  const gone = listener(home.url, await home.key('verifier', 'us-1'), home.publicKey);
  const client = listener(home.url, await home.key('verifier', 'us-2'), home.publicKey);
  await until(() => client.state === 'live' && gone.state === 'live', 'both live at home');
  const seen = async () => (await get(eu.url, home.admin, '/v1/mesh/status')).json;
  expect(await seen()).toMatchObject({ connected: 2, roster: 2, absent: [], follows: { home: home.url } });
  gone.stop();
  for (const end = Date.now() + 5_000; (await seen()).absent_total !== 1 && Date.now() < end;)
    await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await seen()).toMatchObject({ connected: 1, roster: 2, absent_total: 1 });
  const counted = async () =>
    (await metricsOf(eu.url, home.admin)).match(/^aip_mesh_(?:roster|verifiers_absent|verifier_lag_events).*$/gm);
  expect(await counted()).toEqual(['aip_mesh_roster 2', 'aip_mesh_verifiers_absent 1']);
  const drill = { p50_ms: 1, p99_ms: 2, can_halt: 'yes', ok: true, rounds: 1, verifiers: 1, absent: 0 };
  await post(eu.url, home.admin, '/v1/mesh/drill', drill);
  expect(await seen()).toMatchObject({ last_drill: { p99_ms: 2 } });
  const { json } = await get(eu.url, home.admin, '/v1/mesh/roster');
  expect((json.verifiers as object[]).length).toBe(2);
  await home.serving.close();
  expect(await seen()).toMatchObject({ roster: 0, checkpoint: null, follows: { home: home.url } });
  // How many there are only home knows.
  expect(await counted()).toBeNull();
});

const metricsOf = async (url: string, key: string): Promise<string> =>
  (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${key}` } })).text();

test('a region says how long ago it heard of home with each standing, and home that it knows it now', async () => {
  const home = await Home.start();
  const eu = await region(home, { url: home.url, key: await home.key('region', 'eu') });
  const age = async (url: string) =>
    (await get(url, home.admin, '/v1/mesh/status/did:web:acme.com:agents:bot')).json.age_ms as number;
  expect(await age(home.url)).toBe(0);
  await expect.poll(() => age(eu.url)).toBeLessThan(5_000);
  await home.serving.close();
  await expect.poll(() => age(eu.url), { timeout: 10_000 }).toBeGreaterThanOrEqual(1_000);
});

test('a region of a home that is sealed says how long ago that proved something, not when it was heard', async () => {
  const home = await Home.start();
  const eu = await region(home, { url: home.url, key: await home.key('region', 'eu') });
  const port = Number(new URL(home.url).port);
  await home.serving.close();
  const store = new SqliteMeshStore(join(home.data, 'mesh.db'), () => '', { shared: true });
  await store.seal(9);
  await store.close();
  await home.boot({ port });
  const seen = async () => (await get(eu.url, home.admin, '/v1/mesh/status')).json.follows as { heard: string };
  const from = Date.now();
  for (const end = from + 10_000; Date.parse((await seen()).heard) < from + 1_500 && Date.now() < end;)
    await new Promise((resolve) => setTimeout(resolve, 100));
  expect(Date.parse((await seen()).heard)).toBeGreaterThanOrEqual(from + 1_500);
  const { json } = await get(eu.url, home.admin, '/v1/mesh/status/did:web:acme.com:agents:bot');
  expect(json.age_ms).toBeGreaterThanOrEqual(1_500);
});

test('a verifier that polls a region and leaves there is on the roster of home no more', async () => {
  const home = await Home.start();
  const eu = await region(home, { url: home.url, key: await home.key('region', 'eu') });
  const apiKey = await home.key('verifier', 'eu-1');
  const [key, keyId] = [verifierKey(join(scratch(), 'state.db')), apiKey.split('_')[2]!];
  const says = { keyId, label: 'eu-1', host: 'h', program: '0.0.0', onStale: 'last-known', maxAgeMs: 3_000 } as const;
  const { log_id: logId } = (await get(home.url, home.admin, '/v1/mesh/status')).json as { log_id: string };
  const headers = {
    'aip-verifier': asHeader(writeCard(key, says)),
    'aip-applied': asHeader(writeApplied(key, { logId, seq: 0, hash: '0'.repeat(64), challenge: null })),
  };
  const roster = async () => (await get(home.url, home.admin, '/v1/mesh/status')).json.roster;
  expect(await get(eu.url, apiKey, `/v1/mesh/events?after=${logId}.1.0&wait=0ms&v=2`, headers)).toMatchObject({
    status: 200,
  });
  await expect.poll(roster).toBe(1);
  expect(await post(eu.url, apiKey, '/v1/mesh/leave', writeLeaving(key, keyId))).toMatchObject({
    json: { left: true },
  });
  // A region says every 2 s who listens to it.
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  expect(await roster()).toBe(0);
});

test('a verifier that a region only sends to the snapshot is not told to home as listening', async () => {
  const home = await Home.start();
  const eu = await region(home, { url: home.url, key: await home.key('region', 'eu') });
  const apiKey = await home.key('verifier', 'eu-1');
  const says = { keyId: apiKey.split('_')[2]!, label: 'eu-1', host: 'h', program: '0.0.0' } as const;
  const card = writeCard(verifierKey(join(scratch(), 'state.db')), { ...says, onStale: 'last-known', maxAgeMs: 3_000 });
  const target = `/v1/mesh/events?after=${'0'.repeat(32)}.1.5&wait=0ms&v=2`;
  expect(await get(eu.url, apiKey, target, { 'aip-verifier': asHeader(card) })).toMatchObject({
    json: { reset: { snapshot: '/v1/mesh/snapshot' } },
  });
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(await get(home.url, home.admin, '/v1/mesh/status')).toMatchObject({ json: { connected: 0 } });
});
