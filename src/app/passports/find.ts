import { parseAgentId } from '../../protocol/identity/did.js';
import { readPassport, type Passport } from '../../protocol/passport.js';
import { ShapeError } from '../../protocol/json/shape.js';
import { Failure } from '../failure.js';
import type { State } from '../ports/state.js';

export interface FoundPassport {
  readonly passport: Passport;
  /** The file it was last written to or read from, when there is one. */
  readonly path: string | null;
}

export interface FindDeps {
  readonly state: Pick<State, 'passport' | 'passports'>;
  /** The bytes of a file, of stdin for `-` where that is read, or null when there is none; fails with UNREADABLE when it cannot be read. */
  readonly readFile: (path: string) => Promise<Uint8Array | null>;
}

/**
 * What people mean by `<agent>`: an agent id, a known passport's name, or a passport file. A path is one by its look
 * (`/`, `.json`), so that a file can never shadow a known name.
 */
export async function findPassport(deps: FindDeps, agent: string): Promise<FoundPassport> {
  if (parseAgentId(agent) !== null) {
    const known = deps.state.passport(agent);
    if (known === null) throw notFound(`No passport of ${agent} is known here.`);
    return { passport: parsedPassport(Buffer.from(known.text), `the known passport of ${agent}`), path: known.path };
  }
  const looksLikePath = agent.includes('/') || agent.includes('\\') || agent.endsWith('.json');
  if (!looksLikePath) {
    const named = deps.state.passports().filter((passport) => passport.name === agent);
    if (named.length > 1) {
      const ids = named.map((passport) => passport.agentId).join(', ');
      throw new Failure('USAGE', `Several known agents are named "${agent}": ${ids}.`, {
        hint: 'name one by its whole id',
      });
    }
    if (named.length === 1) return findPassport(deps, named[0]!.agentId);
  }
  const bytes = await deps.readFile(agent);
  if (bytes === null) {
    throw notFound(
      looksLikePath
        ? `There is no passport file at ${agent}.`
        : `No known passport is named "${agent}", and no such file exists.`,
    );
  }
  if (agent === '-') return { passport: parsedPassport(bytes, 'stdin'), path: null };
  return { passport: parsedPassport(bytes, agent), path: agent };
}

/** The passport in a file's bytes; a file that holds none is a failure that names it. */
export function parsedPassport(bytes: Uint8Array, where: string): Passport {
  try {
    return readPassport(bytes);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new Failure('UNREADABLE', `${where} is not a valid passport (AIP-E103): ${error.reason}.`, {
      hint: 'get it again from its principal',
    });
  }
}

function notFound(message: string): Failure {
  return new Failure('NOT_FOUND', message, { hint: 'aip passport list' });
}
