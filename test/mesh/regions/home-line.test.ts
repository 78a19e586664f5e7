/** What a following server takes over from home. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { MemoryMeshStore } from '../../kit/mesh/memory/store.js';
import { HomeLine } from '../../../src/adapters/mesh/region/home-line.js';
import { LOG_ID } from '../../kit/mesh/server.js';

const KEY = {
  ...{ keyId: '0a'.repeat(8), role: 'verifier', hash: 'ab'.repeat(32), label: null, publicKey: null },
  ...{ maxVerifiers: 1, ephemeral: false, createdAt: 1_000, revokedAt: null },
} as const;

test('a key that home has revoked stays revoked though an older answer of home arrives later', async () => {
  let answerFirst: () => void = () => undefined;
  const answers = [{ ...KEY }, { ...KEY, revokedAt: 2_000 }].map((key) =>
    JSON.stringify({ keys: [key], principals: [] }),
  );
  let asked = 0;
  const home = createServer((_, reply) => {
    const answer = answers[asked++];
    const give = (): void => void reply.setHeader('content-type', 'application/json').end(answer);
    if (asked === 1) answerFirst = give;
    else give();
  });
  await new Promise<void>((resolve) => home.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(home.address() as AddressInfo).port}`;
  const options = { check: () => true, folder: '/nowhere', randomHex: () => '', now: () => 0, ca: null };
  const line = new HomeLine({ url, key: 'none', ...options });
  const store = new MemoryMeshStore(LOG_ID);
  line.store = store;
  try {
    const both = [line.fetchTables(), line.fetchTables()];
    await new Promise((resolve) => setTimeout(resolve, 200));
    answerFirst();
    expect(await Promise.all(both)).toEqual([true, true]);
    expect(await store.keys.find(KEY.keyId)).toMatchObject({ revokedAt: 2_000 });
  } finally {
    line.close();
    home.close();
  }
});

test.each([
  ['the clock is set back by an hour', -3_600_000, 30_000],
  ['the machine sleeps, and the clock that counts its uptime stands still', 30_000, 0],
])('how old the proof of home is stays known where %s', (_, wall, mono) => {
  let [now, up] = [1_771_424_625_000, 5_000];
  const spy = vi.spyOn(performance, 'now').mockImplementation(() => up);
  onTestFinished(() => spy.mockRestore());
  const options = { check: () => true, folder: '/nowhere', randomHex: () => '', now: () => now, ca: null };
  const line = new HomeLine({ url: 'http://127.0.0.1:1', key: 'none', ...options });
  expect(line.provenAgo()).toBeNull();
  line.hasProven();
  now += wall;
  up += mono;
  expect(line.provenAgo()).toBe(30_000);
  line.close();
});
