/** The mesh that `aip mesh join` or `aip mesh serve` wrote into the home's config: who can be stopped there can be stopped in programs, too. */
import { dirname, resolve } from 'node:path';
import { Failure } from '../../app/failure.js';
import { configJson } from '../../app/setup/config-text.js';
import { userConfig } from '../../workspace/files.js';
import { formatPublicKey, parsePublicKey } from '../../protocol/identity/keys.js';
import { isPlainElsewhere, webUrlProblem } from '../../protocol/web-url.js';
import { meshApiKey, wasInMesh } from '../../workspace/mesh.js';
import type { LocalWorkspace } from '../../workspace/workspace.js';
import { variable } from '../../workspace/world.js';
import type { Duration } from '../options/given.js';
import type { MeshOptions } from './options.js';

type Members = Readonly<Record<string, unknown>>;

/** As `configureMesh` takes it, without the `key` where this process cannot read it; null where the home belongs to no mesh. */
export async function joinedMesh(workspace: LocalWorkspace): Promise<MeshOptions | null> {
  const config = await userConfig(workspace);
  if (config === null) return null;
  const { mesh, revocation } = membersOf(config.text, config.path);
  const members = asMembers(mesh);
  const { url, public_key, ca, key_file, key_id, regions, replication_mode, max_propagation_time_ms } = members;
  if (url === undefined || url === null) return null;
  const { max_age, on_stale } = asMembers(revocation);
  const key = await keyOf(workspace, pathIn(config.path, key_file), typeof key_id === 'string' ? key_id : null);
  // What each may hold is looked at where all options of a mesh are.
  return {
    url: url as string,
    ...(key === null ? {} : { key }),
    ...given('publicKey', public_key as string),
    ...given('ca', pathIn(config.path, ca) ?? (ca as string)),
    ...given('insecureHttp', await plainHttp(workspace, members)),
    ...given('regions', regions as NonNullable<MeshOptions['regions']>),
    ...given('replicationMode', replication_mode as 'async'),
    ...given('maxPropagationTimeMs', max_propagation_time_ms as number),
    ...given('maxAge', max_age as Duration),
    ...given('onStale', on_stale as 'deny'),
  };
}

/** As on the command line: the environment, else what the file says, else yes where this home was in that mesh before. */
async function plainHttp(
  workspace: LocalWorkspace,
  { url, public_key, insecure_http }: Members,
): Promise<boolean | undefined> {
  if (variable(workspace.world, 'AIP_MESH_INSECURE_HTTP') !== null) return undefined;
  if (insecure_http !== undefined && insecure_http !== null) return insecure_http as boolean;
  const key = typeof public_key === 'string' ? parsePublicKey(public_key) : null;
  if (key === null || typeof url !== 'string' || webUrlProblem(url) !== null || !isPlainElsewhere(url))
    return undefined;
  return wasInMesh(workspace, formatPublicKey(key));
}

/** Null where there is none that this process can read: the copy that `aip mesh follow` keeps needs no key. */
async function keyOf(workspace: LocalWorkspace, keyFile: string | null, keyId: string | null): Promise<string | null> {
  try {
    return await meshApiKey(workspace, { keyFile, keyId }, {});
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'USAGE') throw error;
    workspace.world.notice(`The mesh of this machine is not asked, its API key cannot be read: ${error.message}`);
    return null;
  }
}

/** As for the command line, a path in a file is the file's own, wherever the program runs. */
function pathIn(config: string, path: unknown): string | null {
  return typeof path === 'string' ? resolve(dirname(config), path) : null;
}

function given<K extends keyof MeshOptions>(name: K, value: MeshOptions[K]): Partial<MeshOptions> {
  return value === undefined || value === null ? {} : { [name]: value };
}

function membersOf(text: string, path: string): Members {
  return asMembers(configJson(path, text));
}

function asMembers(value: unknown): Members {
  return typeof value === 'object' && value !== null ? (value as Members) : {};
}
