import { describe, expect, test } from 'vitest';
import { Simulation } from '../kit/mesh/simulation/simulation.js';

/** `AIP_MESH_SEED=123` runs that one again; `AIP_MESH_SEEDS=20000` runs more. */
const ONE = process.env.AIP_MESH_SEED;
const SEEDS = Number(process.env.AIP_MESH_SEEDS ?? 2_000);
/** Of the fleet, whose servers sign, check and count more. */
const FLEETS = Math.ceil(SEEDS / 5);
const GROUPS = 10;

describe('server, ring and clients under a hostile clock, network and disk', () => {
  if (ONE !== undefined) {
    test(`seed ${ONE}`, async () => expect(await problemsOf(Number(ONE), false)).toEqual([]));
    test(`seed ${ONE} of a fleet`, async () => expect(await problemsOf(Number(ONE), true)).toEqual([]));
    return;
  }
  test.each(groups())('every promise holds, group %i', { timeout: 120_000 }, (i) => allOf(i, SEEDS, false));

  test.each(groups())(
    'with two servers on one store, keys, passports and a roster, group %i',
    { timeout: 120_000 },
    (i) => allOf(i, FLEETS, true),
  );
});

function groups(): number[] {
  return Array.from({ length: GROUPS }, (_, i) => i);
}

async function allOf(group: number, seeds: number, fleet: boolean): Promise<void> {
  for (let seed = group; seed < seeds; seed += GROUPS)
    expect(await problemsOf(seed, fleet), `seed ${seed}`).toEqual([]);
}

async function problemsOf(seed: number, fleet: boolean): Promise<string[]> {
  const simulation = new Simulation(seed, fleet);
  await simulation.run(20_000, 25_000);
  return simulation.problems;
}
