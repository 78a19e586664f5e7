import { refusePlainHttp } from '../../app/ports/mesh.js';
import type { MeshAccess } from '../../workspace/mesh.js';
import { variable, type World } from '../../workspace/world.js';
import { flagOption, type Duration } from '../options/given.js';

/** Which mesh a workspace belongs to, and what it believes of it. */
export interface MeshOptions {
  /** URL of the mesh. Default: the first region's, or AIP_MESH_URL. */
  readonly url?: string;
  /** API key, `aipm_...`. Default: AIP_MESH_KEY. */
  readonly key?: string;
  /** What the mesh signs with, `ed25519:<64 hex>`: nothing else is believed. Default: AIP_MESH_PUBLIC_KEY. */
  readonly publicKey?: string;
  /** File of the certificate authorities (PEM) of the mesh, the only ones believed. Default: AIP_MESH_CA, else those of Node. */
  readonly ca?: string;
  /** Whether the API key may go to another machine over plain http. Default: AIP_MESH_INSECURE_HTTP, else no. */
  readonly insecureHttp?: boolean;
  /** Endpoints by region, tried in this order. */
  readonly regions?: readonly { readonly name: string; readonly endpoint: string }[];
  /** As in the guide. No region is waited for in either mode: `sync` only says so, to `onNotice`. Default: `'async'`. */
  readonly replicationMode?: 'async' | 'sync';
  /** How long `revokeAgent` waits for the verifiers that listen, in ms, 1 to 600000. Default: 500. */
  readonly maxPropagationTimeMs?: number;
  /** How old the copy may be before the mesh is asked, for at most 300 ms. Default: `'30s'`. */
  readonly maxAge?: Duration;
  /** When the mesh does not answer: judge by what was last known and say `degraded`, or refuse with AIP-E405. Default: `'last-known'`. */
  readonly onStale?: 'last-known' | 'deny';
}

/** The endpoints, and whether the API key may go to them in the clear. @throws Failure USAGE where it would, and may not */
export function meshReach(
  endpoints: readonly string[],
  { insecureHttp: said }: MeshOptions,
  world: Pick<World, 'env'>,
): Pick<MeshAccess, 'endpoints' | 'insecureHttp'> {
  flagOption(said, 'insecureHttp');
  const insecureHttp = said ?? ['true', '1'].includes(variable(world, 'AIP_MESH_INSECURE_HTTP') ?? '');
  for (const endpoint of endpoints) refusePlainHttp(endpoint, insecureHttp);
  return { endpoints, insecureHttp };
}
