/** How long a database that gives no answer is asked again. */
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Connection } from '../../../../src/adapters/postgres/connection.js';
import { PostgresMemory } from '../../../../src/adapters/postgres/state/fleet-memory.js';
import { PostgresTrouble } from '../../../../src/adapters/postgres/trouble.js';

function impatient(ms: () => number, connect: (withinMs: number) => Promise<Connection>): PostgresMemory {
  return new PostgresMemory({
    connect,
    where: 'db.example',
    encrypted: true,
    verifier: 'here',
    random: randomBytes,
    clock: ms,
    ticks: () => ms() * 1000,
    patience: { totalMs: 500, tryMs: 500 },
  });
}

/** One whose tries take so long, in ms, and fail so, one after the other. */
function failing(tries: { readonly took: number; readonly trouble: PostgresTrouble }[]): PostgresMemory {
  let ms = 0;
  return impatient(
    () => ms,
    () => {
      const { took, trouble } = tries.shift()!;
      ms += took;
      return Promise.reject(trouble);
    },
  );
}

test('the last try has time for an answer: one that is cut off would hide what the server said before', async () => {
  let ms = 0;
  const given: number[] = [];
  const memory = impatient(
    () => ms,
    (withinMs) => {
      given.push(withinMs);
      ms += 140;
      return Promise.reject(new PostgresTrouble('unreachable', 'it is starting up', { sqlState: '57P03' }));
    },
  );
  await expect(memory.health(null)).rejects.toThrow('it is starting up');
  expect(given).toEqual([500, 360, 220]);
});

test('a try that the end cuts off hides neither what the server said before, nor that an earlier one may have been kept', async () => {
  const memory = failing([
    { took: 100, trouble: new PostgresTrouble('in-doubt', 'the connection broke') },
    { took: 100, trouble: new PostgresTrouble('unreachable', 'it has no connection to spare', { sqlState: '53300' }) },
    { took: 300, trouble: new PostgresTrouble('unreachable', 'no answer in 300 ms') },
  ]);
  await expect(memory.settle([], false)).rejects.toThrow(/it has no connection to spare\. It may have kept/);
});

test('what no waiting changes is said, however late it comes', async () => {
  const memory = failing([
    { took: 300, trouble: new PostgresTrouble('unreachable', 'nothing listens there') },
    { took: 170, trouble: new PostgresTrouble('unreachable', 'the password is wrong', { retryable: false }) },
  ]);
  const refused = { message: expect.stringContaining('the password is wrong') as string, retryable: false };
  await expect(memory.settle([], false)).rejects.toMatchObject(refused);
});
