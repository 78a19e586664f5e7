/** Verifiers of a mesh: what each says of itself, what it confirms, and what the mesh keeps of it. */
import { lazy } from '../../protocol/lazy.js';
import { acceptableKey } from '../../protocol/ed25519/acceptance.js';
import { formatPublicKey, parsePublicKey } from '../../protocol/identity/keys.js';
import { canonicalize } from '../../protocol/json/canonical.js';
import { JsonError, parseJsonText } from '../../protocol/json/parse.js';
import { objectOf, ShapeError } from '../../protocol/json/shape.js';
import type { Json, JsonObject } from '../../protocol/json/values.js';
import type { ApiKeyRecord } from '../access/api-key.js';
import { isHash, isLogId } from '../log/head.js';
import { SIGNATURE_HEX, signatureHolds, type Signer } from '../log/signing.js';
import { schemaMembers } from '../schemas.js';

/** What a verifier does with a copy that is too old. */
export type OnStale = 'last-known' | 'deny';

/** A verifier's own key. */
export interface VerifierKey {
  /** `ed25519:<64 hex>`. */
  readonly publicKey: string;
  readonly sign: Signer;
}

/** What a verifier says of itself to the mesh. */
export interface ListeningVerifier {
  readonly key: VerifierKey;
  /** The label that was chosen for it; null where none was. */
  readonly label: string | null;
  /** The name of its machine. */
  readonly host: string;
  readonly program: string;
  readonly onStale: OnStale;
  readonly maxAgeMs: number;
}

/** What a verifier says of itself when it begins to listen, signed with its own key and for one API key. */
export interface VerifierCard {
  readonly type: 'mesh-verifier';
  readonly version: 1;
  readonly public_key: string;
  /** Id of the API key that it listens under: under another one the card is worth nothing. */
  readonly key_id: string;
  /** What people chose to call it; null where its API key says it, or its host. */
  readonly label: string | null;
  readonly host: string;
  /** The version of the program. */
  readonly program: string;
  readonly on_stale: OnStale;
  readonly max_age_ms: number;
  readonly signature: string;
}

/** A verifier's word that it has applied the log up to `seq`. */
export interface Applied {
  readonly type: 'mesh-applied';
  readonly version: 1;
  readonly public_key: string;
  readonly log_id: string;
  readonly seq: number;
  /** Hash of the event at `seq`: it covers everything before. */
  readonly hash: string;
  /** What the last drill asked every verifier to repeat; null when none did since it began to listen. */
  readonly challenge: string | null;
  readonly signature: string;
}

/** A verifier's word that it stops listening, and decides nothing more from its copy. */
export interface Leaving {
  readonly type: 'mesh-left';
  readonly version: 1;
  readonly public_key: string;
  readonly key_id: string;
  readonly signature: string;
}

/** A verifier as the mesh keeps it. */
export interface Member {
  /** Its public key; `<key id>:<name>` of one of the first version, which has none. */
  readonly verifier: string;
  /** What people call it. */
  readonly label: string;
  readonly keyId: string;
  /** Of its program; null of the first version, which did not say. */
  readonly program: string | null;
  readonly onStale: OnStale | null;
  readonly maxAgeMs: number | null;
  /** The last event that it confirmed. */
  readonly seq: number;
  /** Its last signed confirmation, as JSON text; null of the first version. */
  readonly applied: string | null;
  /** ms since the epoch, by the mesh's clock. */
  readonly firstSeenAt: number;
  readonly seenAt: number;
  /** When it said that it stops; null while it listens, or should. */
  readonly leftAt: number | null;
  /** Ends by itself when it was not seen for ten minutes. */
  readonly ephemeral: boolean;
}

/** A name for people: printable, short, and without what a terminal or a page could take for something else. */
const LABEL = lazy(() => /^[\p{L}\p{N}][\p{L}\p{N} ._@:/-]{0,63}$/u);
const PROGRAM = /^[0-9A-Za-z][0-9A-Za-z.+-]{0,31}$/;
const CHALLENGE = /^[0-9a-f]{32,128}$/;
const MAX_AGE_MS = 366 * 24 * 3_600_000;
/** Longest document in a header, as base64url. */
const MAX_HEADER = 2_048;

/** True for a label that a verifier may have. */
export function isLabel(text: string): boolean {
  return LABEL().test(text);
}

/** The label that `text` comes to: what may not stand in one becomes `-`. */
export function labelOf(text: string): string {
  const plain = text
    .replace(/[^\p{L}\p{N} ._@:/-]/gu, '-')
    .replace(/^[^\p{L}\p{N}]+/u, '')
    .slice(0, 64);
  return plain === '' ? 'unnamed' : plain;
}

/** True for 32 to 128 hex digits. */
function isChallenge(text: string): boolean {
  return CHALLENGE.test(text);
}

/** Signs what a verifier says of itself. */
export function writeCard(
  key: VerifierKey,
  of: Omit<ListeningVerifier, 'key'> & { readonly keyId: string },
): VerifierCard {
  const body = {
    type: 'mesh-verifier',
    version: 1,
    public_key: key.publicKey,
    key_id: of.keyId,
    label: of.label,
    host: of.host,
    program: of.program,
    on_stale: of.onStale,
    max_age_ms: of.maxAgeMs,
  } as const;
  return { ...body, signature: key.sign(canonicalize(body)) };
}

/** Signs that an event was applied. */
export function writeApplied(
  key: VerifierKey,
  at: { readonly logId: string; readonly seq: number; readonly hash: string; readonly challenge: string | null },
): Applied {
  const body = {
    type: 'mesh-applied',
    version: 1,
    public_key: key.publicKey,
    log_id: at.logId,
    seq: at.seq,
    hash: at.hash,
    challenge: at.challenge,
  } as const;
  return { ...body, signature: key.sign(canonicalize(body)) };
}

/** Signs that a verifier leaves. */
export function writeLeaving(key: VerifierKey, keyId: string): Leaving {
  const body = { type: 'mesh-left', version: 1, public_key: key.publicKey, key_id: keyId } as const;
  return { ...body, signature: key.sign(canonicalize(body)) };
}

/** Whether a signature (hex) of a public key holds over a text. */
export type VerifySignature = (publicKey: string, text: string, signature: string) => boolean;

/** The card in a value, when its signature holds. Throws ShapeError. */
export function readCard(value: Json, verify: VerifySignature): VerifierCard {
  const card = objectOf(value, 'the verifier', [
    ...['type', 'version', 'public_key', 'key_id', 'label', 'host', 'program', 'on_stale', 'max_age_ms', 'signature'],
  ]);
  const { label, host, program, on_stale, max_age_ms, key_id } = card;
  if (card.type !== 'mesh-verifier' || card.version !== 1) throw new ShapeError('it is no card of a verifier');
  if (typeof key_id !== 'string' || key_id.length > 64) throw new ShapeError('"key_id" is not an id');
  for (const name of [label ?? host, host])
    if (typeof name !== 'string' || !isLabel(name))
      throw new ShapeError('"label" or "host" is not 1 to 64 letters, digits or " ._@:/-"');
  if (typeof program !== 'string' || !PROGRAM.test(program)) throw new ShapeError('"program" is not a version');
  if (on_stale !== 'last-known' && on_stale !== 'deny') throw new ShapeError('"on_stale" is not last-known or deny');
  if (typeof max_age_ms !== 'number' || !Number.isSafeInteger(max_age_ms) || max_age_ms < 0 || max_age_ms > MAX_AGE_MS)
    throw new ShapeError('"max_age_ms" is not a duration');
  requireSigned(card, verify);
  return card as unknown as VerifierCard;
}

/** The confirmation in a value, when its signature holds. Throws ShapeError. */
export function readApplied(value: Json, verify: VerifySignature): Applied {
  const applied = objectOf(value, 'the confirmation', [
    ...['type', 'version', 'public_key', 'log_id', 'seq', 'hash', 'challenge', 'signature'],
  ]);
  const { log_id, seq, hash, challenge } = applied;
  const sound =
    applied.type === 'mesh-applied' &&
    applied.version === 1 &&
    typeof log_id === 'string' &&
    isLogId(log_id) &&
    typeof seq === 'number' &&
    Number.isSafeInteger(seq) &&
    seq >= 0 &&
    typeof hash === 'string' &&
    isHash(hash) &&
    (challenge === null || (typeof challenge === 'string' && isChallenge(challenge)));
  if (!sound) throw new ShapeError('the confirmation is not whole');
  requireSigned(applied, verify);
  return applied as unknown as Applied;
}

/** The farewell in a value, when its signature holds. @throws ShapeError */
export function readLeaving(value: Json, verify: VerifySignature): Leaving {
  const leaving = objectOf(value, 'the farewell', ...schemaMembers('Leaving'));
  if (leaving.type !== 'mesh-left' || leaving.version !== 1 || typeof leaving.key_id !== 'string')
    throw new ShapeError('it is no farewell of a verifier');
  requireSigned(leaving, verify);
  return leaving as unknown as Leaving;
}

/** A document that travels in a header. Throws ShapeError. */
export function headerDocument(text: string): Json {
  if (text.length > MAX_HEADER) throw new ShapeError('a document in a header is too long');
  try {
    return parseJsonText(Buffer.from(text, 'base64url').toString('utf8'));
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new ShapeError('a document in a header is not JSON');
  }
}

/** A document as the value of a header. */
export function asHeader(document: object): string {
  return Buffer.from(JSON.stringify(document)).toString('base64url');
}

function requireSigned(document: JsonObject, verify: VerifySignature): void {
  const { public_key, signature } = document;
  const raw = typeof public_key === 'string' ? parsePublicKey(public_key) : null;
  if (raw === null || !acceptableKey(raw) || formatPublicKey(raw) !== public_key)
    throw new ShapeError('"public_key" is not an acceptable Ed25519 public key');
  const holds =
    typeof signature === 'string' &&
    SIGNATURE_HEX.test(signature) &&
    signatureHolds(document, (text, hex) => verify(public_key, text, hex));
  if (!holds) throw new ShapeError('the signature does not hold under its own key');
}

/** What one is called that chose no label: as its API key, with its host where the key is for several. */
export function labelUnder({ role, label, maxVerifiers }: ApiKeyRecord, host: string): string {
  if (role !== 'verifier' || label === null) return host;
  return labelOf(maxVerifiers === 1 ? label : `${label}/${host}`);
}
