/** A home that the mesh has left behind, and the regions that know of it. */
import { copyFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { backUpMesh, restoreMesh } from '../../src/workspace/mesh/backup.js';
import { promoteMesh } from '../../src/workspace/mesh/region.js';
import { SYSTEM } from '../../src/workspace/world.js';
import { Home, region } from '../kit/mesh/several/regions.js';
import { scratch } from '../kit/scratch.js';

const AGENT = 'did:web:acme.com:agents:bot';
const LATER = { ...SYSTEM, clock: () => SYSTEM.clock() + 60_000, env: {} };

/** A home that is off, and the region that was promoted in its place; `last` comes after the region has left. `other`: a second region's key. */
async function promoted(last: (home: Home) => Promise<unknown> = () => Promise.resolve()) {
  const home = await Home.start();
  const [key, other] = [await home.key('region', 'eu'), await home.key('region', 'ap')];
  const eu = await region(home, { url: home.url, key });
  await eu.close();
  const brought = join(scratch(), 'brought.key');
  copyFileSync(join(home.data, 'mesh.key'), brought);
  await last(home);
  await home.serving.close();
  const promotion = { ...{ folder: eu.data, keyFile: brought, homeIsOff: true }, regionKey: null, ca: null };
  expect(await promoteMesh(LATER, { ...promotion, staleMs: 0 })).toMatchObject({ term: 2 });
  return { home, next: await Home.start({ data: eu.data, admin: home.admin }), other };
}

/** A home with one event, and a region that holds it and is off; `brought`: where a backup may go. */
async function left() {
  const home = await Home.start();
  const key = await home.key('region', 'eu');
  await home.revoke(AGENT);
  const eu = await region(home, { url: home.url, key });
  await eu.close();
  return { home, key, eu, brought: join(scratch(), 'mesh.backup') };
}

/** The region takes the place of a home that lives, is of term 2, and seals itself. */
async function promotedInPlace(home: Home, data: string, regionKey: string, keyFile: string): Promise<void> {
  const promotion = { folder: data, keyFile, homeIsOff: false, regionKey, ca: null, staleMs: 0 };
  expect(await promoteMesh({ ...SYSTEM, env: {} }, promotion)).toMatchObject({ term: 3, head: 1, sealed: home.url });
}

test('an old home that starts as home is sealed by a region that knows the new term, also where nothing was written in it', async () => {
  // What no region has stored.
  const { home, next, other } = await promoted((home) => home.revoke(AGENT));
  const ap = await region(next, { url: next.url, key: other });
  await ap.close();

  await home.boot();
  expect(await home.revoke(AGENT, { cmd_id: 'taken-by-mistake' })).toMatchObject({ status: 200 });
  await region(home, { url: home.url, key: other, data: ap.data }).then(
    (served) => served.close(),
    () => undefined,
  );
  expect(await home.revoke(AGENT, { cmd_id: 'taken-no-more' })).toMatchObject({
    ...{ status: 503, json: { code: 'MESH_SEALED', details: { term: 2 } } },
  });
}, 30_000);

test('a region that holds events of the new term does not follow an old home, and says which of the two is behind', async () => {
  const { home, next, other } = await promoted();
  await next.revoke(AGENT);
  const ap = await region(next, { url: next.url, key: other });
  await ap.close();
  await home.boot();
  await expect(region(home, { url: home.url, key: other, data: ap.data })).rejects.toMatchObject({
    ...{ code: 'STATE', message: expect.stringContaining('is behind: what is held here is of term 2') as string },
  });
}, 30_000);

test('a region that was off while home was restored is promoted at once, under a greater term than that of home', async () => {
  const { home, key, eu, brought } = await left();
  const { port } = home;
  await home.serving.close();
  backUpMesh(home.data, brought, false);
  expect(await restoreMesh(SYSTEM, brought, home.data)).toMatchObject({ term: 2 });
  await home.boot({ port });
  await promotedInPlace(home, eu.data, key, brought);
}, 30_000);

test('of two regions that are promoted after each other the second one begins a greater term', async () => {
  const home = await Home.start();
  const keys = [await home.key('region', 'eu'), await home.key('region', 'ap')];
  const brought = join(scratch(), 'brought.key');
  copyFileSync(join(home.data, 'mesh.key'), brought);
  const terms: number[] = [];
  const regions = await Promise.all(keys.map((key) => region(home, { url: home.url, key })));
  for (const each of regions) await each.close();
  for (const [i, regionKey] of keys.entries()) {
    const promotion = { ...{ folder: regions[i]!.data, keyFile: brought, homeIsOff: false }, regionKey, ca: null };
    terms.push((await promoteMesh({ ...SYSTEM, env: {} }, { ...promotion, staleMs: 0 })).term);
  }
  expect(terms).toEqual([2, 3]);
}, 30_000);

test('a backup is not put into the folder of a region, whose home lives', async () => {
  const { home, key, eu, brought } = await left();
  backUpMesh(home.data, brought, false);
  await expect(restoreMesh(SYSTEM, brought, eu.data)).rejects.toMatchObject({
    ...{ code: 'STATE', message: expect.stringContaining(`follows ${home.url}`) as string },
  });
  await (await region(home, { url: home.url, key, data: eu.data })).close();
}, 30_000);

test('a home that was restored, and has taken nothing since, is sealed by the region that is promoted in its place', async () => {
  const { home, key, eu, brought } = await left();
  await home.serving.close();
  backUpMesh(home.data, brought, false);
  expect(await restoreMesh(SYSTEM, brought, home.data)).toMatchObject({ term: 2 });
  await home.boot();
  await (await region(home, { url: home.url, key, data: eu.data })).close();

  await promotedInPlace(home, eu.data, key, brought);
  expect(await home.revoke(AGENT, { cmd_id: 'too-late' })).toMatchObject({ json: { code: 'MESH_SEALED' } });
}, 30_000);

/** The way to `home`, which is cut after `left` more answers. */
async function relay(home: Home): Promise<{ left: number; readonly url: string }> {
  const server = createServer((request, response) => {
    if (way.left-- <= 0) return void request.socket.destroy();
    const { authorization = '', 'aip-proof': proof } = request.headers;
    const headers = { authorization, ...(proof === undefined ? {} : { 'aip-proof': String(proof) }) };
    void fetch(home.url + request.url!, { headers })
      .then(async (answer) =>
        response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text()),
      )
      .catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const way = { left: Infinity, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  return way;
}

/** A region of `home` that is off, and its promotion over a way that is cut after so many answers. */
async function overRelay(home: Home) {
  const [key, way] = [await home.key('region', 'eu'), await relay(home)];
  const { data, close } = await region(home, { url: way.url, key });
  await close();
  const keyFile = join(scratch(), 'brought.key');
  copyFileSync(join(home.data, 'mesh.key'), keyFile);
  const promotion = { ...{ folder: data, keyFile, homeIsOff: false }, regionKey: key, ca: null, staleMs: 0 };
  return async (answers: number, more: { readonly homeIsOff?: boolean } = {}, world = { ...SYSTEM, env: {} }) => {
    way.left = answers;
    return promoteMesh(world, { ...promotion, ...more });
  };
}

test('home that goes off between two questions of a promotion leaves it undone, and it can be given again', async () => {
  const home = await Home.start();
  const promote = await overRelay(home);
  await home.revoke(AGENT);
  const undone: unknown[] = [];
  for (let answers = 0; answers < 7; answers++)
    undone.push(await promote(answers).catch((error: unknown) => (error as { code?: string }).code));
  expect(undone).toEqual(Array(7).fill('NETWORK'));
  expect(await promote(Infinity)).toMatchObject({ head: 1, sealed: expect.stringContaining('http') as string });
}, 30_000);

test('a home that tells of the term that sealed it, and is off then, is followed by a greater one', async () => {
  const home = await Home.start();
  const [first, second] = [await overRelay(home), await overRelay(home)];
  expect(await first(Infinity)).toMatchObject({ term: 2 });
  expect(await second(4, { homeIsOff: true }, LATER)).toMatchObject({ term: 3, sealed: null });
}, 30_000);
