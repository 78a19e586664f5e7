/**
 * A request for approval: what an agent asked to do, and who may answer. The verifier that raised it signs it with its own key, so that
 * a person at another machine is shown what the verifier judged and nothing that somebody put in its place.
 */
import { canonicalBytesWithout } from '../json/canonical-bytes.js';
import { verifyKeyOf, verifySignature } from '../ed25519/verify.js';
import { signatureBytes } from '../hex.js';
import { parsePublicKey } from '../identity/keys.js';
import { jsonOf, listOf, objectOf, ShapeError, textOf, timeOf } from '../json/shape.js';
import { isObject, type JsonObject } from '../json/values.js';
import { MAX_ACTION_LENGTH, MAX_LIST, MAX_TEXT } from '../limits.js';
import { actionHash, type AskedAction } from './action-hash.js';
import { isRequestId, MAX_APPROVAL_REASON, requireHash, requireKeyText } from './approval.js';

/** Who may answer. */
export interface NamedApprover {
  readonly id: string;
  /** `ed25519:` and hex; null for a principal, whose pinned keys count. */
  readonly public_key: string | null;
}

/** The document, as it travels. */
export interface ApprovalRequestDocument extends AskedAction {
  readonly type: 'approval-request';
  readonly version: 1;
  /** 32 hex digits: 128 random bits. */
  readonly request_id: string;
  /** Public key of the verifier that raised it. */
  readonly verifier: string;
  /** `sha256:` and 64 hex digits, over all that is asked for. */
  readonly action_hash: string;
  /** Why a person is asked. */
  readonly reason: string;
  /** Who may answer. */
  readonly approvers: readonly NamedApprover[];
  /** How many of them have to approve. */
  readonly count: number;
  /** Longest time that an approval may count, in seconds. */
  readonly ttl_s: number;
  /** RFC 3339. */
  readonly requested_at: string;
  /** RFC 3339: when it ends without an answer. */
  readonly expires_at: string;
  /** 128 lower-case hex digits: Ed25519 of the verifier over the RFC 8785 bytes of all other members. */
  readonly signature: string;
}

/** A well-formed request whose hash is that of the action it shows. */
export interface ApprovalRequest {
  readonly document: ApprovalRequestDocument;
  readonly signedBytes: Uint8Array;
  readonly signature: Uint8Array;
  /** ms since the epoch. */
  readonly expiresAt: number;
}

/** Requests of one agent, and of all, that wait at a time, on a machine and at a mesh; there is no request beyond. */
export const MOST_PENDING = { agent: 20, all: 1_000 } as const;

const MEMBERS = [
  ...['type', 'version', 'request_id', 'verifier', 'action_hash', 'agent_id', 'action', 'params', 'target'],
  ...['passport_hash', 'reason', 'approvers', 'count', 'ttl_s', 'requested_at', 'expires_at', 'signature'],
];

/** The request in a file's bytes. @throws ShapeError */
export function readApprovalRequest(bytes: Uint8Array | string): ApprovalRequest {
  const object = objectOf(jsonOf(bytes), 'the request', MEMBERS);
  if (object.type !== 'approval-request') throw new ShapeError('"type" is not "approval-request"');
  if (object.version !== 1) throw new ShapeError('"version" is not 1');
  if (!isRequestId(textOf(object, 'request_id', MAX_TEXT)))
    throw new ShapeError('"request_id" is not 32 lower-case hex digits');
  requireKeyText(object, 'verifier');
  requireHash(object, 'action_hash');
  textOf(object, 'agent_id', MAX_TEXT);
  textOf(object, 'action', MAX_ACTION_LENGTH);
  if (!isObject(object.params)) throw new ShapeError('"params" is not an object');
  if (object.target !== null) textOf(object, 'target', MAX_TEXT);
  if (object.passport_hash !== null) requireHash(object, 'passport_hash');
  textOf(object, 'reason', MAX_APPROVAL_REASON);
  const approvers = listOf(object, 'approvers', MAX_LIST);
  for (const approver of approvers) {
    const { public_key } = objectOf(approver, 'an approver', ['id', 'public_key']);
    textOf(approver as JsonObject, 'id', MAX_TEXT);
    if (public_key !== null) requireKeyText(approver as JsonObject, 'public_key');
  }
  requireWhole(object, 'count', 1, Math.max(1, approvers.length));
  requireWhole(object, 'ttl_s', 1, 366 * 86_400);
  timeOf(object, 'requested_at');
  const expiresAt = timeOf(object, 'expires_at');
  const signature = signatureBytes(textOf(object, 'signature', MAX_TEXT));
  if (signature === null) throw new ShapeError('"signature" is not 128 lower-case hex digits');
  const document = object as unknown as ApprovalRequestDocument;
  // What is shown must be what is approved.
  if (actionHash(document) !== document.action_hash)
    throw new ShapeError('"action_hash" is not the hash of the action in it');
  return { document, signedBytes: canonicalBytesWithout(object, 'signature'), signature, expiresAt };
}

function requireWhole(object: JsonObject, name: string, least: number, most: number): void {
  const value = object[name];
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most)
    throw new ShapeError(`"${name}" is not a whole number from ${least} to ${most}`);
}

/** The bytes that the verifier signs. */
export function approvalRequestBytes(unsigned: Omit<ApprovalRequestDocument, 'signature'>): Uint8Array {
  return canonicalBytesWithout(unsigned as unknown as JsonObject, 'signature');
}

/** True where the verifier that the request names signed it. */
export function isVerifierSigned({ document, signedBytes, signature }: ApprovalRequest): boolean {
  const key = verifyKeyOf(parsePublicKey(document.verifier)!);
  return key !== null && verifySignature(key, signedBytes, signature);
}
