/** Keys in the transit engine of HashiCorp Vault or OpenBao. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../../../app/failure.js';
import { secretVariable, type Environment } from '../../../app/ports/secrets.js';
import type { SigningKey } from '../../../app/ports/signing-keys.js';
import { isObject, type JsonObject } from '../../../protocol/json/values.js';
import { readSecret } from '../../files/secret/secret-file.js';
import { unusableAnswer } from './checked.js';
import { base64Bytes, KeyService } from './over-https.js';

const NAME = 'Vault';

export async function vaultKey(env: Environment, key: string, wanted: Uint8Array | null): Promise<SigningKey> {
  const address = first(env, ['VAULT_ADDR', 'BAO_ADDR']);
  if (address === null)
    throw new Failure('KEYSTORE_MISSING', 'There is no Vault: neither VAULT_ADDR nor BAO_ADDR is set.', {
      hint: 'export VAULT_ADDR=https://vault.acme.com:8200',
    });
  const ca = first(env, ['VAULT_CACERT', 'BAO_CACERT'])?.value;
  const service = new KeyService(NAME, address.value, { variable: address.name, env, ca });
  const namespace = first(env, ['VAULT_NAMESPACE', 'BAO_NAMESPACE'])?.value;
  const headers = {
    'x-vault-token': await token(env),
    'x-vault-request': 'true',
    ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }),
  };
  const mount = env['TRANSIT_SECRET_ENGINE_PATH'] || 'transit';
  if (!/^[\w.-]+(?:\/[\w.-]+)*$/.test(mount))
    throw new Failure('USAGE', 'TRANSIT_SECRET_ENGINE_PATH is not the path of an engine.', {
      hint: 'export TRANSIT_SECRET_ENGINE_PATH=transit',
    });

  const ask = async (method: 'GET' | 'POST', what: string, body?: string): Promise<JsonObject> => {
    const answer = await service.ask({
      method,
      path: `/v1/${mount}/${what}/${key}`,
      headers,
      ...(body === undefined ? {} : { body }),
    });
    if (answer.status === 403)
      throw new Failure(
        'KEYSTORE_DENIED',
        `${NAME} refused the token, or its policy does not permit ${mount}/${what}/${key}.`,
        {
          hint: 'vault token lookup',
        },
      );
    if (answer.status === 404)
      throw new Failure('KEY_NOT_FOUND', `${NAME} has no key ${key} under ${mount}/.`, {
        hint: `vault write -f ${mount}/keys/${key} type=ed25519`,
      });
    if (answer.status === 503 || answer.status === 429)
      throw new Failure('KEYSTORE_LOCKED', `${NAME} is sealed or asks to wait (HTTP ${answer.status}).`, {
        hint: 'vault status',
        retryable: true,
      });
    if (answer.status !== 200) throw unusableAnswer(NAME, `HTTP ${answer.status}`);
    const { data } = service.read(answer);
    if (!isObject(data)) throw unusableAnswer(NAME, 'no data');
    return data;
  };

  const { type, keys, latest_version: latest, min_encryption_version: least } = await ask('GET', 'keys');
  if (type !== 'ed25519')
    throw new Failure('USAGE', `The key ${key} in ${NAME} is of another kind than ed25519.`, {
      hint: `vault write -f ${mount}/keys/<name> type=ed25519`,
    });
  const versions = Object.entries(isObject(keys) ? keys : {}).flatMap(([version, held]) => {
    const publicKey = isObject(held) ? base64Bytes(held['public_key']) : null;
    return publicKey?.length === 32 && /^[1-9]\d{0,8}$/.test(version) ? [{ version: Number(version), publicKey }] : [];
  });
  // A rotated key has several versions; the passport names one of them by its public half.
  const version = versions.find((each) =>
    wanted === null ? each.version === latest : Buffer.compare(each.publicKey, wanted) === 0,
  );
  if (version === undefined)
    throw new Failure('KEY_NOT_FOUND', `No version of the key ${key} in ${NAME} is the one that is asked for.`, {
      hint: `vault read ${mount}/keys/${key}`,
    });
  // Said before it is asked: it would answer with HTTP 500 and nothing else.
  if (typeof least === 'number' && version.version < least)
    throw new Failure(
      'KEYSTORE_DENIED',
      `${NAME} no longer signs with version ${version.version} of the key ${key}: its min_encryption_version is ${least}.`,
      {
        hint: `take up its newest version (aip passport rotate <agent> --key hashivault://${key}), or lower the bound: vault write ${mount}/keys/${key}/config min_encryption_version=0`,
      },
    );
  return {
    publicKey: version.publicKey,
    async sign(message) {
      const input = Buffer.from(message).toString('base64');
      const { signature } = await ask('POST', 'sign', JSON.stringify({ input, key_version: version.version }));
      const text = /^vault:v\d+:(.+)$/.exec(typeof signature === 'string' ? signature : '')?.[1];
      const bytes = base64Bytes(text);
      if (bytes === null) throw unusableAnswer(NAME, 'no signature');
      return bytes;
    },
  };
}

function first(env: Environment, names: readonly string[]): { readonly name: string; readonly value: string } | null {
  for (const name of names) {
    const value = secretVariable(env, name);
    if (value !== null) return { name, value };
  }
  return null;
}

/** The usual variable, or the file that `vault login` leaves. */
async function token(env: Environment): Promise<string> {
  const given = first(env, ['VAULT_TOKEN', 'BAO_TOKEN'])?.value ?? (await tokenFile(env));
  if (given === null || !/^[\x21-\x7e]{1,4096}$/.test(given))
    throw new Failure(
      'KEYSTORE_DENIED',
      `There is no token for ${NAME}: VAULT_TOKEN is not set, and ~/.vault-token holds none.`,
      {
        hint: 'vault login',
      },
    );
  return given;
}

async function tokenFile(env: Environment): Promise<string | null> {
  const path = join(env['HOME'] ?? homedir(), '.vault-token');
  try {
    return await readSecret(path, { what: 'token file', most: 4096, env });
  } catch (error) {
    if (error instanceof Failure && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}
