/** Which mesh this machine belongs to, and what lets it in. */
import { Failure } from '../../app/failure.js';
import { formatPublicKey, parsePublicKey } from '../../protocol/identity/keys.js';
import type { Cli } from '../cli.js';

export interface MeshAccess {
  /** URLs in the order in which they are tried. */
  readonly endpoints: readonly string[];
  /** The pinned key, `ed25519:<64 hex>`. */
  readonly publicKey: string;
  /** File of the certificate authorities (PEM) that are believed of the endpoints; null for Node's own. */
  readonly ca: string | null;
}

/** Null when this machine belongs to none. Fails with USAGE when a mesh is named whose key is not pinned. */
export async function meshAccess(cli: Cli): Promise<MeshAccess | null> {
  const config = await cli.config();
  const url = config.get('mesh.url');
  if (url === null) return null;
  const text = config.get('mesh.public_key');
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
  const regions = config.get('mesh.regions').map(({ endpoint }) => endpoint);
  return { endpoints: [...new Set([url, ...regions])], publicKey: formatPublicKey(key), ca: config.get('mesh.ca') };
}

export async function requireMesh(cli: Cli): Promise<MeshAccess> {
  const access = await meshAccess(cli);
  if (access !== null) return access;
  throw new Failure('USAGE', 'This machine belongs to no mesh.', {
    hint: 'aip mesh serve, or: aip mesh join <url> --mesh-key <key> --key-file <file>',
  });
}
