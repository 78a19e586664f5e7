/** Requests for approval where verifier, person and home are in different regions; and what home's own region is to it. */
import { expect, test } from 'vitest';
import { answerTo, request } from '../kit/mesh/approvals.js';
import { until } from '../kit/mesh/network.js';
import { get, Home, listener, post, region } from '../kit/mesh/several/regions.js';

test('a request of one region is told to those who listen in another, and so is the answer', async () => {
  const home = await Home.start();
  const [eu, us] = [
    await region(home, { url: home.url, key: await home.key('region', 'eu') }),
    await region(home, { url: home.url, key: await home.key('region', 'us') }),
  ];
  const key = await home.key('verifier', 'v', { max_verifiers: 3 });
  const heard = new Map<string, { readonly request_id: string; readonly approved: number }[]>();
  const listeners = [home.url, eu.url, us.url].map((url) => {
    const frames: { request_id: string; approved: number }[] = [];
    heard.set(url, frames);
    return listener(url, key, home.publicKey, {
      onApproval: (data) => frames.push(JSON.parse(data) as (typeof frames)[number]),
    });
  });
  await until(() => listeners.every(({ state }) => state === 'live'), 'live everywhere');
  const times = { requested_at: new Date().toISOString(), expires_at: new Date(Date.now() + 3_600_000).toISOString() };
  const asked = request(1, times);
  expect(await post(eu.url, key, '/v1/mesh/approvals', asked)).toMatchObject({ status: 201 });
  const everywhere = (approved: number) => () =>
    [...heard.values()].every((frames) =>
      frames.some((frame) => frame.request_id === asked.request_id && frame.approved === approved),
    );
  await until(everywhere(0), 'the request, everywhere');
  const answer = answerTo(asked, {
    approved_at: new Date().toISOString(),
    approved_until: new Date(Date.now() + 900_000).toISOString(),
  });
  expect(await post(us.url, home.admin, `/v1/mesh/approvals/${asked.request_id}/answers`, answer)).toMatchObject({
    status: 201,
  });
  await until(everywhere(1), 'the answer, everywhere');
  expect(await get(eu.url, key, `/v1/mesh/approvals/${asked.request_id}/answers`)).toMatchObject({
    json: { answers: [answer] },
  });
  // Each is told once.
  for (const frames of heard.values()) expect(frames).toHaveLength(2);
  for (const each of [eu, us]) expect(each.bugs).toEqual([]);
}, 60_000);

test('a region that comes later is told of what comes after it', async () => {
  const home = await Home.start();
  const key = await home.key('verifier', 'v');
  const times = { requested_at: new Date().toISOString(), expires_at: new Date(Date.now() + 3_600_000).toISOString() };
  const [old, fresh] = [request(1, times), request(2, times)];
  await post(home.url, key, '/v1/mesh/approvals', old);
  const eu = await region(home, { url: home.url, key: await home.key('region', 'eu') });
  const heard: string[] = [];
  const follow = listener(eu.url, key, home.publicKey, { onApproval: (data) => heard.push(data) });
  await until(() => follow.state === 'live', 'live');
  await post(home.url, key, '/v1/mesh/approvals', fresh);
  await until(() => heard.length > 0, 'the later one');
  expect(heard.map((data) => (JSON.parse(data) as { request_id: string }).request_id)).toEqual([fresh.request_id]);
}, 60_000);

test('home that followed before waits for no word of its own region', async () => {
  const replication = { mode: 'sync', withinMs: 60_000, names: ['ap'] } as const;
  const home = await Home.start({ replication, region: 'ap' });
  await home.key('region', 'ap');
  expect((await home.revoke('did:web:acme.com:agents:bot')).json).toMatchObject({ regions: [] });
  await home.key('region', 'eu');
  const table = (await get(home.url, home.admin, '/v1/mesh/regions')).json;
  expect(table).toMatchObject({ home: { region: 'ap' }, regions: [{ region: 'eu', state: 'never-seen' }] });
});
