/** Mandates that a caller gives, as they are found for each agent. */
import { readMandate } from '../../../protocol/aip1/mandate.js';
import { parseExact } from '../../../protocol/aip1/encoding/numbers.js';
import type { VerifyKey } from '../../../protocol/ed25519/verify.js';
import { JsonError } from '../../../protocol/json/parse.js';
import { ShapeError } from '../../../protocol/json/shape.js';
import type { EnvelopeTrust, MandateFinding } from '../../../verify/dialects/aip1/trust.js';
import { Failure } from '../../failure.js';

/** A mandate that somebody gave, readable or not. */
export type GivenMandate = Exclude<MandateFinding, { status: 'none' }>;

/** What the bytes given as a mandate are. `issuerKey` is null where the pins say whose word counts. */
export function mandateFinding(bytes: Uint8Array, issuerKey: VerifyKey | null): GivenMandate {
  try {
    return { status: 'found', mandate: readMandate(parseExact(bytes)), issuerKey };
  } catch (error) {
    if (error instanceof JsonError || error instanceof ShapeError)
      return { status: 'unreadable', reason: error.reason };
    throw error;
  }
}

/** The mandate of each agent; where none is its own the first stands, to be refused by its name. */
export function mandatesByAgent(given: readonly GivenMandate[]): EnvelopeTrust['mandate'] {
  const own = new Map<string, MandateFinding>();
  for (const each of given) {
    if (each.status !== 'found') continue;
    const { subject } = each.mandate;
    if (own.has(subject)) throw new Failure('USAGE', `Two mandates are for ${subject}.`, { hint: 'name one of them' });
    own.set(subject, each);
  }
  return (agentId) => own.get(agentId) ?? given[0] ?? { status: 'none' };
}
