import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { openThrowaway } from '../../../../src/adapters/sqlite/file/create.js';
import { stateOn } from '../../../../src/adapters/sqlite/state.js';
import { STATE_STEPS } from '../../../../src/adapters/postgres/state/schema.js';
import { STATE_VERSION } from '../../../../src/adapters/postgres/state/version.js';
import { traitsOf } from '../../../../src/protocol/constraints/counted-names.js';
import {
  callsOf,
  claim,
  count,
  fleetMemoryContract,
  histories,
  sharedRequestsContract,
  sum,
} from '../../../contract/fleet-memory.js';
import { describePostgres, QUICK } from '../../../kit/postgres.js';
import { T0 } from '../../../kit/state/drafts.js';
import { fleetDatabase, type FleetDatabase } from '../../../kit/state/fleet.js';
import { LedgerMemory, SharedTables } from '../../../kit/state/ledger-memory.js';
import { openAt, statePath } from '../../../kit/state/temporary.js';

const inState = async () => {
  let now = T0;
  const path = statePath();
  const tables = new SharedTables();
  return {
    open: () =>
      new LedgerMemory(
        openAt(path, () => now),
        () => now,
        tables,
      ),
    setClock: async (ms: number) => void (now = ms),
    enroll: async (key: string, is: boolean) => void (is ? tables.enrolled.add(key) : tables.enrolled.delete(key)),
  };
};

fleetMemoryContract('one state', inState);
sharedRequestsContract('one state', inState);

/** The same without a file. */
const inMemory = () => {
  let now = T0;
  const state = stateOn(openThrowaway(randomBytes), 'a throwaway state', { random: randomBytes, clock: () => now });
  const tables = new SharedTables();
  return {
    open: () => new LedgerMemory(state, () => now, tables),
    setClock: (ms: number) => void (now = ms),
  };
};

test('the version is the number of its steps', () => {
  expect(STATE_VERSION).toBe(STATE_STEPS.length);
});

describePostgres('PostgreSQL', QUICK, (cluster) => {
  let fleet: FleetDatabase;
  beforeAll(async () => {
    fleet = await fleetDatabase(cluster());
  });
  const inDatabase = async () => {
    await fleet.empty();
    await fleet.setClock(T0);
    return {
      open: () => fleet.memory('aaaaaaaaaaaaaaaa'),
      setClock: (ms: number) => fleet.setClock(ms),
      enroll: (key: string, is: boolean) => fleet.enroll(key, is),
    };
  };
  fleetMemoryContract('PostgreSQL', inDatabase);
  sharedRequestsContract('PostgreSQL', inDatabase);

  test('settles random claims as one state does', { timeout: 600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(histories, async (history) => {
        const [mine, theirs] = [inMemory(), await inDatabase()];
        const [here, there] = [
          [mine.open(), mine.open()],
          [theirs.open(), theirs.open()],
        ];
        for (const { at, opening, claims } of callsOf(history)) {
          mine.setClock(at);
          await theirs.setClock(at);
          const expected = await here[opening]!.settle(claims);
          const found = await there[opening]!.settle(claims, false);
          expect(found.claims).toEqual(expected.claims);
        }
        for (const memory of there) await memory.close();
      }),
      { numRuns: 40 },
    );
  });

  describe('what only a database has', () => {
    test('an action that is busy is kept by the second, and counted against the agent until that second is over', async () => {
      const { open, setClock } = await inDatabase();
      const memory = open();
      const before = T0 - (T0 % 60_000);
      await setClock(before + 500);
      const claims = Array.from({ length: 1010 }, () => claim());
      for (let i = 0; i < claims.length; i += 101) await memory.settle(claims.slice(i, i + 101), false);
      expect(await fleet.sql('SELECT count(*) AS n FROM aip_state.usages')).toEqual([{ n: '1000' }]);
      expect(await fleet.sql('SELECT at, count, amount FROM aip_state.seconds')).toEqual([
        { at: String(before + 999), count: '10', amount: '100' },
      ]);
      const looks = async () =>
        (await memory.settle([claim({ obstacles: [count(1010), sum(10_099n)], looks: true })], false)).claims[0]!
          .readings;
      // The 1,010th newest is one of the second, which is over at its end.
      expect(await looks()).toEqual([
        { kind: 'count', used: 1010, roomAt: before + 500 + 3_600_000 },
        { kind: 'sum', spent: 10_100n },
      ]);
      await setClock(before + 500 + 3_600_000);
      expect((await looks())[0]).toMatchObject({ used: 10 });
      await setClock(before + 998 + 3_600_000);
      expect((await looks())[0]).toMatchObject({ used: 10 });
      await setClock(before + 999 + 3_600_000);
      expect((await looks())[0]).toMatchObject({ used: 0 });
    });
    test('what a name was split into by an earlier version gives way with the next accepted intent of the action', async () => {
      const memory = (await inDatabase()).open();
      const order = claim({ action: 'place_order' });
      const { usage } = order.free!;
      const earlier = { ...order.free!, usage: { ...usage!, traits: traitsOf('place') } };
      const looks = async () =>
        (await memory.settle([claim({ obstacles: [count(9, { word: 'order' })], looks: true })], false)).claims[0]!
          .readings;
      await memory.settle([{ ...order, free: earlier }], false);
      expect(await looks()).toMatchObject([{ used: 0 }]);
      await memory.settle([claim({ action: 'place_order' })], false);
      expect(await looks()).toMatchObject([{ used: 2 }]);
      expect(await fleet.sql('SELECT count(*) AS n FROM aip_state.actions')).toEqual([{ n: '1' }]);
    });
    test('what nothing asks for any more is forgotten, and said to be', async () => {
      const { open, setClock } = await inDatabase();
      const memory = open();
      const old = claim({ keepUntil: T0 });
      await memory.settle([old], false);
      await setClock(T0 + 49 * 3_600_000);
      await fleet.sql(`SELECT aip_state.prune_now(${T0 + 49 * 3_600_000})`);
      for (const table of ['nonces', 'usages', 'spans'])
        expect(await fleet.sql(`SELECT count(*) AS n FROM aip_state.${table}`), table).toEqual([{ n: '0' }]);
      // Its nonce is gone; by its date it is still no new one.
      const { claims } = await memory.settle([{ ...old, since: T0 - 60_000 }], false);
      expect(claims[0]).toMatchObject({ spentAs: null, before: null, forgottenUntil: T0 });
    });
    test('a nonce is kept for ten minutes at least, whatever a verifier says', async () => {
      const { open } = await inDatabase();
      await open().settle([claim({ keepUntil: 0, keepMs: 0 })], false);
      expect(await fleet.sql('SELECT kept - seen AS ms FROM aip_state.nonces')).toEqual([{ ms: '600000' }]);
    });
    test('an amount below zero gives nothing back', async () => {
      const { open } = await inDatabase();
      await expect(open().settle([claim({ amount: -5n })], false)).rejects.toMatchObject({
        code: 'STATE_UNAVAILABLE',
        exitCode: 5,
      });
      expect(await fleet.sql('SELECT count(*) AS n FROM aip_state.nonces')).toEqual([{ n: '0' }]);
    });
    test('what a killed process left is told to the next one of its name alone, once it was long enough ago', async () => {
      const { open, setClock } = await inDatabase();
      const killed = open();
      const kept = claim();
      await killed.settle([kept, claim({ looks: true })], false);
      expect((await open().settle([], true)).open).toEqual([]);
      await setClock(T0 + 31_000);
      expect((await fleet.memory('bbbbbbbbbbbbbbbb').settle([], true)).open).toEqual([]);
      const next = open();
      const found = await next.settle([claim()], true);
      expect(found.open).toMatchObject([
        { at: T0, claims: [{ agentId: kept.agentId, intentHash: kept.intentHash, spentAs: 'accepted' }] },
      ]);
      // Said to be logged only when it is: a second one that is killed leaves both.
      await setClock(T0 + 70_000);
      expect((await open().settle([], true)).open).toHaveLength(2);
      found.logged();
      await next.close();
      expect((await open().settle([], true)).open).toEqual([]);
    });
  });
});
