/** The one mesh key and the one admin key of test servers that are processes of their own. */
import { hashApiKey, newApiKey, type ApiKey, type ApiKeyRecord } from '../../../src/mesh/access/api-key.js';

export const MESH_SEED = new Uint8Array(32).fill(7);

export function adminKey(): { readonly key: ApiKey; readonly record: ApiKeyRecord } {
  const key = newApiKey('admin', new Uint8Array(38).fill(4));
  const { keyId } = key;
  const hash = hashApiKey(key);
  return { key, record: { keyId, role: 'admin', hash, label: null, publicKey: null, createdAt: 0, revokedAt: null } };
}
