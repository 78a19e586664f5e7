/**
 * What a mesh server keeps in its data folder: the store, and beside it, like a host key of SSH, the mesh's own signing key and
 * the first admin's API key, plain and mode 0600, because a server must start when nobody is there to type a passphrase. The signing
 * key may live elsewhere: then its address is in its place.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../../app/failure.js';
import type { FindSigningKey } from '../../../app/ports/signing-keys.js';
import type { Random } from '../../../app/ports/state.js';
import { hashApiKey, newApiKey } from '../../../mesh/access/api-key.js';
import type { MeshSigner } from '../../../mesh/log/signing.js';
import { toHex } from '../../../protocol/hex.js';
import { keyTrial, looksLikeKeyAddress, type KeyAddressText } from '../../../protocol/identity/key-address.js';
import { formatPublicKey, formatSeed, parsePublicKey, parseSeed } from '../../../protocol/identity/keys.js';
import { createPrivate, ensurePrivateFolder, readPrivate, replacePrivate } from '../../files/secret/private-file.js';
import { signerOf } from '../mesh-key.js';
import { askedSigner } from './asked-key.js';
import { requireFirstStart } from './first-start.js';
import { MAX_MESH_KEY_BYTES, readMeshKey } from './mesh-key-file.js';
import type { MeshStore } from '../../../mesh/log/store.js';
import { SqliteMeshStore } from '../sqlite/store.js';

export interface DataFolder {
  readonly store: MeshStore;
  readonly sign: MeshSigner;
  /** Where the key is asked; null where it is in the folder. */
  readonly keyAddress: KeyAddressText | null;
  /** `ed25519:<64 hex>` of the mesh. */
  readonly publicKey: string;
  readonly adminKeyFile: string;
}

/** The note of a store that is the copy of another one: where its home is; empty where it is home itself. */
export const FOLLOWS = 'follows';

/** How a mesh's key that lives elsewhere is found. */
export interface KeyElsewhere {
  /** Where a new mesh takes its key from, or where the key of this one is from now on; null goes by the folder. */
  readonly address: KeyAddressText | null;
  readonly find: FindSigningKey;
  /** It gives no signature; said once until it does again. */
  readonly onTrouble: (message: string) => void;
}

/** The embedded store of the folder. Fails with STATE when another server has it, or it is lost. `newLog`: as a first start asks. */
export function folderStore(folder: string, random: Random, newLog: boolean, logQuota?: number): MeshStore {
  ensurePrivateFolder(folder);
  requireFirstStart(folder, newLog);
  return new SqliteMeshStore(
    join(folder, 'mesh.db'),
    () => toHex(random(16)),
    logQuota === undefined ? {} : { logQuota },
  );
}

/** Opens the folder over its store, making what a first start finds missing. */
export async function openDataFolder(
  folder: string,
  store: MeshStore,
  random: Random,
  elsewhere: KeyElsewhere,
): Promise<DataFolder> {
  try {
    ensurePrivateFolder(folder);
    const path = join(folder, 'mesh.key');
    const known = await store.meshKey();
    const home = await store.notes.get(FOLLOWS);
    if (home !== null && home !== '')
      throw new Failure('STATE', `${folder} holds a copy of the mesh that ${home} serves, and does not sign for it.`, {
        hint: `aip mesh serve --follow ${home}; where home is lost: aip mesh promote --mesh-key-file <backup>`,
      });
    // The first start writes the key into the store before it makes the admin's file: without its log, the store is as before that start.
    if (known === null && !store.shared && existsSync(join(folder, ADMIN_KEY)))
      throw new Failure(
        'STATE',
        `${join(folder, 'mesh.db')} lacks what was written since its first start. Nothing was changed.`,
        {
          hint: 'put mesh.db-wal back, which belongs to it; a copy is made by aip mesh backup <file>, and put back by aip mesh restore <file>',
        },
      );
    const { address, sign, publicKey } = await meshKey(path, known, store.shared, random, elsewhere);
    if (known === null) await store.setMeshKey(publicKey);
    else if (known !== publicKey) {
      throw new Failure('STATE', `${path} is not the key that this mesh's log is signed with, ${known}.`, {
        hint: `restore ${path} from the backup of ${folder}`,
      });
    }
    return { store, sign, publicKey, keyAddress: address, adminKeyFile: join(folder, ADMIN_KEY) };
  } catch (error) {
    await store.close();
    throw error;
  }
}

const ADMIN_KEY = 'admin.key';
/** The label of the admin key that the first start makes. */
const FIRST_ADMIN = 'first admin';
/** Roles whose holders give commands. */
const ORDERING: readonly string[] = ['operator', 'admin'];

/** What a start found, or made, of the first admin's API key. */
export interface FirstAdmin {
  /** Its text, to be shown this once, where it was made just now. */
  readonly newKey: string | null;
  /** True where the file with it lies in the folder: not beside a second server on a database, nor in a region that was promoted. */
  readonly isHere: boolean;
  /** True where a signing key is registered for some API key in force, so that signed commands can be given. */
  readonly signs: boolean;
  /** True where the signing key that was named is not the one of the first admin's API key. */
  readonly otherSigner: boolean;
}

/** How the first admin gets in. */
export interface AdminEntry {
  /** The signing key of the first admin; one whose key was made without gets it now, since who starts the server holds the store. */
  readonly operatorKey: string | null;
  /** The API key of the first admin is lost: another takes its place. */
  readonly newKey: boolean;
}

/** Makes an admin key when no admin could get in, or the first one's is lost. */
export async function ensureAdmin(
  { store, adminKeyFile }: DataFolder,
  random: Random,
  now: number,
  { operatorKey, newKey }: AdminEntry,
): Promise<FirstAdmin> {
  const keys = (await store.keys.list()).filter(({ revokedAt }) => revokedAt === null);
  const admins = keys.filter(({ role }) => role === 'admin');
  const first = admins.find(({ label }) => label === FIRST_ADMIN) ?? null;
  const signed = keys.some(({ role, publicKey }) => publicKey !== null && ORDERING.includes(role));
  if (admins.length > 0 && !newKey) {
    const registers = operatorKey !== null && first !== null && (first.publicKey ?? null) === null;
    if (registers) await store.keys.put({ ...first, publicKey: operatorKey });
    const otherSigner = operatorKey !== null && !registers && first?.publicKey !== operatorKey;
    return { newKey: null, isHere: existsSync(adminKeyFile), signs: registers || signed, otherSigner };
  }
  const signer = operatorKey ?? first?.publicKey ?? null;
  const key = newApiKey('admin', random(38));
  // The file first: a key in force without its file could never be used.
  replacePrivate(adminKeyFile, `${key.text}\n`, toHex(random(6)));
  await store.keys.add({
    keyId: key.keyId,
    role: 'admin',
    hash: hashApiKey(key),
    label: FIRST_ADMIN,
    publicKey: signer,
    createdAt: now,
    revokedAt: null,
  });
  if (first !== null) await store.keys.revoke(first.keyId, now);
  return { newKey: key.text, isHere: true, signs: signer !== null || signed, otherSigner: false };
}

/** What `mesh.key` holds, made where it is a first start. `known`: the public key that the log is signed with. */
async function meshKey(
  path: string,
  known: string | null,
  shared: boolean,
  random: Random,
  elsewhere: KeyElsewhere,
): Promise<{ address: KeyAddressText | null; sign: MeshSigner; publicKey: string }> {
  const exists = readPrivate(path, MAX_MESH_KEY_BYTES) !== null;
  const text = exists ? readMeshKey(path) : null;
  const kept = text !== null && looksLikeKeyAddress(text) ? text : null;
  const address = elsewhere.address ?? kept;
  if (address !== null) {
    if (text !== null && kept === null)
      throw new Failure('USAGE', `${path} holds the key of this mesh itself.`, {
        hint: `where the key at ${address} is the same one, put ${path} away, and give the command again`,
      });
    const wanted = known === null ? null : parsePublicKey(known);
    const key = await elsewhere.find(address, wanted);
    // Before it is written down: one that lists a key may still not sign with it.
    await key.sign(keyTrial(toHex(random(16))));
    if (address !== kept) replacePrivate(path, `${address}\n`, toHex(random(6)));
    const sign = askedSigner(key, () => elsewhere.find(address, key.publicKey), elsewhere.onTrouble);
    return { address, sign, publicKey: formatPublicKey(key.publicKey) };
  }
  if (!exists && known !== null) {
    // A new key would be refused by every client, and would look like a forgery.
    throw new Failure('STATE', `${path}, the key that this mesh's log is signed with, is gone. Nothing was changed.`, {
      hint: shared ? 'copy mesh.key from the data folder of another server of this mesh' : 'restore it from a backup',
    });
  }
  if (!exists) createPrivate(path, `${formatSeed(random(32))}\n`, toHex(random(6)));
  const seed = parseSeed(text ?? readMeshKey(path));
  if (seed === null) throw new Failure('STATE', `${path} holds no Ed25519 key.`, { hint: 'restore it from a backup' });
  return { address: null, ...signerOf(seed) };
}
