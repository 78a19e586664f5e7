/** What speaks with a mesh, and this machine's copy of its state. Sockets are loaded when something is asked. */
import type { MeshFollowOptions, MeshFollow } from '../adapters/mesh/client/follow.js';
import type { OnceOptions } from '../adapters/mesh/client/refresh-once.js';
import type { LocalCopy } from '../adapters/mesh/client/local-copy.js';
import { Failure } from '../app/failure.js';
import { heldApiKey, readApiKey } from '../app/keys/mesh-api-key.js';
import { openKey } from '../app/keys/keyring.js';
import { toHex } from '../protocol/hex.js';
import { formatPublicKey } from '../protocol/identity/keys.js';
import type { OperatorSigner } from '../app/mesh/hand-in.js';
import type { MeshCopy, MeshEndpoint } from '../app/ports/mesh.js';
import type { VerifierKey } from '../mesh/roster/member.js';
import { keyring, secretFile, type KeyPlaces } from './keys.js';
import type { Lifetime, LocalWorkspace } from './workspace.js';
import { variable } from './world.js';

export type { LocalCopy, MeshFollow };

/** A mesh that can be believed. */
export interface MeshAccess {
  /** URLs in the order in which they are tried. */
  readonly endpoints: readonly string[];
  /** The pinned key, `ed25519:<64 hex>`. */
  readonly publicKey: string;
  /** File of the certificate authorities (PEM) that are believed of the endpoints; null for Node's own. */
  readonly ca: string | null;
  /** The API key may go to another machine without TLS. */
  readonly insecureHttp: boolean;
}

/** Where this machine keeps its API key, as its config says. */
export interface ApiKeyPlace {
  readonly keyFile: string | null;
  /** The part of the key that is no secret, under which a key store has it. */
  readonly keyId: string | null;
}

/**
 * The API key of this machine: AIP_MESH_KEY, else a private file, else a key store; null where there is none.
 * @throws Failure USAGE (what is there is no API key), NOT_FOUND, KEYSTORE_*, KEY_NOT_FOUND, ANSWER_NEEDED
 */
export async function meshApiKey(
  workspace: LocalWorkspace,
  { keyFile, keyId }: ApiKeyPlace,
  places: KeyPlaces,
): Promise<string | null> {
  const given = variable(workspace.world, 'AIP_MESH_KEY');
  if (given !== null) return readApiKey(given, 'AIP_MESH_KEY').text;
  if (keyFile !== null) return readApiKey(await secretFile(workspace, keyFile), keyFile).text;
  return keyId === null ? null : heldApiKey(await keyring(workspace, places), keyId);
}

/** The public half of this machine's own key as a verifier; null where none was made yet. */
export async function knownMachineKey(workspace: LocalWorkspace): Promise<string | null> {
  const { knownVerifierKey } = await import('../adapters/mesh/client/verifier-key.js');
  return knownVerifierKey(workspace.paths().stateFile);
}

/** This machine's own key as a verifier, and what people call the machine. */
export async function machineKey(
  workspace: LocalWorkspace,
): Promise<{ readonly key: VerifierKey; readonly host: string }> {
  const [{ verifierKey }, { hostLabel }] = await Promise.all([
    import('../adapters/mesh/client/verifier-key.js'),
    import('../adapters/mesh/client/host-label.js'),
  ]);
  return { key: verifierKey(workspace.paths().stateFile), host: hostLabel() };
}

/** Lines to the endpoints, in order, until `lifetime` ends: the workspace's unless another is given. */
export async function meshLines(
  workspace: LocalWorkspace,
  { endpoints, ca, insecureHttp }: Pick<MeshAccess, 'endpoints' | 'ca' | 'insecureHttp'>,
  key: string,
  lifetime: Lifetime = workspace,
): Promise<readonly MeshEndpoint[]> {
  const { env } = workspace.world;
  const { MeshHttp, meshLine } = await import('../adapters/http/mesh-client.js');
  return endpoints.map((url) => {
    const http = new MeshHttp(url, key, { ca, env, insecureHttp });
    lifetime.afterwards(() => http.close());
    return meshLine(url, http);
  });
}

/** The copy of the mesh with this key; null without a mesh, for what is set on this machine alone. */
export function localCopy(workspace: LocalWorkspace, publicKey: string | null): Promise<LocalCopy> {
  return workspace.once(`copy of ${publicKey}`, () => openCopy(workspace, workspace, publicKey));
}

/**
 * True where this machine holds a copy of that mesh. One that `aip mesh join --insecure-http` let in before the permission was kept goes on by it.
 */
export async function wasInMesh(workspace: LocalWorkspace, publicKey: string): Promise<boolean> {
  return (await localCopy(workspace, publicKey)).load() !== null;
}

/** As `localCopy`, a connection of its own that ends with `lifetime`. */
export async function openCopy(
  workspace: LocalWorkspace,
  lifetime: Lifetime,
  publicKey: string | null,
): Promise<LocalCopy> {
  const { openLocalCopy } = await import('../adapters/mesh/client/local-copy.js');
  const { random, onlyReads } = workspace.world;
  const copy = openLocalCopy(workspace.paths().stateFile, publicKey, random, onlyReads);
  lifetime.afterwards(() => copy.close());
  return copy;
}

/**
 * How this machine's operator signs commands, with the key `keyId` of a principal here.
 * @throws Failure KEY_NOT_FOUND, KEYSTORE_*
 */
export async function operatorSigner(
  workspace: LocalWorkspace,
  keyId: string,
  places: KeyPlaces,
): Promise<OperatorSigner> {
  const ring = await keyring(workspace, places);
  const pin = ring.state.pins(keyId.slice(0, keyId.indexOf('#'))).find((one) => one.keyId === keyId);
  if (pin === undefined) {
    throw new Failure('KEY_NOT_FOUND', `mesh.operator_key names ${keyId}, which this machine does not have.`, {
      hint: 'aip mesh join <url> --operator-key <did>, or: aip init --domain <domain>',
    });
  }
  const key = await openKey(ring, keyId, pin.publicKey);
  return {
    publicKey: formatPublicKey(key.publicKey),
    sign: async (text) => toHex(await key.sign(Buffer.from(text))),
  };
}

/** A follower of the mesh, not started yet. */
export async function meshFollower(
  { world: { env } }: Pick<LocalWorkspace, 'world'>,
  access: MeshAccess,
  key: string,
  options: Omit<MeshFollowOptions, keyof MeshAccess | 'key' | 'check' | 'env'>,
): Promise<MeshFollow> {
  const [{ MeshFollow }, check] = await Promise.all([
    import('../adapters/mesh/client/follow.js'),
    meshCheck(access.publicKey),
  ]);
  return new MeshFollow({ ...options, ...reachOf(access), env, key, check });
}

/** One look at the mesh for a copy. */
export interface CopyRefresh extends Partial<Pick<OnceOptions, 'verifier' | 'onUncounted'>> {
  /** The API key, as text. */
  readonly key: string;
  readonly copy: MeshCopy;
  readonly maxAgeMs: number;
  readonly timeoutMs: number;
}

/**
 * Brings the copy up to date; true when it was proven current within `timeoutMs`. Denies that arrived are kept either way. `verifier`: the one
 * that will decide from it, which the mesh counts from then on.
 */
export async function refreshCopy(
  { world: { env } }: Pick<LocalWorkspace, 'world'>,
  access: MeshAccess,
  { timeoutMs, ...once }: CopyRefresh,
): Promise<boolean> {
  const [{ refreshOnce }, check] = await Promise.all([
    import('../adapters/mesh/client/refresh-once.js'),
    meshCheck(access.publicKey),
  ]);
  return refreshOnce({ ...reachOf(access), env, check, verifier: null, ...once }, timeoutMs);
}

function reachOf({ endpoints, ca, insecureHttp }: MeshAccess): Omit<MeshAccess, 'publicKey'> {
  return { endpoints, ca, insecureHttp };
}

/** True when `signature` is the mesh's over `text`. @throws Failure USAGE when the key is no acceptable one */
export async function meshCheck(publicKey: string): Promise<(text: string, signature: string) => boolean> {
  const { checkOf } = await import('../adapters/mesh/mesh-key.js');
  const check = checkOf(publicKey);
  if (check !== null) return check;
  throw new Failure('USAGE', 'The public key of the mesh is not an acceptable Ed25519 key.', {
    hint: 'get it again from where the mesh is served',
  });
}
