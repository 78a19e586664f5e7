import { Failure } from '../../app/failure.js';
import { MIN_HMAC_KEY_BYTES } from '../../protocol/aip1/hmac.js';
import { fromHex } from '../../protocol/hex.js';
import { readSecretBytes } from '../files/secret/secret-file.js';

const MAX_BYTES = 1024;

/**
 * The key shared with an agent: 64 or more hex digits, or the raw bytes of a file that holds nothing else. `-` is stdin; pipes and
 * mounted secrets are as good as files.
 */
export async function readHmacKey(
  path: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Uint8Array> {
  const bytes = await readSecretBytes(path, { what: 'key file', most: MAX_BYTES, env });
  if (bytes.length > MAX_BYTES) throw new Failure('USAGE', `The key file ${path} is longer than ${MAX_BYTES} bytes.`);
  const text = Buffer.from(bytes).toString('latin1').trim();
  const key = /^(?:[0-9A-Fa-f]{2})+$/.test(text) ? fromHex(text.toLowerCase())! : bytes;
  if (key.length >= MIN_HMAC_KEY_BYTES) return key;
  throw new Failure('USAGE', `The shared key in ${path} is shorter than ${MIN_HMAC_KEY_BYTES} bytes.`);
}
