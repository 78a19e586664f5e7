import { isRequestId } from '../../protocol/approvals/approval.js';
import { signMessage } from '../../protocol/ed25519/sign.js';
import { toHex } from '../../protocol/hex.js';
import { intentBytes, type IntentDocument } from '../../protocol/intent.js';
import { MAX_ACTION_LENGTH, MAX_DOCUMENT_BYTES, MAX_TEXT } from '../../protocol/limits.js';
import type { Passport } from '../../protocol/passport.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { Failure } from '../failure.js';
import type { HeldKey, SeedKey } from '../keys/keyring.js';

/** What an intent is to say. */
export interface IntentRequest {
  readonly action: string;
  readonly params: JsonObject;
  readonly target: string | null;
  /** The request for approval that was approved: 32 hex digits. */
  readonly approvalRequest?: string;
  /** Unix seconds. */
  readonly timestamp: number;
  /** 16 bytes from a CSPRNG. */
  readonly nonce: Uint8Array;
}

/** Signs what an agent intends to do. Whether it may is the verifier's question; a passport's limits are not asked here. */
export async function signIntent(passport: Passport, key: HeldKey, request: IntentRequest): Promise<IntentDocument> {
  const { unsigned, bytes } = unsignedIntent(passport, key.keyId, request);
  return { ...unsigned, signature: toHex(await key.sign(bytes)) };
}

/** The same at once, with a key in hand. */
export function signIntentNow(
  passport: Passport,
  key: Pick<SeedKey, 'keyId' | 'seed'>,
  request: IntentRequest,
): IntentDocument {
  const { unsigned, bytes } = unsignedIntent(passport, key.keyId, request);
  return { ...unsigned, signature: toHex(signMessage(key.seed, bytes)) };
}

/** @throws Failure USAGE for what no verifier could read */
function unsignedIntent(
  passport: Passport,
  keyId: string,
  request: IntentRequest,
): { readonly unsigned: Omit<IntentDocument, 'signature'>; readonly bytes: Uint8Array } {
  requireSignable(request);
  if (request.approvalRequest !== undefined && !isRequestId(request.approvalRequest))
    throw new Failure('USAGE', 'The id of a request for approval is 32 lower-case hex digits.', {
      hint: 'aip approvals list',
    });
  const { action, target } = request;
  const unsigned = {
    agent_id: passport.agent.id,
    action,
    params: request.params,
    ...(target === null ? {} : { target }),
    // Named, so that the intent still verifies when the key is rotated before it arrives.
    key_id: keyId,
    ...(request.approvalRequest === undefined ? {} : { approval_request: request.approvalRequest }),
    timestamp: request.timestamp,
    nonce: toHex(request.nonce),
  };
  const bytes = intentBytes(unsigned);
  if (bytes.length > MAX_DOCUMENT_BYTES - 256) {
    throw new Failure(
      'USAGE',
      `The intent is ${bytes.length} bytes long; a document holds at most ${MAX_DOCUMENT_BYTES}.`,
    );
  }
  return { unsigned, bytes };
}

/** Fails for what no verifier of either dialect could read. */
export function requireSignable({ action, target }: Pick<IntentRequest, 'action' | 'target'>): void {
  if (action.length === 0 || action.length > MAX_ACTION_LENGTH) {
    throw new Failure('USAGE', `An action has 1 to ${MAX_ACTION_LENGTH} characters.`, {
      hint: 'name it with --action <name>',
    });
  }
  if (target !== null && (target.length === 0 || target.length > MAX_TEXT)) {
    throw new Failure('USAGE', `A target has 1 to ${MAX_TEXT} characters.`);
  }
}
