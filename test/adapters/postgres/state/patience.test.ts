/** How long a database that gives no answer is asked again. */
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { PostgresMemory } from '../../../../src/adapters/postgres/state/fleet-memory.js';
import { PostgresTrouble } from '../../../../src/adapters/postgres/trouble.js';

test('the last try has time for an answer: one that is cut off would hide what the server said before', async () => {
  let ms = 0;
  const given: number[] = [];
  const memory = new PostgresMemory({
    connect(withinMs) {
      given.push(withinMs);
      ms += 140;
      return Promise.reject(new PostgresTrouble('unreachable', 'it is starting up', { sqlState: '57P03' }));
    },
    where: 'db.example',
    encrypted: true,
    verifier: 'here',
    random: randomBytes,
    clock: () => ms,
    ticks: () => ms * 1000,
    patience: { totalMs: 500, tryMs: 500 },
  });
  await expect(memory.health(null)).rejects.toThrow('it is starting up');
  expect(given).toEqual([500, 360, 220]);
});
