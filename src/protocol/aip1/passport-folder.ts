/** The reference's passport folder: `passport.json`, `public.pem` and `private.pem`. Only bytes here; files and keys are elsewhere. */
import { MAX_TEXT } from '../limits.js';
import { ShapeError } from '../json/shape.js';
import { fromBase64url, toBase64url } from './encoding/base64.js';
import { BOUNDARIES, readBoundaries, type Boundaries } from './boundaries.js';
import { IDENTITY, PRINCIPAL, readIdentity, readPrincipal, type Identity, type PrincipalClaim } from './envelope.js';
import { requiredText } from './encoding/members.js';
import { parseExact, type ValueObject } from './encoding/numbers.js';
import { publicKeyOfPem, publicKeyPem } from './public-pem.js';
import { nested, filled, shape } from './encoding/shape-of.js';
import { documentText, type EnvelopeAgent } from './sign.js';

/** What `passport.json` and `public.pem` say together. It is unsigned: its boundaries are what the folder's owner wrote. */
export interface ReferencePassport {
  readonly identity: Identity;
  readonly principal: PrincipalClaim;
  readonly boundaries: Boundaries;
  /** Raw 32 bytes. */
  readonly publicKey: Uint8Array;
}

const PASSPORT = shape('the passport', {
  identity: nested(IDENTITY),
  principal: nested(PRINCIPAL),
  boundaries: nested(BOUNDARIES),
  public_key: null,
});

/**
 * Reads a folder's public half; `publicPem` is null where the file is missing. The two must name the same key.
 * @throws JsonError or ShapeError
 */
export function readReferencePassport(passportJson: Uint8Array, publicPem: string | null): ReferencePassport {
  const object = filled(parseExact(passportJson), PASSPORT);
  const named = object.public_key === null ? null : fromBase64url(requiredText(object, 'public_key', MAX_TEXT));
  if (object.public_key !== null && named?.length !== 32)
    throw new ShapeError('"public_key" is not 32 bytes of base64url');
  const filed = publicPem === null ? null : publicKeyOfPem(publicPem);
  if (publicPem !== null && filed === null) throw new ShapeError('public.pem is not an Ed25519 public key');
  const publicKey = named ?? filed;
  if (publicKey === null) throw new ShapeError('the passport names no public key, and there is no public.pem');
  if (filed !== null && named !== null && !Buffer.from(filed).equals(named)) {
    throw new ShapeError('"public_key" and public.pem are different keys');
  }
  return {
    identity: readIdentity(object.identity as ValueObject),
    principal: readPrincipal(object.principal as ValueObject),
    boundaries: readBoundaries(object.boundaries as ValueObject),
    publicKey,
  };
}

/** The two public files of a folder. `private.pem` is PKCS#8, which the key file adapter writes. */
export function referencePassportFiles(
  speaker: EnvelopeAgent,
  publicKey: Uint8Array,
): Record<'passport.json' | 'public.pem', string> {
  const { identity, principal, boundaries } = speaker;
  return {
    'passport.json': `${documentText({ identity, principal, boundaries, public_key: toBase64url(publicKey) })}\n`,
    'public.pem': publicKeyPem(publicKey),
  };
}
