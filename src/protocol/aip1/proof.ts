import { MAX_TEXT } from '../limits.js';
import { fromBase64url } from './encoding/base64.js';
import { oneOf, requiredText, requiredTime } from './encoding/members.js';
import type { ValueObject } from './encoding/numbers.js';
import { REQUIRED, shape } from './encoding/shape-of.js';

/** `proof.type`. */
export const PROOF_TYPE = 'Ed25519Signature2020';
/** `proof.proof_purpose`. */
export const PROOF_PURPOSE = 'assertionMethod';

/** What a proof proves with: 64 bytes are a signature, 32 bytes an HMAC, null is neither. Its other members are not signed. */
export type ProofValue = Uint8Array | null;

/** The form of the member `proof`. */
export const PROOF = shape('"proof"', {
  type: PROOF_TYPE,
  created: REQUIRED,
  verification_method: '',
  proof_purpose: PROOF_PURPOSE,
  proof_value: '',
});

/** The proof in an object of its shape. @throws ShapeError */
export function readProof(object: ValueObject): ProofValue {
  oneOf(object, 'type', [PROOF_TYPE]);
  oneOf(object, 'proof_purpose', [PROOF_PURPOSE]);
  // Of members that no signature covers only the form is looked at.
  requiredTime(object, 'created');
  requiredText(object, 'verification_method', MAX_TEXT, 0);
  const bytes = fromBase64url(requiredText(object, 'proof_value', 128, 0));
  return bytes !== null && (bytes.length === 64 || bytes.length === 32) ? bytes : null;
}
