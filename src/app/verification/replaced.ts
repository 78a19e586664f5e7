/** Step 1 inside the transaction: which passport of an agent counts is known there alone, and there it becomes the floor for others. */
import type { Passport } from '../../protocol/passport.js';
import { demandProblem, floorProblem, type Demand } from '../../verify/checks/floor.js';
import type { Facts, PinnedKey } from '../../verify/context.js';
import type { Violation } from '../../verify/decision.js';
import type { InForce } from '../../verify/dialect.js';
import { bindingFloors, floorOf } from '../passports/floors.js';
import type { PassportFloor } from '../ports/state.js';

/** What the caller demands of an agent's passport; null where it demands nothing. */
export type Demands = (agentId: string) => Demand | null;

/** What is known of agents' passports at the moment of a judgement. */
export interface PassportMemory extends Pick<Facts, 'standing' | 'standingNow' | 'wallNow'> {
  /** What was remembered of an agent's passports; empty for a verifier without state. */
  readonly floors: (agentId: string) => readonly PassportFloor[];
  /** Keeps what the documents judged here raise; null where nothing is kept. */
  readonly raiseFloor: ((floor: PassportFloor) => void) | null;
  /** The names that a key bound to no agent has spoken under. */
  readonly spokenNames: (key: string) => readonly string[];
  /** Keeps one more; null where nothing is kept. */
  readonly addSpokenName: ((key: string, agentId: string) => void) | null;
  /** What the caller demands of passports beside what is known here. */
  readonly demands: Demands;
}

/** Why a passport that holds by itself counts no longer here; null when it does. */
export function replacement(passport: Passport, pins: readonly PinnedKey[], memory: PassportMemory): Violation | null {
  const floors = memory.floors(passport.agent.id);
  const problem = floorProblem(passport, bindingFloors(floors, pins, memory));
  if (problem !== null) return problem;
  const demand = memory.demands(passport.agent.id);
  return demand === null ? null : demandProblem(passport, demand);
}

/** A passport that counts is the least that counts from now on. */
export function raise({ passport, pins }: InForce, { floors, raiseFloor, wallNow }: PassportMemory): void {
  if (raiseFloor === null || passport.serial === 0) return;
  const floor = floorOf(passport, pins, wallNow);
  if (floor === null) return;
  const known = floors(passport.agent.id).some(
    ({ issuerKey, serial }) => issuerKey === floor.issuerKey && serial >= passport.serial,
  );
  if (!known) raiseFloor(floor);
}

/** A key that is bound to no agent answers for each of the names that it has used. */
export function rememberSpokenName(
  { key, agentId }: { readonly key: string; readonly agentId: string },
  { spokenNames, addSpokenName }: PassportMemory,
): void {
  if (addSpokenName === null) return;
  if (!spokenNames(key).includes(agentId)) addSpokenName(key, agentId);
}
