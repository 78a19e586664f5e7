/** Intents of cases, in either dialect: which are signed, when they were made, what a person would be asked, and what throwaway keys make of the rest. */
import { isAip1 } from '../../protocol/aip1/envelope.js';
import { envelopeOf, signDocument } from '../../protocol/aip1/sign.js';
import { speakerOf } from '../../protocol/aip1/speaker.js';
import { canonicalize } from '../../protocol/json/canonical.js';
import { ShapeError } from '../../protocol/json/shape.js';
import { isObject, type JsonObject } from '../../protocol/json/values.js';
import type { Passport } from '../../protocol/passport.js';
import { parseTime } from '../../protocol/time.js';
import type { Submission } from '../verification/examine.js';
import { AGENT_SEED, signedAs, standInNonce } from './stand-in.js';

/** True for an intent or envelope that comes with a proof of its own: it is judged as it stands. */
export function isSignedCase(intent: JsonObject): boolean {
  return intent[isAip1(intent) ? 'proof' : 'signature'] !== undefined;
}

/** When it says that it was made, in ms since the epoch; null where it does not say. */
export function caseMoment(intent: JsonObject): number | null {
  if (isAip1(intent)) return typeof intent['issued_at'] === 'string' ? parseTime(intent['issued_at']) : null;
  return typeof intent['timestamp'] === 'number' ? intent['timestamp'] * 1000 : null;
}

/** What a person is asked about, in the words of an intent. */
export function askedOfCase(intent: JsonObject, agentId: string): JsonObject {
  if (!isAip1(intent)) return { agent_id: agentId, params: {}, ...intent };
  const { action = '', target = '', parameters = {} } = wishOf(intent);
  return { agent_id: agentId, action, params: parameters, ...(target === '' ? {} : { target }) };
}

/**
 * The document as it comes to the verifier. What is not signed is filled in and signed with the agent's throwaway key; `index` makes the nonce,
 * `at` is in ms since the epoch. `request` is the request for approval that it names. @throws ShapeError for what cannot be signed
 */
export function caseSubmission(
  intent: JsonObject,
  passport: Passport,
  { index, at, request }: { readonly index: number; readonly at: number; readonly request: string | null },
): Pick<Submission, 'bytes' | 'approvalRequest'> {
  if (isAip1(intent)) {
    const bytes = canonicalize(isSignedCase(intent) ? intent : signedEnvelope(intent, passport, index, at));
    // An envelope has no member for it.
    return request === null ? { bytes } : { bytes, approvalRequest: request };
  }
  if (isSignedCase(intent)) return { bytes: canonicalize(intent) };
  const named = request === null ? intent : { ...intent, approval_request: request };
  return { bytes: canonicalize(signedAs(passport.agent.id, named, index, at)) };
}

/** What is left out is what `aip intent sign --dialect aip-1` writes under this passport. */
function signedEnvelope(envelope: JsonObject, passport: Passport, index: number, at: number): JsonObject {
  const now = Math.floor(at / 1000) * 1000;
  const nonce = standInNonce(index);
  const usual = envelopeOf(speakerOf(passport), {
    ...{ action: '', target: '', parameters: {}, tier: 1, ttl: 300, now, nonce },
  });
  // Of an envelope with a term of its own the usual end would be wrong.
  const ends: JsonObject =
    envelope['ttl'] === undefined && envelope['issued_at'] === undefined ? {} : { expires_at: null };
  const whole = {
    ...{ ...usual, ...ends, ...envelope },
    intent: { action: '', target: '', parameters: {}, ...wishOf(envelope) },
  };
  try {
    return signDocument(whole, AGENT_SEED, passport.document.principal, now) as JsonObject;
  } catch (error) {
    if (error instanceof RangeError) throw new ShapeError('an envelope with an integer beyond 2^53 cannot be signed');
    throw error;
  }
}

function wishOf({ intent = {} }: JsonObject): JsonObject {
  return isObject(intent) ? intent : {};
}
