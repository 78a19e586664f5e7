/** Which mesh this machine belongs to, and what lets it in. */
import { Failure } from '../../app/failure.js';
import type { OperatorSigner } from '../../app/mesh/hand-in.js';
import { refusePlainHttp } from '../../app/ports/mesh.js';
import { parseApiKey } from '../../mesh/access/api-key.js';
import { formatPublicKey, parsePublicKey } from '../../protocol/identity/keys.js';
import { isPlainElsewhere } from '../../protocol/web-url.js';
import type { KeyPlaces } from '../../workspace/keys.js';
import * as mesh from '../../workspace/mesh.js';
import type { LocalWorkspace } from '../../workspace/workspace.js';
import type { KeyName } from '../config/keys.js';
import type { Config } from '../config/load.js';

export type { MeshAccess } from '../../workspace/mesh.js';

/** What of a command its mesh is found by. */
export interface MeshSetting {
  readonly workspace: LocalWorkspace;
  config(): Promise<Pick<Config, 'get' | 'entries'>>;
}

/** What joining a mesh always writes. */
const JOINED: readonly KeyName[] = ['mesh.url', 'mesh.public_key'];

/**
 * Null when this machine belongs to none.
 * @throws Failure USAGE when a mesh is named whose key is not pinned, or to which the API key would go in the clear and may not
 */
export async function meshAccess({ workspace, config }: MeshSetting): Promise<mesh.MeshAccess | null> {
  const { get, entries } = await config();
  const url = get('mesh.url');
  if (url === null) return null;
  const text = get('mesh.public_key');
  const key = text === null ? null : parsePublicKey(text);
  if (key === null) {
    throw new Failure(
      'USAGE',
      `The mesh ${url} is configured, and its public key is not: nothing it says could be believed.`,
      {
        hint: `aip mesh join ${url} --mesh-key <ed25519:...> --key-file <file>`,
      },
    );
  }
  const regions = get('mesh.regions').map(({ endpoint }) => endpoint);
  const endpoints = [...new Set([url, ...regions])];
  const publicKey = formatPublicKey(key);
  let insecureHttp = get('mesh.insecure_http');
  if (insecureHttp === null) {
    const own =
      entries.filter(({ name, origin }) => JOINED.includes(name) && origin === 'user').length === JOINED.length;
    insecureHttp = own && isPlainElsewhere(url) && (await mesh.wasInMesh(workspace, publicKey));
  }
  for (const endpoint of endpoints) refusePlainHttp(endpoint, insecureHttp);
  return { endpoints, publicKey, ca: get('mesh.ca'), insecureHttp };
}

/** As `meshAccess`. @throws Failure USAGE when this machine belongs to none */
export async function requireMesh(setting: MeshSetting): Promise<mesh.MeshAccess> {
  const access = await meshAccess(setting);
  if (access !== null) return access;
  throw new Failure('USAGE', 'This machine belongs to no mesh.', {
    hint: 'aip mesh serve, or: aip mesh join <url> --mesh-key <key> --key-file <file>',
  });
}

/** The API key of this machine. @throws Failure USAGE where there is none; and as `meshApiKey` */
export async function apiKey({ workspace, config }: MeshSetting, places: KeyPlaces): Promise<string> {
  const { get } = await config();
  const place = { keyFile: get('mesh.key_file'), keyId: get('mesh.key_id') };
  const key = await mesh.meshApiKey(workspace, place, places);
  if (key !== null) return key;
  throw new Failure('USAGE', 'This machine has no API key for its mesh.', {
    hint: 'set AIP_MESH_KEY, or: aip mesh join <url> --mesh-key <key> --key-file <file>',
  });
}

/** This machine's copy of the state of its mesh, or of what was set here alone. */
export async function configuredCopy(setting: MeshSetting): Promise<mesh.LocalCopy> {
  return mesh.localCopy(setting.workspace, (await meshAccess(setting))?.publicKey ?? null);
}

/** How this machine's operator signs commands; null when no key is configured for it. */
export async function configuredSigner(
  { workspace, config }: MeshSetting,
  places: KeyPlaces,
): Promise<OperatorSigner | null> {
  const keyId = (await config()).get('mesh.operator_key');
  return keyId === null ? null : mesh.operatorSigner(workspace, keyId, places);
}

/** The role in an API key's text, for what people are told; the mesh decides by its own record. */
export function roleIn(key: string): string {
  return parseApiKey(key)?.role ?? 'unknown';
}
