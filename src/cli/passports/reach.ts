/** What is said of who has a passport that was signed here: what is true of this machine, and what of the fleet. */
import { basename } from 'node:path';
import { publishPassport, type Publishing } from '../../app/mesh/passports.js';
import { Failure, shellWord } from '../../app/failure.js';
import { isRefusedAs } from '../../app/mesh/answers.js';
import type { Passport } from '../../protocol/passport.js';
import { canonicalize } from '../../protocol/json/canonical.js';
import type { JsonObject } from '../../protocol/json/values.js';
import type { KeyPlaces } from '../../workspace/keys.js';
import { meshAccess, roleIn } from '../mesh/access.js';
import { meshSession, orderDeps } from '../mesh/session.js';
import { renderReach } from '../render/standing.js';
import { clean } from '../render/terminal/text.js';
import { formatPublicKey } from '../../protocol/identity/keys.js';
import { localState } from '../../workspace/state.js';
import type { Setting } from '../setting.js';
import type { Output } from '../output.js';
import type { Surroundings } from '../io.js';

/** What these functions need of a command. */
type Scene = Setting & Output & Surroundings;

/** What became of a signed passport at the mesh. */
export interface Announced {
  /** Null where it was not handed in, or the mesh did not take it. */
  readonly publishing: Publishing | null;
  /** 5 where the mesh did not take it, or not every verifier has it. */
  readonly exitCode: 0 | 5;
}

const HERE: Announced = { publishing: null, exitCode: 0 };

/**
 * Hands a passport in where this machine has joined a mesh with a role that may; says what is true where it does not. `first`: of an agent
 * that is new, whose principal the mesh need not know yet.
 */
export async function announce(
  cli: Scene,
  passport: Passport,
  flags: KeyPlaces & { readonly publish?: boolean; readonly force?: boolean; readonly first?: boolean },
): Promise<Announced> {
  if (flags.publish === false || (await meshAccess(cli)) === null) return HERE;
  try {
    const session = await meshSession(cli, flags);
    if (!['operator', 'admin'].includes(roleIn(session.key))) return HERE;
    const text = canonicalize(passport.document as unknown as JsonObject);
    const deps = await orderDeps(cli, session, flags);
    const publishing = await publishPassport(deps, passport, text, flags.force ?? false);
    if (publishing.missing > 0)
      cli.warn('PROPAGATION_INCOMPLETE: not every verifier has it yet; aip mesh status shows which.', 'AIP-E501');
    return { publishing, exitCode: publishing.missing > 0 ? 5 : 0 };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // A mesh that does not know the principal was never to carry its passports.
    const unknown = isRefusedAs(error, 'PRINCIPAL_UNKNOWN');
    const publish = `aip passport publish ${clean(passport.agent.id)}`;
    if (unknown) {
      const { principal } = passport.document;
      const carries = `The mesh carries no passports of ${principal} yet.`;
      if (flags.first !== true)
        cli.warn(`${carries} Other machines go by the one that they have.`, 'principal_unknown');
      const known = flags.first === true ? `${carries} ` : '';
      cli.note(`${known}An admin changes that:\n  ${await registering(cli, principal)}\n  ${publish}`);
    } else {
      // It was signed, and is in force on this machine.
      const why = clean(error.message).replace(' Nothing was changed.', '');
      cli.warn(
        `The mesh did not take it: ${why} It is signed all the same; once that is mended, on this machine: ${publish}`,
        'not_published',
      );
    }
    return { publishing: null, exitCode: unknown ? 0 : 5 };
  }
}

/** The command by which an admin has the mesh take a principal's passports, with its key where that is pinned here. */
export async function registering(cli: Setting, principal: string): Promise<string> {
  const pin = (await localState(cli.workspace)).pins(principal).at(-1);
  return `aip mesh principal add ${principal} --public-key ${pin === undefined ? '<key>' : formatPublicKey(pin.publicKey)}`;
}

/** Says who has the passport. `pin`: of an agent that is new, the command by which another machine comes to believe its principal. */
export function sayReach(cli: Scene, path: string | null, { publishing }: Announced, pin: string | null = null): void {
  if (publishing === null) return knownHereAlone(cli, path, pin);
  const { outcome } = publishing;
  cli.out(`  in force as event ${outcome.seq} of the mesh\n  ${renderReach(publishing, cli.paint)}`);
}

/** Said after a passport was signed and went nowhere else. */
function knownHereAlone(cli: Scene, path: string | null, pin: string | null): void {
  const [copied, named] = path === null ? ['it', '<file>'] : [clean(path), shellWord(clean(basename(path)))];
  const first = pin === null ? '' : `\n  ${pin}`;
  cli.note(
    `\nOnly this machine has it. Copy ${copied} to every other machine that verifies, and there:${first}\n  aip passport import ${named}`,
  );
}
