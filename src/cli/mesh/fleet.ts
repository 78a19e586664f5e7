/** What the mesh knows of agents by name: for people who name an agent that has no passport on this machine. */
import { Failure } from '../../app/failure.js';
import { fleetNames } from '../../app/mesh/fleet-names.js';
import type { FindDeps, FleetName } from '../../app/passports/find.js';
import type { State } from '../../app/ports/state.js';
import { finding, type KeyPlaces } from '../../workspace/keys.js';
import { meshLines } from '../../workspace/mesh.js';
import { documentReader } from '../input/documents.js';
import { apiKey, configuredCopy, meshAccess } from './access.js';
import type { Setting } from '../setting.js';
import type { Notices } from '../output.js';
import type { Surroundings } from '../io.js';

/** What these functions need of a command. */
type Scene = Setting & Notices & Surroundings;

/** What finding an agent needs, the mesh's names included where this machine belongs to one. */
interface Finding extends FindDeps {
  readonly state: State;
  /** Why the mesh did not answer; null where it did, or was not asked. */
  readonly unasked: () => Failure | null;
  /** What this machine's copy of the mesh holds as stopped, or as stopped for a time that is over. */
  readonly stoppedInCopy: () => readonly string[];
}

export async function findingAnywhere(cli: Scene, places: KeyPlaces = {}): Promise<Finding> {
  let trouble: Failure | null = null;
  const local = await finding(cli.workspace, documentReader(cli));
  const copy = await configuredCopy(cli);
  return {
    ...local,
    published: () => copy.passportMarks().map(({ agent }) => agent),
    fleet: (find) => knownToMesh(cli, places, find, (failure) => (trouble = failure)),
    unasked: () => trouble,
    stoppedInCopy: () => copy.stopped().map(({ subject }) => subject),
  };
}

/** Ids that hold `find`, of agents that the mesh has believed; empty without a mesh, or when it does not answer. */
async function knownToMesh(
  cli: Scene,
  places: KeyPlaces,
  find: string,
  onTrouble: (failure: Failure) => void,
): Promise<readonly FleetName[]> {
  try {
    const mesh = await meshAccess(cli);
    if (mesh === null) return [];
    const lines = await meshLines(cli.workspace, mesh, await apiKey(cli, places));
    return await fleetNames(lines, find);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    cli.detail(`The mesh was not asked for names: ${error.message}`);
    onTrouble(error);
    return [];
  }
}
