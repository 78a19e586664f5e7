/** Builds what speaks with the mesh. Loaded by the commands that do, and by a verification whose copy is old. */
import { parseApiKey } from '../../mesh/access/api-key.js';
import type { MeshCopy, MeshLine } from '../../app/ports/mesh.js';
import type { OperatorSigner } from '../../app/mesh/orders.js';
import type { LocalCopy } from '../../adapters/mesh/local-copy.js';
import type { VerifierKey } from '../../mesh/roster/member.js';
import { MeshHttp, meshLine } from '../../adapters/http/mesh-client.js';
import type { FollowOptions, MeshFollow } from '../../adapters/mesh/follow.js';
import { Failure } from '../../app/failure.js';
import { secretVariable } from '../../app/ports/secrets.js';
import type { Cli } from '../cli.js';
import { meshAccess, type MeshAccess } from './access.js';
import { keyring, random, type KeyFlags } from '../wiring.js';

/** The API key of this machine: AIP_MESH_KEY, the file of mesh.key_file, or the key store. */
export async function apiKey(cli: Cli, flags: KeyFlags): Promise<string> {
  const { readApiKey, heldApiKey } = await import('../../app/keys/mesh-api-key.js');
  const given = secretVariable(cli.io.env, 'AIP_MESH_KEY');
  if (given !== null) return readApiKey(given, 'AIP_MESH_KEY').text;
  const config = await cli.config();
  const path = config.get('mesh.key_file');
  if (path !== null) return readApiKey(await secretFile(path, cli), path).text;
  const name = config.get('mesh.key_id');
  if (name !== null) return heldApiKey(await keyring(cli, flags), name);
  throw new Failure('USAGE', 'This machine has no API key for its mesh.', {
    hint: 'set AIP_MESH_KEY, or: aip mesh join <url> --mesh-key <key> --key-file <file>',
  });
}

/** The secret in a small private file, or on stdin for `-`. */
export async function secretFile(path: string, cli: Cli): Promise<string> {
  const { readSecret } = await import('../../adapters/files/secret-file.js');
  return readSecret(path, { what: 'key file', most: 1024, env: cli.io.env });
}

/** This machine's own key as a verifier, and what people call the machine. */
export async function machineKey(cli: Cli): Promise<{ readonly key: VerifierKey; readonly host: string }> {
  const { hostLabel, verifierKey } = await import('../../adapters/mesh/verifier-key.js');
  return { key: verifierKey(cli.paths().stateFile), host: hostLabel() };
}

/** Lines to the endpoints, in order. */
export function meshLines(cli: Cli, { endpoints, ca }: Pick<MeshAccess, 'endpoints' | 'ca'>, key: string): MeshLine[] {
  return endpoints.map((url) => {
    const http = new MeshHttp(url, key, { ca });
    cli.afterwards(() => http.close());
    return meshLine(url, http);
  });
}

/** This machine's copy of the mesh's state. */
export function localCopy(cli: Cli): Promise<LocalCopy> {
  return cli.once(openCopy);
}

async function openCopy(cli: Cli): Promise<LocalCopy> {
  return copyFor(cli, (await meshAccess(cli))?.publicKey ?? null);
}

/** The copy of the mesh with this key, whatever the config said when the command began. */
export async function copyFor(cli: Cli, publicKey: string | null): Promise<LocalCopy> {
  const { openLocalCopy } = await import('../../adapters/mesh/local-copy.js');
  const copy = openLocalCopy(cli.paths().stateFile, publicKey, random, cli.onlyReads);
  cli.afterwards(() => copy.close());
  return copy;
}

/** How this machine's operator signs commands; null when no key is configured for it. */
export async function operatorSigner(cli: Cli, flags: KeyFlags): Promise<OperatorSigner | null> {
  const keyId = (await cli.config()).get('mesh.operator_key');
  if (keyId === null) return null;
  const [ring, { openKey }, { signerOf }] = await Promise.all([
    keyring(cli, flags),
    import('../../app/keys/keyring.js'),
    import('../../adapters/mesh/mesh-key.js'),
  ]);
  const pin = ring.state.pins(keyId.slice(0, keyId.indexOf('#'))).find((one) => one.keyId === keyId);
  if (pin === undefined) {
    throw new Failure('KEY_NOT_FOUND', `mesh.operator_key names ${keyId}, which this machine does not have.`, {
      hint: 'aip mesh join <url> --operator-key <did>, or: aip init --domain <domain>',
    });
  }
  return signerOf((await openKey(ring, keyId, pin.publicKey)).seed);
}

/** A follower of the mesh; started by whoever wants it. */
export async function follower(
  access: MeshAccess,
  key: string,
  options: Omit<FollowOptions, 'endpoints' | 'key' | 'check'>,
): Promise<MeshFollow> {
  const [{ MeshFollow }, { checkOf }] = await Promise.all([
    import('../../adapters/mesh/follow.js'),
    import('../../adapters/mesh/mesh-key.js'),
  ]);
  const { endpoints, ca, publicKey } = access;
  return new MeshFollow({ ...options, endpoints, ca, key, check: acceptable(checkOf(publicKey)) });
}

/** Brings the copy up to date; true when it was proven current within `timeoutMs`. Denies that arrived are kept either way. */
export async function refresh(
  access: MeshAccess,
  key: string,
  copy: MeshCopy,
  maxAgeMs: number,
  timeoutMs: number,
): Promise<boolean> {
  const [{ refreshOnce }, { checkOf }] = await Promise.all([
    import('../../adapters/mesh/follow.js'),
    import('../../adapters/mesh/mesh-key.js'),
  ]);
  const check = acceptable(checkOf(access.publicKey));
  return refreshOnce(
    { endpoints: access.endpoints, ca: access.ca, key, check, verifier: null, maxAgeMs, copy },
    timeoutMs,
  );
}

/** True when `signature` is the mesh's over `text`. */
export async function meshCheck(publicKey: string): Promise<(text: string, signature: string) => boolean> {
  const { checkOf } = await import('../../adapters/mesh/mesh-key.js');
  return acceptable(checkOf(publicKey));
}

function acceptable<T>(check: T | null): T {
  if (check !== null) return check;
  throw new Failure('USAGE', 'The configured key of the mesh is not an acceptable Ed25519 key.', {
    hint: 'get it again from where the mesh is served',
  });
}

/** The role in an API key's text, for what people are told; the mesh decides by its own record. */
export function roleIn(key: string): string {
  return parseApiKey(key)?.role ?? 'unknown';
}
