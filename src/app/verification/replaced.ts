/** Step 1 inside the transaction: which passport of an agent counts is known there alone, and there it becomes the floor for others. */
import type { Passport } from '../../protocol/passport.js';
import { demandProblem, floorProblem, type Demand } from '../../verify/checks/floor.js';
import type { PinnedKey } from '../../verify/context.js';
import type { Violation } from '../../verify/decision.js';
import type { InForce } from '../../verify/dialect.js';
import { bindingFloors, floorOf } from '../passports/floors.js';
import type { Sitting } from './conclude.js';

/** What the caller demands of an agent's passport; null where it demands nothing. */
export type Demands = (agentId: string) => Demand | null;

/** Why a passport that holds by itself counts no longer here; null when it does. */
export function replacement(
  passport: Passport,
  pins: readonly PinnedKey[],
  sitting: Pick<Sitting, 'floors' | 'demands' | 'standing' | 'wallNow'>,
): Violation | null {
  const floors = sitting.floors(passport.agent.id);
  const problem = floorProblem(passport, bindingFloors(floors, pins, sitting));
  if (problem !== null) return problem;
  const demand = sitting.demands(passport.agent.id);
  return demand === null ? null : demandProblem(passport, demand);
}

/** A passport that counts is the least that counts from now on. */
export function raise({ passport, pins }: InForce, { floors, raiseFloor, wallNow }: Sitting): void {
  if (raiseFloor === null || passport.serial === 0) return;
  const floor = floorOf(passport, pins, wallNow);
  if (floor === null) return;
  const known = floors(passport.agent.id).some(
    ({ issuerKey, serial }) => issuerKey === floor.issuerKey && serial >= passport.serial,
  );
  if (!known) raiseFloor(floor);
}
