import { Failure } from '../../app/failure.js';
import { publicKeyOfPem } from '../../protocol/aip1/public-pem.js';
import { importKey, type VerifyKey } from '../../protocol/ed25519/verify.js';
import { parsePublicKey } from '../../protocol/identity/keys.js';
import type { Cli } from '../cli.js';
import { readInput } from '../input/documents.js';

/** A public key as a flag names it: key text, or a PEM file. */
export async function publicKeyIn(text: string, flag: string, cli: Cli): Promise<VerifyKey> {
  const bytes = text.endsWith('.pem')
    ? publicKeyOfPem(Buffer.from(await readInput(text, cli)).toString('latin1'))
    : parsePublicKey(text);
  const key = bytes === null ? null : importKey(bytes);
  if (key !== null) return key;
  throw new Failure('USAGE', `The ${flag} is not an Ed25519 public key.`, {
    hint: 'write ed25519:<64 hex digits>, base64url, or name a public.pem',
  });
}
