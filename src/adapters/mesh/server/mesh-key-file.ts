/** The file `mesh.key` of a data folder: the mesh's seed, or the address where its key is asked. */
import { readSecretNow } from '../../files/secret/secret-file.js';

/** The longest address with room to spare. */
export const MAX_MESH_KEY_BYTES = 8192;

/** The seed of a mesh, or the address of its key. @throws Failure as reading a secret */
export function readMeshKey(path: string): string {
  return readSecretNow(path, { what: 'key of the mesh', most: MAX_MESH_KEY_BYTES, env: process.env }).trim();
}
