import { verifyKeyOf, type VerifyKey } from '../../../protocol/ed25519/verify.js';
import { toHex } from '../../../protocol/hex.js';
import { JsonError, parseJsonText } from '../../../protocol/json/parse.js';
import { passportOf, type Passport } from '../../../protocol/passport.js';
import { ShapeError } from '../../../protocol/json/shape.js';
import type { PassportFinding, PinnedKey } from '../../../verify/context.js';
import type { Trusting } from '../../../verify/trusting.js';
import type { State } from '../../ports/state.js';

/** Most passports, and most keys, kept ready for use. */
const MOST = 1024;

/**
 * What this machine trusts: its known passports and pinned principals. The state is asked every time, so that a change by
 * another process counts at once; what is costly, reading a passport and importing a key, is done once a text.
 */
export class LocalTrust implements Trusting {
  readonly #state: Pick<State, 'passport' | 'pins'>;
  readonly #findings = new Map<string, PassportFinding>();
  readonly #keys = new Map<string, VerifyKey | null>();

  constructor(state: Pick<State, 'passport' | 'pins'>) {
    this.#state = state;
  }

  readonly passport = (agentId: string): PassportFinding => {
    const known = this.#state.passport(agentId);
    return known === null ? { status: 'unknown' } : remembered(this.#findings, known.text, findingOf);
  };

  readonly pins = (principal: string): readonly PinnedKey[] =>
    this.#state.pins(principal).flatMap(({ keyId, publicKey }) => {
      const key = remembered(this.#keys, toHex(publicKey), () => verifyKeyOf(publicKey));
      return key === null ? [] : [{ keyId, key }];
    });
}

/** A passport file that names its agent and is not valid: its intents are refused with E103, not answered by a known passport. */
export interface UnreadablePassport {
  /** Every agent that it names: an edit may have changed one of the names. */
  readonly agentIds: readonly string[];
  readonly reason: string;
}

/**
 * A passport that the caller gives, else the known one. Of several for one agent the latest counts, and an older given one is
 * refused: its agent may once have been allowed more.
 */
export function givenFirst(
  given: readonly (Passport | UnreadablePassport)[],
  known: Trusting['passport'],
): Trusting['passport'] {
  return (agentId) => {
    let mine: Passport | UnreadablePassport | undefined;
    for (const each of given) {
      if ('agent' in each ? each.agent.id === agentId : each.agentIds.includes(agentId)) mine = later(mine, each);
    }
    if (mine === undefined) return known(agentId);
    if (!('agent' in mine)) return { status: 'unreadable', reason: mine.reason };
    const other = known(agentId);
    // Serials are compared with the floor, where the decision is committed.
    if (other.status === 'found' && mine.serial === 0 && other.passport.issuedAt > mine.issuedAt) {
      const { issued_at } = other.passport.document;
      return { status: 'unreadable', reason: `a later one, issued at ${issued_at}, is known here` };
    }
    return { status: 'found', passport: mine };
  };
}

/** What cannot be read could be the latest. */
function later(
  one: Passport | UnreadablePassport | undefined,
  other: Passport | UnreadablePassport,
): Passport | UnreadablePassport {
  if (one === undefined || !('agent' in other)) return other;
  return !('agent' in one) || isLater(one, other) ? one : other;
}

function isLater(one: Passport, other: Passport): boolean {
  return one.serial === other.serial ? one.issuedAt > other.issuedAt : one.serial > other.serial;
}

function findingOf(text: string): PassportFinding {
  try {
    return { status: 'found', passport: passportOf(parseJsonText(text)) };
  } catch (error) {
    if (error instanceof ShapeError || error instanceof JsonError)
      return { status: 'unreadable', reason: error.reason };
    throw error;
  }
}

function remembered<T>(kept: Map<string, T>, key: string, make: (key: string) => T): T {
  let value = kept.get(key);
  if (value === undefined) {
    if (kept.size >= MOST) kept.clear();
    kept.set(key, (value = make(key)));
  }
  return value;
}
