/** Serial floors: which of them bind now, and who raises them (protocol, section 2). */
import { MAX_SERIAL, type Passport } from '../../protocol/passport.js';
import { deniedNow } from '../../verify/believed-keys.js';
import { issuerOf } from '../../verify/checks/issuer.js';
import type { Floor } from '../../verify/checks/floor.js';
import type { Facts, PinnedKey } from '../../verify/context.js';
import { Failure } from '../failure.js';
import type { PassportFloor } from '../ports/state.js';

/** A floor from a document ends when the key that signed it is denied or no longer pinned; one from the mesh is the mesh's to end. */
export function bindingFloors(
  floors: readonly PassportFloor[],
  pins: readonly PinnedKey[],
  standing: Pick<Facts, 'standing' | 'standingNow'>,
): readonly Floor[] {
  if (floors.length === 0) return floors;
  const pinned = new Set(pins.map(({ key }) => key.text));
  return floors.filter(
    ({ issuerKey }) => issuerKey === null || (pinned.has(issuerKey) && deniedNow(standing, issuerKey) === null),
  );
}

/** The floor that a passport makes; null for one without a serial, among which the time of issue decides. */
export function floorOf(passport: Passport, pins: readonly PinnedKey[], now: number): PassportFloor | null {
  if (passport.serial === 0) return null;
  const { candidates, holds } = issuerOf(passport, () => pins);
  const signer = candidates.find(({ key }) => holds(key));
  if (signer === undefined) return null;
  return {
    agentId: passport.agent.id,
    issuerKey: signer.key.text,
    serial: passport.serial,
    hash: passport.hash(),
    raisedAt: now,
  };
}

/** The serial that the next passport of an agent takes: above every floor, also of keys that count no longer. */
export function nextSerial(floors: readonly PassportFloor[], current: number): number {
  const next = Math.max(current, ...floors.map(({ serial }) => serial)) + 1;
  if (next <= MAX_SERIAL) return next;
  throw new Failure('USAGE', `The serials of this agent are used up: ${MAX_SERIAL} is the last one.`, {
    hint: 'give the agent another name',
  });
}
