/** The API key that lets this machine into its mesh, kept as 32 bytes by the key stores like any other secret. */
import { parseApiKey, type ApiKey } from '../../mesh/access/api-key.js';
import { fromHex, toHex } from '../../protocol/hex.js';
import { Failure } from '../failure.js';
import { readSeed, type KeyringDeps } from './keyring.js';
import type { KeyRecord, KeyStoreName } from '../ports/state.js';
import { isRole } from '../../mesh/access/roles.js';
import { readPublicKey } from '../../protocol/identity/public-key-forms.js';

/** The part of a key that is no secret, `aipm_<role>_<key id>`: what config keeps. */
export function apiKeyName({ role, keyId }: Pick<ApiKey, 'role' | 'keyId'>): string {
  return `aipm_${role}_${keyId}`;
}

/** What stands where an API key is expected. No digit of it is quoted. */
function whatInstead(text: string): string {
  if (text === '') return 'it is empty';
  if (readPublicKey(text).kind === 'key') return 'it is a public key';
  if (/-----BEGIN/.test(text)) return 'it is PEM';
  const [prefix, role, id, secret, ...more] = text.split('_');
  if (prefix !== 'aipm') return 'it does not begin with aipm_';
  if (role === undefined || !isRole(role)) return 'its role is none that there is';
  if (id === undefined || secret === undefined) return 'it is cut off';
  if (more.length > 0) return 'something stands behind it';
  if (!/^[0-9a-f]{12}$/.test(id)) return `its id is not 12 hex digits but ${id.length} characters`;
  return `its secret is not 64 hex digits but ${secret.length} characters`;
}

/** The key in `text`, white space around it removed. Fails without quoting any of it. */
export function readApiKey(text: string, where: string): ApiKey {
  const key = parseApiKey(text.trim());
  if (key !== null) return key;
  throw new Failure('USAGE', `${where} holds no API key of a mesh: ${whatInstead(text.trim())}.`, {
    hint: 'it looks like aipm_<role>_<id>_<secret>',
  });
}

const recordId = (name: string): string => `mesh:${name}`;

/** Puts the key into a store; one that is there already is left as it is. */
export async function keepApiKey(deps: KeyringDeps, key: ApiKey, storeName: KeyStoreName): Promise<KeyRecord> {
  const keyId = recordId(apiKeyName(key));
  const known = deps.state.key(keyId);
  if (known !== null && (await holds(deps, known, key))) return known;
  const store = await deps.store(storeName);
  const record: KeyRecord = { keyId, store: storeName, ref: store.refOf(keyId), createdAt: deps.clock() };
  try {
    await store.create(keyId, secretOf(key));
  } catch (error) {
    // A join that was killed has stored it, and told the state nothing.
    if (!(error instanceof Failure) || error.code !== 'EXISTS' || !(await holds(deps, record, key))) throw error;
  }
  deps.state.rememberKey(record);
  return record;
}

/** The whole key of which config keeps the name. */
export async function heldApiKey(deps: KeyringDeps, name: string): Promise<string> {
  const record = deps.state.key(recordId(name));
  if (record === null) {
    throw new Failure('KEY_NOT_FOUND', `This machine does not hold the mesh key ${name}.`, {
      hint: 'aip mesh join <url> --mesh-key <key> --key-file <file>, or set AIP_MESH_KEY',
    });
  }
  return `${name}_${toHex(await readSeed(deps, record))}`;
}

async function holds(deps: KeyringDeps, record: KeyRecord, key: ApiKey): Promise<boolean> {
  try {
    return toHex(await readSeed(deps, record)) === toHex(secretOf(key));
  } catch (error) {
    if (error instanceof Failure && error.code === 'KEY_NOT_FOUND') return false;
    throw error;
  }
}

function secretOf(key: ApiKey): Uint8Array {
  return fromHex(key.text.slice(-64))!;
}
