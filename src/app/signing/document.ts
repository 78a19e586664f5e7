import { bytesToSign, withProof } from '../../protocol/aip1/sign.js';
import type { ValueObject } from '../../protocol/aip1/encoding/numbers.js';
import type { SigningKey } from '../ports/signing-keys.js';

/** `document` with a proof by `key`, made `now` (ms since the epoch) in the name of `signer`. */
export async function provenBy(
  key: SigningKey,
  document: ValueObject,
  signer: string,
  now: number,
): Promise<ValueObject> {
  return withProof(document, await key.sign(bytesToSign(document)), signer, now);
}
