/** One's own mesh, opened for questions: lines, the pinned key's check, and the operator's signature. */
import type { AdminDeps } from '../../app/mesh/admin.js';
import type { OrderDeps } from '../../app/mesh/hand-in.js';
import type { MeshEndpoint } from '../../app/ports/mesh.js';
import { requireMesh, type MeshAccess } from './access.js';
import type { KeyPlaces } from '../../workspace/keys.js';
import { meshCheck, meshLines } from '../../workspace/mesh.js';
import { apiKey, configuredSigner } from './access.js';
import type { Replicating } from '../../app/mesh/regions.js';
import type { Config } from '../config/load.js';
import type { Setting } from '../setting.js';
import type { Surroundings } from '../io.js';

/** What these functions need of a command. */
type Scene = Setting & Surroundings;

export interface MeshSession {
  readonly access: MeshAccess;
  readonly key: string;
  readonly lines: readonly MeshEndpoint[];
  /** The first endpoint's. */
  readonly line: MeshEndpoint;
  readonly check: (text: string, signature: string) => boolean;
}

export async function meshSession(cli: Scene, flags: KeyPlaces): Promise<MeshSession> {
  const access = await requireMesh(cli);
  const [key, check] = await Promise.all([apiKey(cli, flags), meshCheck(access.publicKey)]);
  const lines = await meshLines(cli.workspace, access, key);
  return { access, key, lines, line: lines[0]!, check };
}

export async function adminSession(cli: Scene, flags: KeyPlaces): Promise<AdminDeps> {
  const [{ line }, signer] = await Promise.all([meshSession(cli, flags), configuredSigner(cli, flags)]);
  return { line, clock: cli.io.now, random: cli.workspace.world.random, signer };
}

/** What gives orders to the mesh of a session. */
export async function orderDeps(cli: Scene, session: MeshSession, places: KeyPlaces): Promise<OrderDeps> {
  const [signer, config] = await Promise.all([configuredSigner(cli, places), cli.config()]);
  const waitMs = config.get('mesh.max_propagation_time_ms');
  const { lines } = session;
  const { random } = cli.workspace.world;
  return { lines, clock: cli.io.now, random, signer, waitMs, ...replicating(config) };
}

/** What the configuration wants of the regions; nothing where it lists none. */
export function replicating(config: Pick<Config, 'get'>): { readonly replicating?: Replicating } {
  const regions = config.get('mesh.regions');
  return regions.length === 0 ? {} : { replicating: { mode: config.get('mesh.replication_mode'), regions } };
}
