/** Home is lost and a region promoted: who should have been listening at home is missed by the new one. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SqliteMeshStore } from '../../src/adapters/mesh/sqlite/store.js';
import { verifierKey } from '../../src/adapters/mesh/client/verifier-key.js';
import { promoteMesh } from '../../src/workspace/mesh/region.js';
import { SYSTEM } from '../../src/workspace/world.js';
import { until } from '../kit/mesh/network.js';
import { get, Home, listener, region, type Answered } from '../kit/mesh/several/regions.js';
import { scratch } from '../kit/scratch.js';

const PROMOTION = { homeIsOff: true, staleMs: 0, ca: null, regionKey: null } as const;
const LATER = { ...SYSTEM, env: {}, clock: () => Date.now() + 60_000 };
const BOT = 'did:web:acme.com:agents:bot';

function verifier(label: string, onStale: 'deny' | 'last-known') {
  const key = verifierKey(join(scratch(), 'state.db'));
  return { key, host: 'h', label, program: '0.0.0', onStale, maxAgeMs: 1_000 };
}

/** What the region's store holds of home's roster, and of its own. */
async function heldBy(data: string) {
  const store = new SqliteMeshStore(join(data, 'mesh.db'), () => '', { shared: true });
  try {
    const told = JSON.parse((await store.notes.get('home_roster')) ?? '[]') as { label: string }[];
    const own = await store.members.list(-1);
    return { told: told.map(({ label }) => label), own: own.map(({ label }) => label) };
  } finally {
    await store.close();
  }
}

async function eventually(ask: () => Promise<unknown>, wanted: unknown): Promise<void> {
  for (const end = Date.now() + 8_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 50)))
    if (JSON.stringify(await ask()) === JSON.stringify(wanted)) return;
  expect(await ask()).toEqual(wanted);
}

test('a revocation at the promoted region names the verifiers that only home had, and is not done while one may accept', async () => {
  const home = await Home.start();
  const regionKey = await home.key('region', 'eu');
  const eu = await region(home, { url: home.url, key: regionKey });
  const follow = async (url: string, label: string, onStale: 'deny' | 'last-known') =>
    listener(url, await home.key('verifier', label), home.publicKey, { verifier: verifier(label, onStale) });
  const lenient = await follow(home.url, 'us-1', 'last-known');
  const strict = await follow(home.url, 'us-2', 'deny');
  const former = await follow(home.url, 'us-3', 'last-known');
  const near = await follow(eu.url, 'eu-1', 'deny');
  await until(() => [lenient, strict, former, near].every(({ state }) => state === 'live'), 'all live');
  await eventually(async () => (await heldBy(eu.data)).told, ['eu-1', 'us-1', 'us-2', 'us-3']);
  expect((await get(home.url, regionKey, '/v1/mesh/region/roster')).json.members).toHaveLength(4);
  former.stop();
  const authorization = `Bearer ${home.admin}`;
  const forgotten = await fetch(`${home.url}/v1/mesh/verifiers/us-3`, { method: 'DELETE', headers: { authorization } });
  expect(forgotten.status).toBe(200);
  await eventually(async () => (await heldBy(eu.data)).told, ['eu-1', 'us-1', 'us-2']);
  // In the region's own numbers those of home are not missed.
  expect((await heldBy(eu.data)).own).toEqual(['eu-1']);
  for (const each of [lenient, strict, near]) each.stop();
  await eu.close();
  await home.serving.close();
  copyFileSync(join(home.data, 'mesh.key'), join(eu.data, 'brought.key'));
  const keyFile = join(eu.data, 'brought.key');
  expect(await promoteMesh(LATER, { ...PROMOTION, folder: eu.data, keyFile })).toMatchObject({ roster: 3 });

  const next = await Home.start({ data: eu.data, admin: home.admin });
  const reach = ({ json }: Answered) => ({
    applied: json.applied,
    roster: json.roster,
    complete: json.complete,
    absent: (json.absent as { label: string }[]).map(({ label }) => label).sort(),
  });
  expect(reach(await next.revoke(BOT))).toEqual({
    ...{ applied: 0, roster: 3, complete: false },
    absent: ['eu-1', 'us-1', 'us-2'],
  });
  const back = listener(next.url, await next.key('verifier', 'v'), next.publicKey);
  await until(() => back.state === 'live', 'live at the new home');
  await eventually(async () => (await get(next.url, next.admin, '/v1/mesh/status')).json.roster, 4);
});

test('a region that was never told who should be listening says so where it is promoted', async () => {
  const home = await Home.start();
  const eu = await region(home, { url: home.url, key: await home.key('region', 'eu') });
  const here = listener(eu.url, await home.key('verifier', 'eu-1'), home.publicKey, {
    verifier: verifier('eu-1', 'deny'),
  });
  await until(() => here.state === 'live', 'live at the region');
  await eventually(async () => (await heldBy(eu.data)).own, ['eu-1']);
  here.stop();
  await eu.close();
  await home.serving.close();
  // As home of an earlier version leaves it.
  const store = new SqliteMeshStore(join(eu.data, 'mesh.db'), () => '', { shared: true });
  await store.notes.put('home_roster', '');
  await store.close();
  copyFileSync(join(home.data, 'mesh.key'), join(eu.data, 'brought.key'));
  const options = { ...PROMOTION, folder: eu.data, keyFile: join(eu.data, 'brought.key') };
  expect(await promoteMesh(LATER, options)).toMatchObject({ roster: null });
});
