import { MAX_TEXT } from '../limits.js';
import { fromBase64url } from './base64.js';
import { membersOf, oneOf, REQUIRED, textOf, timeOf, type Members } from './members.js';
import type { Value } from './numbers.js';

export const PROOF_TYPE = 'Ed25519Signature2020';
export const PROOF_PURPOSE = 'assertionMethod';

/** What a proof proves with: 64 bytes are a signature, 32 bytes an HMAC, null is neither. Its other members are not signed. */
export type ProofValue = Uint8Array | null;

const PROOF: Members = {
  type: PROOF_TYPE,
  created: REQUIRED,
  verification_method: '',
  proof_purpose: PROOF_PURPOSE,
  proof_value: '',
};

/** @throws ShapeError */
export function readProof(value: Value | undefined): ProofValue {
  const object = membersOf(value, '"proof"', PROOF);
  oneOf(object, 'type', [PROOF_TYPE]);
  oneOf(object, 'proof_purpose', [PROOF_PURPOSE]);
  timeOf(object, 'created');
  textOf(object, 'verification_method', MAX_TEXT, 0);
  const bytes = fromBase64url(textOf(object, 'proof_value', 128, 0));
  return bytes !== null && (bytes.length === 64 || bytes.length === 32) ? bytes : null;
}
