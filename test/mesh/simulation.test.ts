import { describe, expect, test } from 'vitest';
import { Simulation } from '../kit/mesh/simulation.js';

/** `AIP_MESH_SEED=123` runs that one again; `AIP_MESH_SEEDS=20000` runs more. */
const ONE = process.env.AIP_MESH_SEED;
const SEEDS = Number(process.env.AIP_MESH_SEEDS ?? 2_000);
const GROUPS = 10;

describe('server, ring and clients under a hostile clock, network and disk', () => {
  if (ONE !== undefined) {
    test(`seed ${ONE}`, async () => expect(await problemsOf(Number(ONE))).toEqual([]));
    return;
  }
  test.each(Array.from({ length: GROUPS }, (_, i) => i))(
    'every promise holds, group %i',
    { timeout: 120_000 },
    async (i) => {
      for (let seed = i; seed < SEEDS; seed += GROUPS) {
        const problems = await problemsOf(seed);
        expect(problems, `seed ${seed}`).toEqual([]);
      }
    },
  );
});

async function problemsOf(seed: number): Promise<string[]> {
  const simulation = new Simulation(seed);
  await simulation.run(20_000, 25_000);
  return simulation.problems;
}
