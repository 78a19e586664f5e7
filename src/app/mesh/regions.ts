/** Regions, as those who give commands and ask questions see them. */
import { documentOf, partOf, type ValueOf } from '../../mesh/document.js';
import type { SCHEMAS } from '../../mesh/schemas.js';
import type { RegionRow } from '../../mesh/server/regions/registry.js';
import type { JsonObject } from '../../protocol/json/values.js';
import type { MeshEndpoint } from '../ports/mesh.js';
import { askMesh } from './answers.js';

/** A region as it is configured. */
export interface ConfiguredRegion {
  readonly name: string;
  readonly endpoint: string;
}

/** How commands are to reach the regions. */
export interface Replicating {
  readonly mode: 'async' | 'sync';
  readonly regions: readonly ConfiguredRegion[];
}

/** A region's place with one command, as `--json` prints it. */
export type RegionReport = RegionRow;

/** What a command says of the regions, to be added to its query. */
export function replicationQuery(replicating: Replicating | undefined, withinMs: number): string {
  if (replicating === undefined) return '';
  const query = new URLSearchParams({ replication: replicating.mode, within: `${withinMs}ms` });
  for (const { name, endpoint } of replicating.regions) {
    query.append('region', name);
    query.append('endpoint', endpoint);
  }
  return `&${query.toString()}`;
}

/** A region's place in the answer to a command. @throws ShapeError */
export function regionIn(value: JsonObject): RegionReport {
  return partOf('RegionReceipt', value, ['region', 'state', 'ms', 'last_seq', 'last_seen']);
}

/** The regions of a mesh as home knows them, as `aip mesh status --regions --json` prints them. */
export type RegionsView = ValueOf<(typeof SCHEMAS)['Regions']>;

/** Asks home, perhaps through a region, how far each region is. @throws Failure NETWORK */
export function regionsOf(line: MeshEndpoint): Promise<RegionsView> {
  const call = { method: 'GET', target: '/v1/mesh/regions', timeoutMs: 5_000 } as const;
  return askMesh(line, call, (answer) => documentOf('Regions', answer));
}
