/** Ed25519 keys in AWS KMS: GetPublicKey, and Sign of the raw message. */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../../../app/failure.js';
import { fileFailure } from '../../../app/system-failures.js';
import { secretVariable, type Environment } from '../../../app/ports/secrets.js';
import type { SigningKey } from '../../../app/ports/signing-keys.js';
import { readPublicKey } from '../../../protocol/identity/public-key-forms.js';
import type { JsonObject } from '../../../protocol/json/values.js';
import { unusableAnswer } from './checked.js';
import { base64Bytes, KeyService } from './over-https.js';
import { signedHeaders, type AwsCredentials } from './sigv4.js';

const NAME = 'AWS KMS';
/** Of `Message` in the Sign operation, in bytes. */
const MAX_KMS_MESSAGE = 4096;
const ALGORITHM = 'ED25519_SHA_512';

/** @param now ms since the epoch, for the time in a request's signature */
export async function awsKmsKey(env: Environment, id: string, now: () => number): Promise<SigningKey> {
  const profile = secretVariable(env, 'AWS_PROFILE') ?? 'default';
  const region = await regionOf(env, id, profile);
  const credentials = await credentialsOf(env, profile);
  const variable = env['AWS_ENDPOINT_URL_KMS'] === undefined ? 'AWS_ENDPOINT_URL' : 'AWS_ENDPOINT_URL_KMS';
  const ca = secretVariable(env, 'AWS_CA_BUNDLE') ?? undefined;
  const service = new KeyService(NAME, env[variable] || `https://kms.${region}.${domainOf(region)}`, {
    variable,
    env,
    ca,
  });

  const ask = async (operation: 'GetPublicKey' | 'Sign', members: JsonObject): Promise<JsonObject> => {
    const body = JSON.stringify({ KeyId: id, ...members });
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `TrentService.${operation}` };
    const post = { host: service.host, path: `${service.base}/`, region, service: 'kms', headers, body };
    const answer = await service.ask({
      method: 'POST',
      path: '/',
      headers: signedHeaders(post, credentials, now()),
      body,
    });
    const said = service.read(answer);
    if (answer.status === 200) return said;
    throw refusal(said, answer.status, id);
  };

  const found = await ask('GetPublicKey', {});
  const der = base64Bytes(found['PublicKey']);
  const pem =
    der === null
      ? ''
      : `-----BEGIN PUBLIC KEY-----\n${Buffer.from(der).toString('base64')}\n-----END PUBLIC KEY-----\n`;
  const reading = readPublicKey(pem);
  if (reading.kind !== 'key')
    throw new Failure(
      'USAGE',
      `The key ${id} in ${NAME} is ${reading.kind === 'other' ? reading.what : 'of another kind than Ed25519'}.`,
      {
        hint: 'aws kms create-key --key-spec ECC_NIST_EDWARDS25519 --key-usage SIGN_VERIFY',
      },
    );
  return {
    publicKey: reading.publicKey,
    async sign(message) {
      if (message.length > MAX_KMS_MESSAGE)
        throw new Failure('USAGE', `${NAME} signs at most ${MAX_KMS_MESSAGE} bytes; this has ${message.length}.`, {
          hint: 'sign it with a key of another store, or make it shorter',
        });
      const Message = Buffer.from(message).toString('base64');
      const { Signature } = await ask('Sign', { Message, MessageType: 'RAW', SigningAlgorithm: ALGORITHM });
      const bytes = base64Bytes(Signature);
      if (bytes === null) throw unusableAnswer(NAME, 'no signature');
      return bytes;
    },
  };
}

function refusal(said: JsonObject, status: number, id: string): Failure {
  const type =
    /(?:^|#)(\w{1,60})$/.exec(typeof said['__type'] === 'string' ? said['__type'] : '')?.[1] ?? `HTTP ${status}`;
  const tells = (words: string): string => `${NAME} refused: ${words} (${type}).`;
  switch (type) {
    case 'NotFoundException':
      return new Failure('KEY_NOT_FOUND', `${NAME} has no key ${id} (${type}).`, { hint: 'aws kms list-aliases' });
    case 'UnrecognizedClientException':
    case 'InvalidSignatureException':
    case 'InvalidClientTokenId':
    case 'IncompleteSignatureException':
      return new Failure('KEYSTORE_DENIED', tells('the credentials are wrong'), {
        hint: 'aws sts get-caller-identity',
      });
    case 'ExpiredTokenException':
      return new Failure('KEYSTORE_DENIED', tells('the session has ended'), { hint: 'aws sso login' });
    case 'AccessDeniedException':
      return new Failure('KEYSTORE_DENIED', tells(`the policy does not permit this with ${id}`), {
        hint: 'it needs kms:GetPublicKey and kms:Sign',
      });
    case 'DisabledException':
    case 'KMSInvalidStateException':
      return new Failure('KEYSTORE_DENIED', tells(`the key ${id} is disabled or about to be deleted`), {
        hint: 'aws kms describe-key --key-id <id>',
      });
    case 'ThrottlingException':
    case 'DependencyTimeoutException':
      return new Failure('KEYSTORE_TIMEOUT', tells('it asks to wait'), {
        hint: 'give the command again in a moment',
        retryable: true,
      });
    case 'InvalidKeyUsageException':
    case 'UnsupportedOperationException':
      return new Failure('USAGE', tells(`the key ${id} is no Ed25519 key for signatures`), {
        hint: 'aws kms create-key --key-spec ECC_NIST_EDWARDS25519 --key-usage SIGN_VERIFY',
      });
    default:
      return unusableAnswer(NAME, type);
  }
}

/** Partitions of AWS have domains of their own; what is not named here takes AWS_ENDPOINT_URL_KMS. */
function domainOf(region: string): string {
  if (region.startsWith('cn-')) return 'amazonaws.com.cn';
  return region.startsWith('eusc-') ? 'amazonaws.eu' : 'amazonaws.com';
}

async function regionOf(env: Environment, id: string, profile: string): Promise<string> {
  const given =
    /^arn:[\w-]+:kms:([\w-]+):/.exec(id)?.[1] ??
    secretVariable(env, 'AWS_REGION') ??
    secretVariable(env, 'AWS_DEFAULT_REGION') ??
    (await section(env, 'AWS_CONFIG_FILE', 'config', profile === 'default' ? profile : `profile ${profile}`))?.get(
      'region',
    );
  if (given !== undefined && given !== null && /^[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}$/.test(given)) return given;
  throw new Failure('USAGE', `The region of ${NAME} is not known.`, {
    hint: 'export AWS_REGION=eu-central-1, or give the whole ARN',
  });
}

async function credentialsOf(env: Environment, profile: string): Promise<AwsCredentials> {
  const accessKeyId = secretVariable(env, 'AWS_ACCESS_KEY_ID');
  const secretAccessKey = secretVariable(env, 'AWS_SECRET_ACCESS_KEY');
  if (accessKeyId !== null && secretAccessKey !== null)
    return checkedCredentials(accessKeyId, secretAccessKey, secretVariable(env, 'AWS_SESSION_TOKEN'));
  const kept = await section(env, 'AWS_SHARED_CREDENTIALS_FILE', 'credentials', profile);
  const [id, secret] = [kept?.get('aws_access_key_id'), kept?.get('aws_secret_access_key')];
  if (id !== undefined && secret !== undefined)
    return checkedCredentials(id, secret, kept?.get('aws_session_token') ?? null);
  throw new Failure('KEYSTORE_DENIED', `There are no credentials for ${NAME}.`, {
    hint: 'eval "$(aws configure export-credentials --format env)"',
  });
}

/** What goes into headers holds nothing that ends one. */
function checkedCredentials(accessKeyId: string, secretAccessKey: string, sessionToken: string | null): AwsCredentials {
  const plain = /^[\x21-\x7e]{1,8192}$/;
  if (
    !/^\w{1,128}$/.test(accessKeyId) ||
    !plain.test(secretAccessKey) ||
    (sessionToken !== null && !plain.test(sessionToken))
  )
    throw new Failure('KEYSTORE_DENIED', `The credentials for ${NAME} hold characters that none have.`, {
      hint: 'aws configure list',
    });
  return { accessKeyId, secretAccessKey, sessionToken };
}

/** A section of a file of the AWS tools; null where there is none. */
async function section(
  env: Environment,
  variable: string,
  name: string,
  title: string,
): Promise<Map<string, string> | null> {
  const path = env[variable] || join(env['HOME'] ?? homedir(), '.aws', name);
  let text;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw fileFailure(path, 'read', cause);
  }
  let found: Map<string, string> | null = null;
  let inside = false;
  for (const line of text.slice(0, 1024 * 1024).split(/\r?\n/)) {
    const head = /^\s*\[([^\]]*)\]/.exec(line)?.[1]?.trim();
    if (head !== undefined) {
      inside = head === title;
      if (inside) found ??= new Map();
      continue;
    }
    const pair = /^([\w-]+)\s*=\s*(.*?)\s*$/.exec(line);
    if (inside && pair !== null) found!.set(pair[1]!.toLowerCase(), pair[2]!);
  }
  return found;
}
