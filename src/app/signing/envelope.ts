import { readEnvelope, type Tier } from '../../protocol/aip1/envelope.js';
import type { ValueObject } from '../../protocol/aip1/encoding/numbers.js';
import { documentText, envelopeOf } from '../../protocol/aip1/sign.js';
import { speakerOf } from '../../protocol/aip1/speaker.js';
import { MAX_DOCUMENT_BYTES } from '../../protocol/limits.js';
import type { Passport } from '../../protocol/passport.js';
import { ShapeError } from '../../protocol/json/shape.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { Failure } from '../failure.js';
import type { HeldKey } from '../keys/keyring.js';
import { provenBy } from './document.js';
import { requireSignable } from './intent.js';

/** What an AIP-1 envelope is to say. */
export interface EnvelopeRequest {
  readonly action: string;
  readonly params: JsonObject;
  readonly target: string | null;
  readonly tier: Tier;
  /** Seconds, 1 to 86400. */
  readonly ttl: number;
  /** Unix seconds. */
  readonly timestamp: number;
  /** 16 bytes from a CSPRNG. */
  readonly nonce: Uint8Array;
}

/** Signs what an agent intends to do as the reference package does; its boundaries are those of the passport. */
export async function signEnvelope(passport: Passport, key: HeldKey, request: EnvelopeRequest): Promise<ValueObject> {
  requireSignable(request);
  const { action, params, target, tier, ttl, nonce } = request;
  const now = request.timestamp * 1000;
  const unsigned = envelopeOf(speakerOf(passport), {
    action,
    target: target ?? '',
    parameters: params,
    tier,
    ttl,
    now,
    nonce,
  });
  let envelope: ValueObject;
  try {
    envelope = await provenBy(key, unsigned, passport.document.principal, now);
    // Through the door that it has to pass at its verifier.
    readEnvelope(envelope);
  } catch (error) {
    if (error instanceof RangeError)
      throw new Failure('USAGE', 'Integers beyond 2^53 cannot be signed as numbers here.', {
        hint: 'sign them as text: --param id=<digits>',
      });
    if (error instanceof ShapeError) throw new Failure('USAGE', `This would be no envelope: ${error.reason}.`);
    throw error;
  }
  const size = Buffer.byteLength(documentText(envelope));
  if (size > MAX_DOCUMENT_BYTES) {
    throw new Failure('USAGE', `The envelope is ${size} bytes long; a document holds at most ${MAX_DOCUMENT_BYTES}.`);
  }
  return envelope;
}
