/** API keys: made, listed, revoked; all of it by an admin. */
import { hashApiKey, newApiKey, requireAdminBeside, type ApiKeyRecord } from '../access/api-key.js';
import { fromHex } from '../../protocol/hex.js';
import { formatTime } from '../../protocol/time.js';
import { Refused } from '../refusal.js';
import { PAGE_KEYS } from '../limits.js';
import { jsonBody, readKeyOrder } from './http/body.js';
import { jsonReply, type Caller, type Reply, type Request } from './http/exchange.js';
import type { OperatorSignature } from './http/gate.js';
import type { MeshServer } from './mesh-server.js';
import { regionName } from './regions/registry.js';

/** `POST /v1/mesh/keys`. */
export async function addApiKey(server: MeshServer, request: Request, caller: Caller): Promise<Reply> {
  const { role, label, publicKey, maxVerifiers, ephemeral } = readKeyOrder(jsonBody(request));
  await spendSignature(server, request, caller);
  const key = newApiKey(role, fromHex(server.options.randomHex(38))!);
  const createdAt = server.clock.wall();
  await server.store.keys.add({
    keyId: key.keyId,
    role,
    hash: hashApiKey(key),
    label,
    publicKey,
    maxVerifiers,
    ephemeral,
    createdAt,
    revokedAt: null,
  });
  if (role === 'region') server.regions.joined(regionName({ label, keyId: key.keyId }));
  return jsonReply(201, {
    key: key.text,
    key_id: key.keyId,
    role,
    label,
    public_key: publicKey,
    max_verifiers: maxVerifiers,
    ephemeral,
  });
}

/** `GET /v1/mesh/keys`. */
export async function listKeys(server: MeshServer, { query }: Request): Promise<Reply> {
  const all = await server.store.keys.list();
  const after = query.get('after');
  const from = after === null ? 0 : all.findIndex(({ keyId }) => keyId === after) + 1;
  if (after !== null && from === 0) throw new Refused('NOT_FOUND', 'There is no key with this id to list on after.');
  const page = all.slice(from, from + PAGE_KEYS);
  return jsonReply(200, { keys: page.map(shown), next: from + page.length < all.length ? page.at(-1)!.keyId : null });
}

/** `DELETE /v1/mesh/keys/{id}`. */
export async function revokeKey(
  server: MeshServer,
  request: Request,
  caller: Caller,
  [keyId]: readonly string[],
): Promise<Reply> {
  const record = await server.store.keys.find(keyId ?? '');
  if (record === null) throw new Refused('NOT_FOUND', 'There is no key with this id.');
  requireAdminBeside(await server.store.keys.list(), record.keyId);
  await spendSignature(server, request, caller);
  const changed = await server.store.keys.revoke(record.keyId, server.clock.wall());
  // A leaked key must not go on listening.
  server.dropKey(record.keyId);
  return jsonReply(200, { key_id: record.keyId, revoked: true, changed });
}

/** The operator's signature over a request that is no command, spent; nothing where none is required. */
export async function spendSignature(
  server: MeshServer,
  request: Request,
  caller: Caller,
): Promise<OperatorSignature | null> {
  const signed = await server.gate.signature(request, caller);
  if (signed === null) return null;
  const { value, keepUntil } = signed.nonce;
  if (!(await server.store.nonces.spend(value, keepUntil))) {
    throw new Refused('COMMAND_REPLAYED', 'This signed request was carried out before.');
  }
  return signed;
}

/** The same for orders that a stolen API key alone must never be enough for, whatever the mesh requires. */
export async function spendOwnSignature(
  server: MeshServer,
  request: Request,
  caller: Caller,
): Promise<OperatorSignature> {
  const signed = await spendSignature(server, request, caller);
  if (signed !== null) return signed;
  throw new Refused('SIGNATURE_REQUIRED', "This does not come back, so it takes the admin's own signature.");
}

function shown(record: ApiKeyRecord) {
  const { keyId, role, label, publicKey, createdAt, revokedAt } = record;
  return {
    key_id: keyId,
    role,
    label,
    public_key: publicKey,
    max_verifiers: record.maxVerifiers ?? null,
    ephemeral: record.ephemeral ?? false,
    created_at: formatTime(createdAt),
    revoked_at: revokedAt === null ? null : formatTime(revokedAt),
  };
}
