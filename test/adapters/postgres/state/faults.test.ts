/** What becomes of claims when the database, the network or a process fails: nothing is answered with yes that is not kept, and nothing counts twice. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Failure } from '../../../../src/app/failure.js';
import { PostgresTrouble } from '../../../../src/adapters/postgres/trouble.js';
import { STATE_SCHEMA_NAME as SCHEMA, STATE_VERSION } from '../../../../src/adapters/postgres/state/version.js';
import { PATIENCE, type PostgresMemory } from '../../../../src/adapters/postgres/state/fleet-memory.js';
import { claim, count, sum } from '../../../contract/fleet-memory.js';
import { bundle } from '../../../kit/bundle.js';
import { FaultProxy } from '../../../kit/mesh/fault-proxy.js';
import { describePostgres } from '../../../kit/postgres.js';
import { fleetDatabase, memoryAt, type FleetDatabase } from '../../../kit/state/fleet.js';

const HERE = 'aaaaaaaaaaaaaaaa';

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof Failure) return error;
  throw new Error('no Failure', { cause: error });
}

describePostgres('a fleet in trouble', {}, (cluster) => {
  let fleet: FleetDatabase;
  let program = '';
  beforeAll(async () => {
    fleet = await fleetDatabase(cluster());
    program = await bundle(fileURLToPath(new URL('../../../kit/state/fleet-process.ts', import.meta.url)));
  });
  const urlAt = (port: number) => `postgres://aip_verifier:verifier-pw@127.0.0.1:${port}/${fleet.name}`;
  const counted = async (): Promise<number> => {
    const [row] = await fleet.sql(`SELECT coalesce(sum(count), 0) AS n FROM ${SCHEMA}.spans WHERE span = 3600000`);
    return Number(row!['n']);
  };
  /** A memory behind a network that can fail. */
  async function through(): Promise<{ proxy: FaultProxy; memory: PostgresMemory; hasty: PostgresMemory }> {
    await fleet.empty();
    const proxy = await FaultProxy.start(cluster().port);
    onTestFinished(() => proxy.close());
    const url = urlAt(Number(new URL(proxy.url).port));
    const [memory, hasty] = [memoryAt(url, HERE), memoryAt(url, HERE, { patience: PATIENCE })];
    await memory.settle([], false);
    return { proxy, memory, hasty };
  }

  test('an answer that is lost after the commit is asked for again, counts once, and is the same', async () => {
    const { proxy, memory } = await through();
    await memory.settle([claim()], false);
    // The question gets there; of the answer nothing comes back.
    proxy.faults.resetAfter = 0;
    const asked = memory.settle([claim({ obstacles: [count(2)] })], false);
    for (const end = Date.now() + 10_000; (await counted()) < 2 && Date.now() < end;) await later(5);
    proxy.faults.resetAfter = null;
    expect((await asked).claims).toMatchObject([{ spentAs: 'accepted', readings: [{ kind: 'count', used: 1 }] }]);
    expect(await counted()).toBe(2);
  });
  test('a network that swallows everything: no decision, and what was kept is told at the next start', async () => {
    const { proxy, memory, hasty } = await through();
    proxy.faults.blackHole = true;
    const failure = await failureOf(hasty.settle([claim()], false));
    expect(failure).toMatchObject({ code: 'STATE_UNAVAILABLE', exitCode: 5, retryable: true });
    expect(failure.message).not.toContain('verifier-pw');
    proxy.faults.blackHole = false;
    proxy.cutAll();
    expect((await memory.settle([claim()], false)).claims).toMatchObject([{ spentAs: 'accepted' }]);
  });
  test('a connection that is cut between two calls costs nothing', async () => {
    const { proxy, memory } = await through();
    for (let i = 0; i < 5; i++) {
      proxy.cutAll();
      expect((await memory.settle([claim()], false)).claims).toMatchObject([{ spentAs: 'accepted' }]);
    }
    expect(await counted()).toBe(5);
  });
  test('a lock that another transaction holds: no decision, and none counted', async () => {
    const { memory, hasty } = await through();
    const { connectWithUrl } = await import('../../../kit/postgres.js');
    const { LOCK_CLASS } = await import('../../../../src/adapters/postgres/state/schema.js');
    const holder = await connectWithUrl(fleet.url);
    await holder.query(`BEGIN; SELECT pg_advisory_xact_lock(${LOCK_CLASS}, hashtext('${claim().agentId}'))`, [], 5000);
    expect(await failureOf(hasty.settle([claim()], false))).toMatchObject({ code: 'STATE_UNAVAILABLE' });
    expect((await memory.settle([claim({ agentId: 'did:web:acme.com:agents:other' })], false)).claims).toMatchObject([
      { spentAs: 'accepted' },
    ]);
    await holder.close();
    expect((await memory.settle([claim()], false)).claims).toMatchObject([{ spentAs: 'accepted' }]);
  });
  test('calls that name many agents in any order never wait for each other in a circle', async () => {
    await fleet.empty();
    const memories = [fleet.memory(HERE), fleet.memory('bbbbbbbbbbbbbbbb')];
    const agents = Array.from({ length: 12 }, (_, i) => `did:web:acme.com:agents:a${i}`);
    await Promise.all(
      Array.from({ length: 40 }, (_, i) => {
        const turned = [...agents.slice(i % 12), ...agents.slice(0, i % 12)];
        const order = i % 2 === 0 ? turned : turned.reverse();
        return memories[i % 2]!.settle(
          order.map((agentId) => claim({ agentId })),
          false,
        );
      }),
    );
    expect(await counted()).toBe(480);
  });
  test("clocks an hour apart: a replay is one, and windows are the database's", async () => {
    await fleet.empty();
    const [early, late] = [-3_600_000, 3_600_000].map((ahead) =>
      fleet.memory(HERE, { clock: () => Date.now() + ahead }),
    );
    // As each verifier's own clock would have it.
    const first = claim({ keepUntil: Date.now() - 3_600_000 + 600_000, since: Date.now() - 3_660_000 });
    expect((await early!.settle([first], false)).claims).toMatchObject([{ spentAs: 'accepted' }]);
    const again = { ...first, keepUntil: Date.now() + 4_200_000, since: Date.now() + 3_540_000 };
    expect((await late!.settle([again], false)).claims).toMatchObject([
      { spentAs: null, before: { firstResult: 'accepted' } },
    ]);
    expect((await late!.settle([claim({ obstacles: [count(1)] })], false)).claims).toMatchObject([
      { spentAs: 'AIP-E205' },
    ]);
    const { aheadMs } = await early!.health(null);
    expect(Math.round(aheadMs / 60_000)).toBe(60);
  });
  test('a schema of a later version settles nothing, and each connection is asked for its version first', async () => {
    await fleet.empty();
    const [early, late] = [fleet.memory(HERE), fleet.memory(HERE)];
    await early.settle([], false);
    await fleet.sql(`INSERT INTO ${SCHEMA}.versions VALUES (${STATE_VERSION + 1})`);
    try {
      for (let n = 0; n < 3; n++)
        await expect(late.settle([claim({})], false)).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
      expect(await counted()).toBe(0);
      // One that was connected before learns it from an answer, once.
      for (let n = 0; n < 3; n++)
        await expect(early.settle([claim({})], false)).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
      expect(await counted()).toBe(1);
    } finally {
      await fleet.sql(`DELETE FROM ${SCHEMA}.versions WHERE version > ${STATE_VERSION}`);
    }
    expect((await early.settle([claim({})], false)).claims).toMatchObject([{ spentAs: 'accepted' }]);
  });
  test('no connection is waited for longer than a call may take, also by who waits for his turn', async () => {
    const ends: number[] = [];
    const began = performance.now();
    const memory = fleet.memory(HERE, {
      patience: { totalMs: 600, tryMs: 400 },
      connect: (withinMs) => {
        ends.push(performance.now() + withinMs - began);
        return new Promise((_, reject) =>
          setTimeout(() => reject(new PostgresTrouble('unreachable', 'away')), withinMs / 2),
        );
      },
    });
    await Promise.allSettled([1, 2, 3, 4, 5].map(() => memory.settle([claim({})], false)));
    expect(Math.max(...ends)).toBeLessThan(650);
  });
  test('where nothing can be written the look at its health says so, as a verification does', async () => {
    await fleet.sql('ALTER ROLE aip_verifier SET default_transaction_read_only = on');
    try {
      const memory = fleet.memory(HERE);
      for (const ask of [() => memory.settle([claim({})], false), () => memory.health(null)]) {
        await expect(ask()).rejects.toMatchObject({
          code: 'STATE_UNAVAILABLE',
          message: expect.stringContaining('it only answers reads') as string,
          hint: expect.stringContaining('name the primary') as string,
        });
      }
    } finally {
      await fleet.sql('ALTER ROLE aip_verifier RESET default_transaction_read_only');
    }
  });
  test('through pgbouncer in transaction mode limits are as exact', async (context) => {
    await fleet.empty();
    const port = await cluster().pooler({ aip_verifier: 'verifier-pw' });
    if (port === null) return context.skip('pgbouncer is not installed');
    const memories = Array.from({ length: 16 }, () => memoryAt(urlAt(port), HERE));
    const found = await Promise.all(
      memories.flatMap((memory) =>
        Array.from({ length: 8 }, () => memory.settle([claim({ obstacles: [count(50), sum(1000n)] })], false)),
      ),
    );
    expect(found.filter(({ claims }) => claims[0]!.spentAs === 'accepted')).toHaveLength(50);
    expect(await counted()).toBe(50);
  });

  /** Runs the program; what it printed, and how it ended. */
  function run(
    mode: string,
    claims: readonly object[],
    startAt = 0,
  ): Promise<{ out: string; signal: NodeJS.Signals | null; err: string }> {
    const json = JSON.stringify(claims, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
    const child = spawn(process.execPath, [program, mode, urlAt(cluster().port), HERE, json, String(startAt)]);
    let [out, err] = ['', ''];
    child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()));
    child.stderr.on('data', (bytes: Buffer) => (err += bytes.toString()));
    return new Promise((resolve) => child.on('close', (_, signal) => resolve({ out, signal, err })));
  }
  test('64 processes on the last place of a limit: one gets it', { timeout: 300_000 }, async () => {
    await fleet.empty();
    const memory = fleet.memory(HERE);
    await memory.settle(
      Array.from({ length: 9 }, () => claim()),
      false,
    );
    const found = await Promise.all(
      Array.from({ length: 64 }, () =>
        run('settles', [claim({ obstacles: [count(10), sum(100n)] })], Date.now() + 12_000),
      ),
    );
    expect(found.filter(({ out }) => out === '[]' || out === '').map(({ err }) => err)).toEqual([]);
    const answers = found.map(({ out }) => (JSON.parse(out) as string[])[0]);
    expect(answers.filter((each) => each === 'accepted')).toHaveLength(1);
    expect(answers.filter((each) => each === 'AIP-E205')).toHaveLength(63);
    expect(await counted()).toBe(10);
  });
  test(
    'SIGKILL between settling and logging: each orphan is told to the next process of that verifier',
    { timeout: 120_000 },
    async () => {
      await fleet.empty();
      const killed = Array.from({ length: 8 }, () => claim());
      const ends = await Promise.all(killed.map((each) => run('killed', [each])));
      expect(ends.map(({ signal }) => signal)).toEqual(killed.map(() => 'SIGKILL'));
      await fleet.setClock(Date.now() + 31_000);
      const { open } = await fleet.memory(HERE).settle([], true);
      await fleet.setClock(null);
      const told = open.flatMap(({ claims }) => claims.map(({ intentHash }) => intentHash));
      expect(told.sort()).toEqual(killed.map(({ intentHash }) => intentHash).sort());
    },
  );
  describe('the server is killed', () => {
    test(
      'under load: what was answered is kept, what was not is settled by asking again',
      { timeout: 120_000 },
      async () => {
        await fleet.empty();
        const memories = [fleet.memory(HERE), fleet.memory('bbbbbbbbbbbbbbbb')];
        const answered: string[] = [];
        const failures: unknown[] = [];
        let going = true;
        const load = memories.flatMap((memory) =>
          Array.from({ length: 4 }, async () => {
            while (going) {
              const each = claim();
              try {
                const { claims } = await memory.settle([each], false);
                if (claims[0]!.spentAs === 'accepted') answered.push(each.intentHash);
              } catch (error) {
                failures.push(error);
              }
            }
          }),
        );
        while (answered.length < 50) await later(5);
        await cluster().kill();
        await cluster().boot();
        const before = answered.length;
        for (const end = Date.now() + 30_000; answered.length < before + 50 && Date.now() < end;) await later(5);
        going = false;
        await Promise.all(load);
        expect(answered.length).toBeGreaterThanOrEqual(before + 50);
        for (const failure of failures) expect(failure).toMatchObject({ code: 'STATE_UNAVAILABLE' });
        const [row] = await fleet.sql(`SELECT count(*) AS n FROM ${SCHEMA}.nonces`);
        // Each that failed may have been kept, and none twice.
        expect(Number(row!['n'])).toBeGreaterThanOrEqual(answered.length);
        expect(Number(row!['n'])).toBeLessThanOrEqual(answered.length + failures.length);
        expect(await counted()).toBe(Number(row!['n']));
      },
    );
    test('and does not come back: no decision, after two seconds', async () => {
      const [memory, hasty] = [fleet.memory(HERE), fleet.memory(HERE, { patience: PATIENCE })];
      await memory.settle([], false);
      await cluster().kill();
      expect(await failureOf(hasty.settle([claim()], false))).toMatchObject({
        code: 'STATE_UNAVAILABLE',
        exitCode: 5,
      });
      await cluster().boot();
      expect((await memory.settle([claim()], false)).claims).toMatchObject([{ spentAs: 'accepted' }]);
    });
  });
});

function later(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
