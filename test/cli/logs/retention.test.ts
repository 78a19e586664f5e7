import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { agingOf, isDue } from '../../../src/app/logs/retention.js';
import { draft } from '../../kit/state/drafts.js';
import { inHome, writePast } from '../../kit/history.js';
import { household, type Household } from '../../kit/native/household.js';

const DAY = 86_400_000;

/** A log of a hundred entries, sixty of them of a hundred days ago. */
async function aged(retention?: string): Promise<Household> {
  const home = household(retention === undefined ? {} : { env: { AIP_LOG_RETENTION: retention } });
  await home.agent('bot');
  const now = home.io.now();
  inHome(dirname(home.state), (state) =>
    state.transact((ledger) => {
      for (let i = 0; i < 100; i++)
        ledger.append(
          draft({ at: i < 60 ? now - 100 * DAY + i : now - 2 * DAY + i, nonce: i.toString(16).padStart(32, '0') }),
        );
    }),
  );
  return home;
}

const kept = (home: Household): number => inHome(dirname(home.state), (state) => [...state.records({})].length);

describe('log.retention', () => {
  test('a verification lets go a tenth at a time, and the log still verifies', async () => {
    const home = await aged('90d');
    const verify = async (): Promise<void> => {
      const signed = await home.run('intent', 'sign', '-p', 'bot', '-a', 'refund');
      const { code, err } = await home.run('intent', 'verify', home.file('i.json', signed.out));
      expect([code, err]).toEqual([0, '']);
    };
    await verify();
    expect(kept(home)).toBe(101 - 10);
    await verify();
    expect(kept(home)).toBe(92 - 9);
    const checked = await home.json<{ ok: boolean; pruned: number }>('logs', 'verify');
    expect([checked.code, checked.value]).toMatchObject([0, { ok: true, pruned: 19 }]);
  });
  test('a dry run and a command that reads let nothing go', async () => {
    const home = await aged('90d');
    const signed = await home.run('intent', 'sign', '-p', 'bot', '-a', 'refund');
    await home.run('intent', 'verify', '--dry-run', home.file('i.json', signed.out));
    await home.run('logs', 'tail', '-n', '1');
    expect(kept(home)).toBe(100);
  });
  test('prune says how much is old and stays', async () => {
    const home = await aged('90d');
    const some = await home.run('logs', 'prune');
    expect([some.out, some.err]).toMatchObject([
      expect.stringContaining('removed 10 entries'),
      expect.stringContaining('50 entries that old stay: at most a tenth'),
    ]);
    // Of five entries a tenth is none.
    const small = household({ env: { AIP_LOG_RETENTION: '90d' } });
    await small.agent('bot');
    inHome(dirname(small.state), (state) =>
      state.transact((ledger) => void ledger.append(draft({ at: small.io.now() - 100 * DAY }))),
    );
    const none = await small.run('logs', 'prune');
    expect([none.out.trim(), none.err]).toMatchObject([
      'nothing was removed',
      expect.stringContaining('1 entry that old stays: at most a tenth'),
    ]);
    const all = await small.run('logs', 'prune', '--yes', '--dry-run');
    expect(all.out).toContain('would remove 1 entry up to 1');
  });
  test('prune takes it from the config: a tenth by itself, all with --yes', async () => {
    const home = await aged('90d');
    expect((await home.json<object>('logs', 'prune', '--dry-run')).value).toMatchObject({
      removed: 0,
      would_remove: 10,
    });
    expect((await home.json<object>('logs', 'prune')).value).toMatchObject({ removed: 10 });
    expect((await home.json<object>('logs', 'prune', '--yes')).value).toMatchObject({ removed: 50 });
    expect((await home.json<object>('logs', 'prune', '--yes')).value).toMatchObject({ removed: 0 });
    expect((await home.run('logs', 'verify')).code).toBe(0);
  });
  test('nothing younger goes, and without it nothing at all', async () => {
    const home = await aged('200d');
    expect((await home.json<object>('logs', 'prune', '--yes')).value).toMatchObject({ removed: 0 });
    const plain = await aged();
    expect((await plain.run('logs', 'prune')).code).toBe(2);
  });
});

test('entries from a clock that was ahead go with those around them, and stay at the end', async () => {
  for (const [ages, gone] of [
    [[100, 99, -4000, 98, -4000, 2, 1], 4],
    [[-4000, 98, 97, 2], 3],
    [[100, -4000, 2, 99], 1],
    [[100, -4000], 1],
    [[-4000, -3000, 2], 0],
    [[-4000, -3000], 0],
  ] as const) {
    const home = household({ env: { AIP_LOG_RETENTION: '90d' } });
    await home.agent('bot');
    const now = home.io.now();
    writePast(
      dirname(home.state),
      ages.map((days) => ({ at: now - days * DAY })),
    );
    for (const how of [[], ['--older-than', '90d']]) {
      const { value } = await home.json<{ would_remove: number }>('logs', 'prune', '--yes', '--dry-run', ...how);
      expect([ages, value.would_remove]).toEqual([ages, gone]);
    }
    expect((await home.json<object>('logs', 'prune', '--yes')).value).toMatchObject({ removed: gone });
  }
});

describe('the clock by which entries are old', () => {
  const retention = { keepMs: 90 * DAY, now: 1000 * DAY, meshKey: null };
  test("is the mesh's where this machine's is ahead of it", () => {
    const before = (aheadMs: number) => agingOf({ ...retention, aheadMs })!.before;
    expect(before(0)).toBe(910 * DAY);
    expect(before(400 * DAY)).toBe(510 * DAY);
    // One that is behind keeps more, never less.
    expect(before(-400 * DAY)).toBe(910 * DAY);
  });
  test('is the later one where an entry is dated ahead: what is young by one of the two is not of a clock that was ahead', () => {
    const by = (aheadMs: number) => agingOf({ ...retention, aheadMs })!.now;
    expect([by(0), by(400 * DAY), by(-400 * DAY)]).toEqual([1000 * DAY, 1000 * DAY, 1400 * DAY]);
    // The clock is ten days ahead of the mesh's, and was far behind when the last entry was written.
    const home = dirname(household().state);
    writePast(
      home,
      [200, 5, 300].map((days) => ({ at: (1000 - days) * DAY })),
    );
    const aging = agingOf({ ...retention, aheadMs: 10 * DAY })!;
    expect(inHome(home, (state) => state.archive.lastBefore(aging)?.seq)).toBe(1);
  });
  test('is none where a mesh is joined whose time is not known', () => {
    expect(agingOf({ ...retention, aheadMs: null })).toBe(null);
    expect(
      isDue({ archive: { lastBefore: () => ({ seq: 1, hash: '' }) } } as never, { ...retention, aheadMs: null }),
    ).toBe(false);
  });
});

test("the verifier's key is made with the state, for nobody else to read", async () => {
  const home = household();
  await home.run('principal', 'list');
  expect(existsSync(join(dirname(home.state), 'verifier.key'))).toBe(false);
  await home.agent('bot');
  expect(statSync(join(dirname(home.state), 'verifier.key')).mode & 0o777).toBe(0o600);
});
