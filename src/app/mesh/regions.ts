/** Regions, as those who give commands and ask questions see them. */
import { Members } from './answers.js';
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
export interface RegionReport {
  readonly region: string;
  /** `late`: a synchronous command waited for it in vain. */
  readonly state: 'acknowledged' | 'pending' | 'late';
  /** From the commit to the word that it is stored there; null while there is none. */
  readonly ms: number | null;
  readonly last_seq: number | null;
  /** RFC 3339, by home's clock; null of one that was never heard. */
  readonly last_seen: string | null;
}

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

/** The regions in the answer to a command. */
export function regionsIn(answer: Members): readonly RegionReport[] {
  return answer.list('regions').map((one) => ({
    region: one.text('region'),
    state: one.oneOf('state', 'acknowledged', 'pending', 'late'),
    ms: one.numberOrNull('ms'),
    last_seq: one.numberOrNull('last_seq'),
    last_seen: one.textOrNull('last_seen'),
  }));
}

/** A region as it stands, as `aip mesh status --regions --json` prints it. */
export interface RegionStanding {
  readonly region: string;
  readonly state: 'following' | 'absent' | 'never-seen';
  readonly last_seq: number | null;
  readonly last_seen: string | null;
  /** Events that home has and the region has not said it stored. */
  readonly behind: number | null;
}

/** The regions of a mesh, as home knows them. */
export interface RegionsView {
  readonly home: {
    readonly region: string | null;
    readonly head: number;
    readonly term: number;
    /** RFC 3339. */
    readonly time: string;
    readonly sealed_by_term: number | null;
  };
  readonly replication_mode: 'async' | 'sync';
  readonly max_propagation_time_ms: number;
  readonly regions: readonly RegionStanding[];
}

/** Asks home, perhaps through a region, how far each region is. @throws Failure NETWORK */
export async function regionsOf(line: MeshEndpoint): Promise<RegionsView> {
  const body = await askMesh(line, { method: 'GET', target: '/v1/mesh/regions', timeoutMs: 5_000 });
  const answer = new Members(line, body);
  const home = answer.objectOrNull('home')!;
  return {
    home: {
      region: home.textOrNull('region'),
      head: home.number('head'),
      term: home.number('term'),
      time: home.text('time'),
      sealed_by_term: home.numberOrNull('sealed_by_term'),
    },
    replication_mode: answer.oneOf('replication_mode', 'async', 'sync'),
    max_propagation_time_ms: answer.number('max_propagation_time_ms'),
    regions: answer.list('regions').map((one) => ({
      region: one.text('region'),
      state: one.oneOf('state', 'following', 'absent', 'never-seen'),
      last_seq: one.numberOrNull('last_seq'),
      last_seen: one.textOrNull('last_seen'),
      behind: one.numberOrNull('behind'),
    })),
  };
}
