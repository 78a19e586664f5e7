/**
 * A person's approval of exactly one intent (protocol, section 5, `require_approval`), signed by the principal that answers for the
 * agent: with a key that the agent does not hold. It names the intent by the hash of its signed bytes, nonce included, so it is of no
 * use for any other, and of none for this one once that was accepted.
 */
import { canonicalizeWithout } from '../json/canonical.js';
import { keyNumber, parsePrincipalId } from '../identity/did.js';
import { signatureBytes } from '../hex.js';
import { MAX_ACTION_LENGTH, MAX_TEXT } from '../limits.js';
import { jsonOf, objectOf, ShapeError, textOf } from '../json/shape.js';
import { parseTime } from '../time.js';
import type { JsonObject } from '../json/values.js';

/** An approval of one exact intent, as it is signed. */
export interface ApprovalDocument {
  /** Told apart from everything else that a principal signs. */
  readonly type: 'intent-approval';
  readonly version: 1;
  /** `sha256:` and 64 hex digits. */
  readonly intent_hash: string;
  readonly agent_id: string;
  readonly action: string;
  /** The principal. */
  readonly approver: string;
  readonly key_id: string;
  /** RFC 3339. For people: how long an approval can be used, the age of its intent says. */
  readonly approved_at: string;
  readonly signature: string;
}

/** A well-formed approval. Who signed it is a separate question. */
export interface Approval {
  readonly document: ApprovalDocument;
  /** RFC 8785. */
  readonly signedBytes: Uint8Array;
  readonly signature: Uint8Array;
}

const MEMBERS = [
  ...['type', 'version', 'intent_hash', 'agent_id', 'action', 'approver', 'key_id', 'approved_at', 'signature'],
];
const HASH = /^sha256:[0-9a-f]{64}$/;

/** The approval in a file's bytes. @throws ShapeError */
export function readApproval(bytes: Uint8Array): Approval {
  const json = jsonOf(bytes);
  const object = objectOf(json, 'the approval', MEMBERS);
  if (object.type !== 'intent-approval') throw new ShapeError('"type" is not "intent-approval"');
  if (object.version !== 1) throw new ShapeError('"version" is not 1');
  if (!HASH.test(textOf(object, 'intent_hash', MAX_TEXT)))
    throw new ShapeError('"intent_hash" is not sha256: and 64 hex digits');
  textOf(object, 'agent_id', MAX_TEXT);
  textOf(object, 'action', MAX_ACTION_LENGTH);
  const approver = textOf(object, 'approver', MAX_TEXT);
  if (parsePrincipalId(approver) === null) throw new ShapeError('"approver" is not of the form did:web:<domain>');
  if (keyNumber(approver, textOf(object, 'key_id', MAX_TEXT)) === null)
    throw new ShapeError('"key_id" is not of the form <approver>#key-<n>');
  if (parseTime(textOf(object, 'approved_at', 64)) === null)
    throw new ShapeError('"approved_at" is not an RFC 3339 time ending in Z');
  const signature = signatureBytes(textOf(object, 'signature', MAX_TEXT));
  if (signature === null) throw new ShapeError('"signature" is not 128 lower-case hex digits');
  return { document: object as unknown as ApprovalDocument, signedBytes: bytesOf(object), signature };
}

/** The bytes that the approver signs. */
export function approvalBytes(unsigned: Omit<ApprovalDocument, 'signature'>): Uint8Array {
  return bytesOf(unsigned);
}

function bytesOf(object: JsonObject): Uint8Array {
  return Buffer.from(canonicalizeWithout(object, 'signature'), 'utf8');
}
