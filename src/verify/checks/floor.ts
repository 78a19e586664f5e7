/** Step 1, the part that needs a memory: a passport that its principal has replaced never widens anything again (protocol, section 2). */
import { SUPERSEDED } from '../../protocol/codes.js';
import type { Passport } from '../../protocol/passport.js';
import { violation, type Violation } from '../decision.js';

/** The least that a passport of an agent has to be. */
export interface Floor {
  readonly serial: number;
  /** `sha256:` and hex: of two passports with one serial, the one known already; null where only the serial is known. */
  readonly hash: string | null;
}

/** Why the passport counts no longer, or not beside one of the same serial; null when it does. */
export function floorProblem(passport: Passport, floors: readonly Floor[]): Violation | null {
  const { serial, agent } = passport;
  const agent_id = agent.id;
  const { principal } = passport.document;
  const highest = floors.reduce<Floor | null>(
    (most, each) => (most === null || each.serial > most.serial ? each : most),
    null,
  );
  if (highest !== null && serial < highest.serial) {
    const message = `The passport of ${agent_id} has serial ${serial} and was replaced: ${highest.serial} is known here.`;
    const details = { reason: SUPERSEDED, serial, known_serial: highest.serial, principal, agent_id };
    return violation('PASSPORT_INVALID', message, details);
  }
  const other = floors.find(({ serial: known, hash }) => known === serial && hash !== null && hash !== passport.hash());
  if (other === undefined) return null;
  const message = `Another passport of ${agent_id} with serial ${serial} is known here, and stays in force.`;
  const details = {
    reason: 'conflict',
    serial,
    passport_hash: passport.hash(),
    known_hash: other.hash,
    principal,
    agent_id,
  };
  return violation('PASSPORT_INVALID', message, details);
}

/** What the caller demands of an agent's passport beside what is known: `--min-serial`, `--passport-hash`. */
export interface Demand {
  readonly minSerial: number | null;
  readonly hash: string | null;
}

/** Why the passport is not the one that the caller demands; null when it is. What is demanded need not be known to anybody here. */
export function demandProblem(passport: Passport, { minSerial, hash }: Demand): Violation | null {
  const { agent, serial } = passport;
  const whose = `The passport of ${agent.id}`;
  const low = minSerial === null ? null : floorProblem(passport, [{ serial: minSerial, hash: null }]);
  if (low !== null)
    return { ...low, message: `${whose} has serial ${serial} and was replaced: at least ${minSerial} is demanded.` };
  const other = hash === null ? null : floorProblem(passport, [{ serial, hash }]);
  return other === null ? null : { ...other, message: `${whose} has another hash than the one that is demanded.` };
}
