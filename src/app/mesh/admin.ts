/** API keys of a mesh, as its admin sees them. */
import { signRequest } from '../../mesh/access/http-signature.js';
import type { Role } from '../../mesh/access/roles.js';
import { documentOf, partOf } from '../../mesh/document.js';
import { toHex } from '../../protocol/hex.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { Failure } from '../failure.js';
import { askMesh, everyPage, isRefusedAs, requireAsked, resultOf, unheard } from './answers.js';
import type { MeshCall, MeshEndpoint } from '../ports/mesh.js';
import type { Clock, Random } from '../ports/state.js';
import type { OperatorSigner } from './hand-in.js';

/** What an admin's request needs; `signer` is null where the mesh takes requests without a signature. */
export interface AdminDeps {
  readonly line: MeshEndpoint;
  readonly clock: Clock;
  readonly random: Random;
  readonly signer: OperatorSigner | null;
}

/** An API key that was just made. */
export interface NewKey {
  /** Shown this once: the mesh keeps a hash. */
  readonly key: string;
  readonly keyId: string;
  readonly role: string;
}

/** An API key as the mesh lists it. Times are RFC 3339; null while it is in force. */
export interface ListedKey {
  readonly keyId: string;
  readonly role: string;
  readonly label: string | null;
  readonly publicKey: string | null;
  readonly createdAt: string;
  readonly revokedAt: string | null;
}

const TIMEOUT_MS = 5_000;

/** Has the mesh make an API key. @throws Failure NETWORK, FORBIDDEN */
export async function createApiKey(
  deps: AdminDeps,
  order: {
    readonly role: Role;
    readonly label: string | null;
    readonly publicKey: string | null;
    readonly maxVerifiers?: number | null;
    readonly ephemeral?: boolean;
  },
): Promise<NewKey> {
  const { role, label, publicKey, maxVerifiers = null, ephemeral = false } = order;
  const members = {
    role,
    ...(label === null ? {} : { label }),
    ...(publicKey === null ? {} : { public_key: publicKey }),
    ...(maxVerifiers === null ? {} : { max_verifiers: maxVerifiers }),
    ...(ephemeral ? { ephemeral } : {}),
  };
  const body = Buffer.from(JSON.stringify(members));
  return change(
    deps,
    { method: 'POST', path: '/v1/mesh/keys', body },
    'Whether a key was made is unknown, and nobody has seen it: look with aip mesh key list, and revoke it.',
    (answer) => {
      const { key, key_id, role: given } = partOf('NewKey', answer, ['key', 'key_id', 'role']);
      return { key, keyId: key_id, role: given };
    },
  );
}

/** All of them, revoked ones included, in the order in which they were made. */
export async function listApiKeys({ line }: Pick<AdminDeps, 'line'>): Promise<ListedKey[]> {
  return everyPage(line, (after) => {
    const target = `/v1/mesh/keys${after === null ? '' : `?after=${encodeURIComponent(after)}`}`;
    return askMesh(line, { method: 'GET', target, timeoutMs: TIMEOUT_MS }, (answer) => {
      const { keys, next } = partOf('Keys', answer, ['keys', 'next']);
      return { items: keys.map(listedKey), next };
    });
  });
}

function listedKey(value: JsonObject): ListedKey {
  const members = ['key_id', 'role', 'label', 'public_key', 'created_at', 'revoked_at'] as const;
  const { key_id, role, label, public_key, created_at, revoked_at } = partOf('ApiKey', value, members);
  return { keyId: key_id, role, label, publicKey: public_key, createdAt: created_at, revokedAt: revoked_at };
}

/** False when it was revoked before. @throws Failure NOT_FOUND, NETWORK, FORBIDDEN */
export async function revokeApiKey(deps: AdminDeps, keyId: string): Promise<boolean> {
  const path = `/v1/mesh/keys/${encodeURIComponent(keyId)}`;
  const doubt = 'Whether the key was revoked is unknown: give the command again, which is harmless.';
  return change(
    deps,
    { method: 'DELETE', path, body: new Uint8Array() },
    doubt,
    (answer) => documentOf('KeyRevoked', answer).changed,
  );
}

/** Takes a verifier off the roster, by its public key or by its label; the label it had. */
export async function forgetVerifier(
  deps: AdminDeps,
  name: string,
): Promise<{ readonly verifier: string; readonly label: string }> {
  const path = `/v1/mesh/verifiers/${encodeURIComponent(name)}`;
  const doubt = 'Whether it was taken off is unknown: give the command again, which is harmless.';
  return change(deps, { method: 'DELETE', path, body: new Uint8Array() }, doubt, (answer) =>
    documentOf('Forgotten', answer),
  );
}

/** Has the mesh take the passports that `publicKey` (`ed25519:<64 hex>`) signs for a principal. */
export async function addMeshPrincipal(
  deps: AdminDeps,
  did: string,
  publicKey: string,
): Promise<{ readonly did: string; readonly public_key: string; readonly changed: boolean }> {
  const body = Buffer.from(JSON.stringify({ did, public_key: publicKey }));
  const doubt = 'Whether it was registered is unknown: give the command again, which is harmless.';
  return change(deps, { method: 'POST', path: '/v1/mesh/principals', body }, doubt, (answer) => {
    const kept = partOf('PrincipalKept', answer, ['did', 'public_key', 'changed']);
    requireAsked(kept, { did, public_key: publicKey });
    return kept;
  });
}

/** Takes one key of a principal away, or all of them; how many there were. */
export async function removeMeshPrincipal(deps: AdminDeps, did: string, publicKey: string | null): Promise<number> {
  const query = publicKey === null ? '' : `?key=${encodeURIComponent(publicKey)}`;
  const path = `/v1/mesh/principals/${encodeURIComponent(did)}`;
  const doubt = 'Whether it was removed is unknown: give the command again, which is harmless.';
  return change(
    deps,
    { method: 'DELETE', path, query, body: new Uint8Array() },
    doubt,
    (answer) => partOf('PrincipalRemoved', answer, ['removed']).removed,
  );
}

/** What an admin has taken out of the shipped copies: a param of an agent's entries, or of one entry of a log, or all params of that. */
export type ShippedErasure =
  | {
      readonly agent_id: string;
      readonly param: string;
      /** RFC 3339, exclusive; missing for all. */ readonly before?: string;
    }
  | { readonly log_id: string; readonly seq: number; readonly param?: string };

/** Erases it there, signed by the admin. `overwritten` is false where the store may keep what was there for a while. */
export async function eraseAtMesh(
  deps: AdminDeps,
  erasure: ShippedErasure,
): Promise<{ readonly erased: number; readonly overwritten: boolean }> {
  const body = Buffer.from(JSON.stringify(erasure));
  const doubt = 'Whether it was erased there is unknown: give the command again, which is harmless.';
  return change(deps, { method: 'POST', path: '/v1/logs/erase', body }, doubt, (answer) =>
    partOf('Erased', answer, ['erased', 'overwritten']),
  );
}

/** A log that was let go at the mesh. */
export interface DroppedLog {
  readonly log_id: string;
  readonly verifier: string;
  /** The API key that shipped it, which can ship another until it is revoked. */
  readonly key_id: string;
  readonly entries: number;
  /** The mesh's signed word on it. */
  readonly statement: JsonObject;
}

/** Has the mesh let a shipped log go whole, by its id or by its verifier's name. @throws Failure NETWORK, FORBIDDEN */
export async function dropLog(
  deps: AdminDeps,
  log: { readonly log_id: string } | { readonly verifier: string },
  reason: string,
): Promise<DroppedLog> {
  const body = Buffer.from(JSON.stringify({ ...log, reason }));
  const doubt =
    'Whether it was dropped is unknown: give the command again; the mesh then knows no such log, or drops it.';
  return change(deps, { method: 'POST', path: '/v1/logs/drop', body }, doubt, (answer) => {
    const dropped = partOf('LogDropped', answer, ['log_id', 'verifier', 'key_id', 'entries', 'statement']);
    const { log_id, verifier } = dropped;
    requireAsked(dropped, { log_id, verifier, ...log });
    return dropped;
  });
}

async function change<T>(
  deps: AdminDeps,
  request: {
    readonly method: 'POST' | 'DELETE';
    readonly path: string;
    readonly query?: string;
    readonly body: Uint8Array;
  },
  doubt: string,
  read: (answer: JsonObject) => T,
): Promise<T> {
  const { line, clock, random, signer } = deps;
  const { method, path, body } = request;
  const params = { created: Math.floor(clock() / 1000), nonce: toHex(random(16)), keyId: signer?.publicKey ?? '' };
  const headers = signer === null ? {} : { ...(await signRequest(request, params, signer.sign)) };
  const call: MeshCall = {
    method,
    target: path + (request.query ?? ''),
    headers,
    timeoutMs: TIMEOUT_MS,
    ...(body.length === 0 ? {} : { body }),
  };
  const told = resultOf(line, await line.ask(call), read);
  if (told.kind === 'done') return told.value;
  // A key, verifier, principal or log that is not there is a name that is wrong, as one would be on this machine.
  if (told.kind === 'refused' && isRefusedAs(told.failure, 'NOT_FOUND'))
    throw new Failure('NOT_FOUND', told.failure.message, { cause: told.failure });
  throw told.kind === 'refused' ? told.failure : unheard(line, told.what, told.unsure ? doubt : null);
}
