/** Whether anything here or on the mesh has ever spoken of a subject: a mistyped id must not pass for a stopped agent. */
import { Failure } from '../../../app/failure.js';
import { fleetNames } from '../../../app/mesh/fleet-names.js';
import { askStanding } from '../../../app/mesh/orders.js';
import { shortName } from '../../../app/passports/find.js';
import type { Conduct, ProvableLog } from '../../../app/ports/log.js';
import type { State } from '../../../app/ports/state.js';
import { formatPublicKey } from '../../../protocol/identity/keys.js';
import { canonicalId } from '../../../protocol/identity/subject.js';
import { EVERYONE, scopeOf } from '../../../mesh/subject.js';
import { readPublicKey } from '../../../protocol/identity/public-key-forms.js';
import { nearestOf } from '../../../protocol/naming/nearest.js';
import { meshLines } from '../../../workspace/mesh.js';
import { localState } from '../../../workspace/state.js';
import type { KeyPlaces } from '../../../workspace/keys.js';
import { apiKey, configuredCopy, type MeshAccess } from '../access.js';
import type { Setting } from '../../setting.js';
import type { Notices } from '../../output.js';
import type { Surroundings } from '../../io.js';

/** What these functions need of a command. */
type Scene = Setting & Notices & Surroundings;

export interface Sighting {
  readonly seen: boolean;
  /** At most three ids that may have been meant; empty for a subject that was seen. */
  readonly nearest: readonly string[];
}

/** Looks here first; the mesh is asked only about what is not known here. */
export async function sightingOf(
  cli: Scene,
  mesh: MeshAccess | null,
  subject: string,
  places: KeyPlaces,
): Promise<Sighting> {
  if (subject === EVERYONE) return { seen: true, nearest: [] };
  const [state, copy, config] = await Promise.all([localState(cli.workspace), configuredCopy(cli), cli.config()]);
  const pinned = Object.keys(config.get('principals'));
  if (copy.standing(subject) !== null || knows(state, pinned, subject)) return { seen: true, nearest: [] };
  const passports = state.passports().map(({ agentId }) => agentId);
  const ids = [...passports, ...state.pins().map(({ did }) => did), ...pinned, ...state.conduct.agents()];
  const there = mesh === null ? [] : await knownThere(cli, mesh, subject, places);
  if (there === null) return { seen: true, nearest: [] };
  ids.push(...there);
  return { seen: false, nearest: nearestIds(subject, ids) };
}

/** Ids of the mesh's fleet; null where the mesh knows the subject, or does not answer: then the order itself says what is wrong. */
async function knownThere(
  cli: Scene,
  mesh: MeshAccess,
  subject: string,
  places: KeyPlaces,
): Promise<readonly string[] | null> {
  try {
    const lines = await meshLines(cli.workspace, mesh, await apiKey(cli, places));
    if ((await askStanding(lines, subject)).known) return null;
    const below = (id: string) => id === subject || id.startsWith(`${subject}:agents:`);
    const named = async (find: string) => (await fleetNames(lines, find)).map(({ agentId }) => agentId);
    if ((await named(subject)).some(below)) return null;
    return await named('');
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return null;
  }
}

/** What tells of subjects here. */
type Witnesses = Pick<State, 'passport' | 'passports' | 'pins' | 'floors' | 'look'> &
  Pick<ProvableLog, 'wasJudgedWith'> &
  Tallies & { readonly conduct: Pick<Conduct, 'agents'> };

/**
 * True for an agent of a passport or of an intent whose signature held, a principal with a pin or such an agent, a key that is or was
 * believed. What a caller brought and this machine judged under, without keeping it, was seen as well.
 */
function knows(state: Witnesses, pinned: readonly string[], subject: string): boolean {
  switch (scopeOf(subject)) {
    case 'principal':
      return (
        pinned.includes(subject) ||
        state.pins(subject).length > 0 ||
        [...state.passports().map(({ agentId }) => agentId), ...state.conduct.agents()].some((agentId) =>
          (canonicalId(agentId) ?? agentId).startsWith(`${subject}:agents:`),
        )
      );
    case 'key':
      return (
        state.pins().some(({ keyId, publicKey }) => keyId === subject || formatPublicKey(publicKey) === subject) ||
        state.passports().some(({ text }) => text.includes(`"${subject}"`)) ||
        state.wasJudgedWith(subject) ||
        state.look((ledger) => ledger.spokenNames(subject)).length > 0 ||
        state.conduct.agents().some((agentId) => state.floors(agentId).some(({ issuerKey }) => issuerKey === subject))
      );
    default: {
      const tally = state.tally(subject);
      return state.passport(subject) !== null || (tally !== null && tally.successful + tally.failed > 0);
    }
  }
}

interface Tallies {
  tally(agentId: string): { readonly successful: number; readonly failed: number } | null;
}

function nearestIds(subject: string, ids: readonly string[]): string[] {
  const named = new Map(ids.map((id) => [shortName(id), id]));
  return nearestOf(shortName(subject), [...named.keys()], 3).map((short) => named.get(short)!);
}

/** What may have been meant: an id that looks like one of these, or a key that this id does not spell. */
export function whatWasMeant({ nearest }: Sighting, subject: string): string {
  const near = nearest.length === 0 ? '' : `; near it: ${nearest.join(', ')}`;
  const spelled = subject.startsWith('did:key:') ? readPublicKey(subject) : null;
  return spelled?.kind === 'other' ? `${near}; it is ${spelled.what}, and no key is stopped with it` : near;
}
