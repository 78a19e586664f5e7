/**
 * A person's answer to a request for approval (protocol, section 5.3). It outlives the intent that was refused: it names the action by
 * its hash and the request by its id, and neither time nor nonce. Only the verifier that raised the request takes it, once.
 */
import { canonicalBytesWithout } from '../json/canonical-bytes.js';
import { signatureBytes } from '../hex.js';
import { jsonOf, objectOf, ShapeError, textOf, timeOf } from '../json/shape.js';
import type { JsonObject } from '../json/values.js';
import { DEFAULT_MAX_SKEW_S, MAX_TEXT } from '../limits.js';
import { formatTime } from '../time.js';

/** The document, as it travels. */
export interface ActionApprovalDocument {
  readonly type: 'approval';
  readonly version: 2;
  /** 32 hex digits. */
  readonly request_id: string;
  /** Public key of the verifier that raised the request: `ed25519:` and hex. */
  readonly verifier: string;
  /** `sha256:` and 64 hex digits. */
  readonly action_hash: string;
  /** The agent that wants to act. */
  readonly agent_id: string;
  /** `sha256:` and hex, of the passport that the action was judged under; null where there was none. */
  readonly passport_hash: string | null;
  /** Who answers: the id in the passport's `approvers`, or the principal. */
  readonly approver: string;
  /** `<approver>#key-<n>`. */
  readonly key_id: string;
  readonly decision: 'approve' | 'deny';
  /** In the approver's words; null where none are given. */
  readonly reason: string | null;
  /** RFC 3339. */
  readonly approved_at: string;
  /** RFC 3339: an approval counts before this moment. */
  readonly approved_until: string;
  /** 128 lower-case hex digits: Ed25519 over the RFC 8785 bytes of all other members. */
  readonly signature: string;
}

/** A well-formed answer. Who signed it, and whether it counts, are separate questions. */
export interface ActionApproval {
  readonly document: ActionApprovalDocument;
  readonly signedBytes: Uint8Array;
  readonly signature: Uint8Array;
  /** ms since the epoch. */
  readonly approvedAt: number;
  /** ms since the epoch. */
  readonly approvedUntil: number;
}

const MEMBERS = [
  ...['type', 'version', 'request_id', 'verifier', 'action_hash', 'agent_id', 'passport_hash', 'approver', 'key_id'],
  ...['decision', 'reason', 'approved_at', 'approved_until', 'signature'],
];
const HASH = /^sha256:[0-9a-f]{64}$/;
const REQUEST_ID = /^[0-9a-f]{32}$/;
/** Longest reason, in characters. */
export const MAX_APPROVAL_REASON = 500;
/** How long an approval counts, in ms, where the approver says nothing else. */
export const DEFAULT_APPROVED_MS = 15 * 60_000;
/** How long a request waits, and a denial stands, in ms, where the passport says nothing else. */
export const DEFAULT_TTL_MS = 60 * 60_000;

/** How far an approver's clock may be ahead, in ms. */
export const APPROVER_SKEW_MS = DEFAULT_MAX_SKEW_S * 1000;

/** Why an approval is in force for too long, in one sentence; null when it is not. One dated ahead would count until long after. */
export function termProblem({ approvedAt, approvedUntil }: ActionApproval, ttlMs: number, now: number): string | null {
  if (approvedUntil - approvedAt > ttlMs) return 'it is for longer than the passport allows';
  if (approvedAt - now <= APPROVER_SKEW_MS) return null;
  return `it is dated ${formatTime(approvedAt)}, and here it is ${formatTime(now)}: set the clock of the machine that signs`;
}

/** True for 32 lower-case hex digits: 128 random bits. */
export function isRequestId(text: string): boolean {
  return REQUEST_ID.test(text);
}

/** The answer in a file's bytes. @throws ShapeError */
export function readActionApproval(bytes: Uint8Array | string): ActionApproval {
  const object = objectOf(jsonOf(bytes), 'the approval', MEMBERS);
  if (object.type !== 'approval') throw new ShapeError('"type" is not "approval"');
  if (object.version !== 2) throw new ShapeError('"version" is not 2');
  if (!isRequestId(textOf(object, 'request_id', MAX_TEXT)))
    throw new ShapeError('"request_id" is not 32 lower-case hex digits');
  requireKeyText(object, 'verifier');
  requireHash(object, 'action_hash');
  textOf(object, 'agent_id', MAX_TEXT);
  if (object.passport_hash !== null) requireHash(object, 'passport_hash');
  const approver = textOf(object, 'approver', MAX_TEXT);
  const number = textOf(object, 'key_id', MAX_TEXT).slice(approver.length);
  if (!(object.key_id as string).startsWith(approver) || !/^#key-[1-9][0-9]{0,8}$/.test(number))
    throw new ShapeError('"key_id" is not of the form <approver>#key-<n>');
  if (object.decision !== 'approve' && object.decision !== 'deny')
    throw new ShapeError('"decision" is neither "approve" nor "deny"');
  if (object.reason !== null) textOf(object, 'reason', MAX_APPROVAL_REASON);
  const approvedAt = timeOf(object, 'approved_at');
  const approvedUntil = timeOf(object, 'approved_until');
  const signature = signatureBytes(textOf(object, 'signature', MAX_TEXT));
  if (signature === null) throw new ShapeError('"signature" is not 128 lower-case hex digits');
  return {
    document: object as unknown as ActionApprovalDocument,
    signedBytes: canonicalBytesWithout(object, 'signature'),
    signature,
    approvedAt,
    approvedUntil,
  };
}

/** The bytes that the approver signs. */
export function actionApprovalBytes(unsigned: Omit<ActionApprovalDocument, 'signature'>): Uint8Array {
  return canonicalBytesWithout(unsigned, 'signature');
}

/** @throws ShapeError unless the member is `sha256:` and 64 hex digits. */
export function requireHash(object: JsonObject, name: string): void {
  if (!HASH.test(textOf(object, name, MAX_TEXT))) throw new ShapeError(`"${name}" is not sha256: and 64 hex digits`);
}

/** @throws ShapeError unless the member is the canonical text of a public key. */
export function requireKeyText(object: JsonObject, name: string): void {
  if (!/^ed25519:[0-9a-f]{64}$/.test(textOf(object, name, MAX_TEXT)))
    throw new ShapeError(`"${name}" is not ed25519: and 64 lower-case hex digits`);
}
