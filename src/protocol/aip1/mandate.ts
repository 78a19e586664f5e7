/** A mandate: what a principal allows an agent, signed with a key that the agent does not hold, so that it cannot widen it. */
import { canonicalId, ID_FORM } from '../identity/subject.js';
import { toHex } from '../hex.js';
import { MAX_TEXT } from '../limits.js';
import { ShapeError } from '../json/shape.js';
import { BOUNDARIES, readBoundaries, type Boundaries } from './boundaries.js';
import { CONTEXT } from './envelope.js';
import { oneOf, requiredText, requiredTime, timeOrNull } from './encoding/members.js';
import type { Value, ValueObject } from './encoding/numbers.js';
import { PROOF, readProof } from './proof.js';
import { filled, nested, REQUIRED, shape, shapedBytes } from './encoding/shape-of.js';
import { referenceTime } from './sign.js';
import { signedSpellings } from './encoding/spellings.js';

/** The reference's mandates last this long unless told otherwise. */
export const DEFAULT_MANDATE_LIFETIME_MS = 30 * 86_400_000;

/** A well-formed mandate. Who signed it is a separate question: `judgeMandate`. */
export interface Mandate {
  readonly id: string;
  readonly issuer: string;
  readonly subject: string;
  readonly boundaries: Boundaries;
  /** ms since the epoch. */
  readonly issuedAt: number;
  /** Null never ends. */
  readonly expiresAt: number | null;
  /** 64 bytes, or null. */
  readonly signature: Uint8Array | null;
  readonly spellings: () => Iterable<Uint8Array>;
}

const MANDATE = shape('the mandate', {
  '@context': CONTEXT,
  '@type': 'Mandate',
  mandate_id: REQUIRED,
  issuer: REQUIRED,
  subject: REQUIRED,
  boundaries: nested(BOUNDARIES),
  issued_at: REQUIRED,
  expires_at: null,
  proof: nested(PROOF),
});
const ID = /^mandate:[0-9a-f]{32}$/;

/** @throws ShapeError when the document is no mandate. */
export function readMandate(value: Value): Mandate {
  const object = filled(value, MANDATE);
  oneOf(object, '@context', [CONTEXT]);
  oneOf(object, '@type', ['Mandate']);
  const id = requiredText(object, 'mandate_id', MAX_TEXT);
  if (!ID.test(id)) throw new ShapeError('"mandate_id" is not "mandate:" and 32 hex digits');
  const proof = readProof(object.proof as ValueObject);
  return {
    id,
    issuer: nameOf(object, 'issuer'),
    subject: nameOf(object, 'subject'),
    boundaries: readBoundaries(object.boundaries as ValueObject),
    issuedAt: requiredTime(object, 'issued_at'),
    expiresAt: timeOrNull(object, 'expires_at'),
    signature: proof !== null && proof.length === 64 ? proof : null,
    spellings: () => signedSpellings(shapedBytes(object, MANDATE), object, value as ValueObject),
  };
}

function nameOf(object: ValueObject, name: string): string {
  const id = canonicalId(requiredText(object, name, MAX_TEXT));
  if (id === null) throw new ShapeError(`"${name}" is not an id that could be named to stop it: ${ID_FORM}`);
  return id;
}

/** What a new mandate says. */
export interface MandateRequest {
  readonly issuer: string;
  readonly subject: string;
  readonly boundaries: Value;
  /** ms since the epoch. */
  readonly now: number;
  /** ms; null for a mandate that never ends. */
  readonly lifetimeMs: number | null;
  /** 16 bytes from a CSPRNG. */
  readonly id: Uint8Array;
}

/** A mandate without its proof. @throws ShapeError when the boundaries have a member that boundaries do not have */
export function unsignedMandate(request: MandateRequest): ValueObject {
  const { issuer, subject, now, lifetimeMs } = request;
  return {
    '@context': CONTEXT,
    '@type': 'Mandate',
    mandate_id: `mandate:${toHex(request.id)}`,
    issuer,
    subject,
    boundaries: filled(request.boundaries, BOUNDARIES),
    issued_at: referenceTime(now),
    expires_at: lifetimeMs === null ? null : referenceTime(now + lifetimeMs),
  };
}
