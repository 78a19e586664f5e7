import { canonicalBytesWithout } from './json/canonical-bytes.js';
import { isRequestId } from './approvals/approval.js';
import { isAgentId } from './identity/did.js';
import { sha256Hex } from './hash.js';
import { signatureBytes } from './hex.js';
import { MAX_ACTION_LENGTH, MAX_TEXT } from './limits.js';
import { objectOf, ShapeError, textOf } from './json/shape.js';
import { isObject, type Json, type JsonObject } from './json/values.js';

/** An intent as it travels (protocol, section 3). */
export interface IntentDocument {
  /** `did:web:<domain>:agents:<name>`. */
  readonly agent_id: string;
  /** A name that the passport declares. */
  readonly action: string;
  /** What the action is done with: what limits read, and a schema of the action checks. */
  readonly params: JsonObject;
  /** What the action is done to, where params do not say. */
  readonly target?: string;
  /** `<agent_id>#key-<n>`. Default: the passport's current key. */
  readonly key_id?: string;
  /** The request for approval that this intent was approved under: 32 hex digits (section 5.3). */
  readonly approval_request?: string;
  /** Unix seconds. */
  readonly timestamp: number;
  /** 32 to 128 hex digits. */
  readonly nonce: string;
  /** 128 lower-case hex digits: Ed25519 over the RFC 8785 bytes of all other members. */
  readonly signature: string;
}

/** A well-formed intent. Nothing in it is true before its signature holds. */
export interface Intent {
  readonly document: IntentDocument;
  /** The RFC 8785 bytes that the signature is over. */
  readonly signedBytes: Uint8Array;
  /** The 64 signature bytes, or null when the member is not 128 lower-case hex digits. */
  readonly signature: Uint8Array | null;
  /** `sha256:` and the hash of the signed bytes: what an approval and the log refer to. */
  readonly hash: string;
}

const REQUIRED = ['agent_id', 'action', 'params', 'timestamp', 'nonce', 'signature'];
const OPTIONAL = ['target', 'key_id', 'approval_request'];

/**
 * The intent in a parsed document.
 * @throws ShapeError when a member is missing, unknown or of the wrong type.
 */
export function readIntent(json: Json): Intent {
  const object = objectOf(json, 'the intent', REQUIRED, OPTIONAL);
  if (!isAgentId(textOf(object, 'agent_id', MAX_TEXT))) {
    throw new ShapeError('"agent_id" is not of the form did:web:<domain>:agents:<name>');
  }
  textOf(object, 'action', MAX_ACTION_LENGTH);
  if (!isObject(object.params)) throw new ShapeError('"params" is not an object');
  const timestamp = object.timestamp;
  if (typeof timestamp !== 'number' || !Number.isSafeInteger(timestamp) || timestamp < 0) {
    throw new ShapeError('"timestamp" is not a whole number of Unix seconds');
  }
  // The nonce's form has a code of its own (E304), judged in its step.
  if (typeof object.nonce !== 'string') throw new ShapeError('"nonce" is not a string');
  const signature = object.signature;
  if (typeof signature !== 'string') throw new ShapeError('"signature" is not a string');
  if (object.target !== undefined) textOf(object, 'target', MAX_TEXT);
  if (object.key_id !== undefined) textOf(object, 'key_id', MAX_TEXT);
  if (object.approval_request !== undefined && !isRequestId(textOf(object, 'approval_request', MAX_TEXT)))
    throw new ShapeError('"approval_request" is not 32 lower-case hex digits');
  const signedBytes = canonicalBytesWithout(object, 'signature');
  return {
    document: object as unknown as IntentDocument,
    signedBytes,
    signature: signatureBytes(signature),
    hash: `sha256:${sha256Hex(signedBytes)}`,
  };
}

/** The bytes to sign for an intent that has no signature yet. */
export function intentBytes(unsigned: Omit<IntentDocument, 'signature'>): Uint8Array {
  return canonicalBytesWithout(unsigned, 'signature');
}
