/** A region of a large mesh: what it and home tell each other is larger than any one document. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SqliteMeshStore } from '../../src/adapters/mesh/sqlite/store.js';
import { verifierKey } from '../../src/adapters/mesh/client/verifier-key.js';
import { writeCard } from '../../src/mesh/roster/member.js';
import { get, Home, post, region } from '../kit/mesh/several/regions.js';
import { scratch } from '../kit/scratch.js';

/** More than 64 KiB of each kind. */
const MANY = 300;

test('a region takes over a log, keys, and a roster of any length, and tells home of as many verifiers', async () => {
  const home = await Home.start();
  const key = await home.key('region', 'eu');
  const verifier = await home.key('verifier', 'fleet', { max_verifiers: MANY });
  const [, , keyId] = verifier.split('_');
  const of = { keyId: keyId!, label: null, program: '0.0.0', onStale: 'deny', maxAgeMs: 1_000 } as const;
  const cards = Array.from({ length: MANY }, (_, i) =>
    writeCard(verifierKey(join(scratch(), 'state.db')), { ...of, host: `host-${i}-${'x'.repeat(50)}` }),
  );
  const report = { verifiers: cards.map((card) => ({ card, applied: null })), present: [], gone: [] };
  expect(await post(home.url, key, '/v1/mesh/region/report', report)).toMatchObject({
    status: 200,
    json: { refused: [] },
  });
  for (let i = 0; i < 120; i++) await home.revoke(`did:web:acme.com:agents:bot-${i}`, { reason: 'r'.repeat(200) });
  const eu = await region(home, { url: home.url, key });
  expect(eu.current).toBe(true);
  for (let i = 0; i < MANY; i++) await home.key('observer', `${i}-${'x'.repeat(200)}`.slice(0, 64));
  const last = await home.key('observer', 'last');
  await expect.poll(async () => (await get(eu.url, last, '/v1/mesh/status')).status, { timeout: 5_000 }).toBe(200);
  const store = new SqliteMeshStore(join(eu.data, 'mesh.db'), () => '', { shared: true });
  try {
    const told = JSON.parse((await store.notes.get('home_roster'))!) as unknown[];
    expect(told).toHaveLength(MANY);
  } finally {
    await store.close();
  }
  expect(eu.troubles).toEqual([]);
}, 60_000);
