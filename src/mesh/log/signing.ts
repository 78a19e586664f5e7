/** Documents of the mesh are signed over their canonical bytes without `signature`, and name their kind in `type`. */
import { canonicalizeWithout } from '../../protocol/json/canonical.js';
import type { JsonObject } from '../../protocol/json/values.js';

/** Signs with the mesh's own key: 128 hex digits over the UTF-8 bytes of `text`. */
export type Signer = (text: string) => string;

/** What a signature is for, where the key is asked elsewhere and questions wait for their turn. */
export interface SignatureUse {
  /** Goes before all others: what carries out commands, and this server's own heartbeats. */
  readonly isFirst?: boolean;
  /** The API key that it is for: the keys take turns. */
  readonly keyId?: string;
  /** True once no caller waits for the signature: then it is not asked for. */
  readonly isOver?: () => boolean;
}

/** The signatures of commands. */
export const COMMAND_USE: SignatureUse = { isFirst: true };

/** The same of a key that may be asked where it lives; it rejects where that gives no signature now. */
export type MeshSigner = (text: string, use?: SignatureUse) => string | Promise<string>;

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
