/** Which histories the simulation goes through: `AIP_MESH_SEED=123` runs that one again, `AIP_MESH_SEEDS=20000` runs more. */
import { expect, test } from 'vitest';
import { Simulation } from './simulation.js';

const ONE = process.env.AIP_MESH_SEED;
const SEEDS = Number(process.env.AIP_MESH_SEEDS ?? 1_000);
const GROUPS = 10;

/** A test a group of seeds; of a fleet, whose servers sign, check and count more, a fifth of them. */
export function testEverySeed(fleet: boolean): void {
  if (ONE !== undefined) {
    test(`seed ${ONE}`, async () => expect(await problemsOf(Number(ONE), fleet)).toEqual([]));
    return;
  }
  const seeds = fleet ? Math.ceil(SEEDS / 5) : SEEDS;
  const groups = Array.from({ length: GROUPS }, (_, i) => i);
  test.each(groups)('every promise holds, group %i', { timeout: 120_000 }, async (group) => {
    for (let seed = group; seed < seeds; seed += GROUPS)
      expect(await problemsOf(seed, fleet), `seed ${seed}`).toEqual([]);
  });
}

async function problemsOf(seed: number, fleet: boolean): Promise<string[]> {
  const simulation = new Simulation(seed, fleet);
  await simulation.run(20_000, 25_000);
  return simulation.problems;
}
