import { expect, test } from 'vitest';
import { Failure } from '../../../src/app/failure.js';
import type { FleetMemory, SettledBatch } from '../../../src/app/ports/fleet-memory.js';
import { CircuitOpen, withCircuit } from '../../../src/app/verification/fleet/circuit.js';
import { Breaker } from '../../../src/app/verification/hooks/breaker.js';

const SETTLED: SettledBatch = { now: 0, claims: [], open: [], logged: () => undefined };

/** A memory that answers as it is told, on a clock that moves when told to. */
function bench() {
  const world = { now: 0, answer: 'down' as 'down' | 'up' | 'wrong', asked: 0 };
  const memory: FleetMemory = {
    settle: async () => {
      world.asked += 1;
      if (world.answer === 'down') throw new Failure('STATE_UNAVAILABLE', 'nothing listens there');
      if (world.answer === 'wrong') throw new Failure('USAGE', 'a claim that is none');
      return SETTLED;
    },
    health: async () => ({
      where: 'x',
      roundTripMs: 1,
      aheadMs: 0,
      schema: 1,
      latestSchema: 1,
      encrypted: true,
      enrolled: false,
    }),
    requests: async () => [],
    answer: async () => undefined,
    release: async () => 'unknown',
    close: async () => undefined,
  };
  const fleet = withCircuit(memory, new Breaker(), () => world.now);
  const settle = (): Promise<unknown> => fleet.settle([], false).catch((error: unknown) => error);
  return { world, settle };
}

test('after 5 failures within 10 s it is not asked for 5 s; one probe closes the circuit again', async () => {
  const { world, settle } = bench();
  for (let i = 0; i < 5; i++) expect(await settle()).not.toBeInstanceOf(CircuitOpen);
  world.now = 4_999;
  expect(await settle()).toMatchObject({
    code: 'STATE_UNAVAILABLE',
    retryable: true,
    message: expect.stringMatching(/^circuit_open: /),
  });
  expect(world.asked).toBe(5);
  world.now = 5_000;
  expect(await settle()).not.toBeInstanceOf(CircuitOpen);
  expect(await settle()).toBeInstanceOf(CircuitOpen);
  expect(world.asked).toBe(6);
  world.now = 10_000;
  world.answer = 'up';
  const [probe, meanwhile] = await Promise.all([settle(), settle()]);
  expect([probe, meanwhile instanceof CircuitOpen]).toEqual([SETTLED, true]);
  expect(await settle()).toBe(SETTLED);
});

test('four failures, failures long ago, and a memory that answers with a no keep it closed', async () => {
  const { world, settle } = bench();
  for (let i = 0; i < 4; i++) await settle();
  world.now = 10_001;
  for (let i = 0; i < 4; i++) expect(await settle()).not.toBeInstanceOf(CircuitOpen);
  world.answer = 'wrong';
  for (let i = 0; i < 9; i++) expect(await settle()).toMatchObject({ code: 'USAGE' });
});
