/** Documents of the mesh are signed over their canonical bytes without `signature`, and name their kind in `type`. */
import { canonicalizeWithout } from '../../protocol/json/canonical.js';
import type { JsonObject } from '../../protocol/json/values.js';

/** Signs with the mesh's own key: 128 hex digits over the UTF-8 bytes of `text`. */
export type Signer = (text: string) => string;

/** The same of a key that may be asked where it lives; it rejects where that gives no signature now. */
export type MeshSigner = (text: string) => string | Promise<string>;

/** True when `signature` (128 hex digits) is the mesh's over the UTF-8 bytes of `text`; every doubt is false. */
export type SignatureCheck = (text: string, signature: string) => boolean;

/** The form of a signature. */
export const SIGNATURE_HEX = /^[0-9a-f]{128}$/;
/** The form of a hash. */
export const HASH_HEX = /^[0-9a-f]{64}$/;

/** True when the document's own `signature` member holds over the rest of it. */
export function signatureHolds(document: JsonObject, check: SignatureCheck): boolean {
  const { signature } = document;
  return (
    typeof signature === 'string' &&
    SIGNATURE_HEX.test(signature) &&
    check(canonicalizeWithout(document, 'signature'), signature)
  );
}
