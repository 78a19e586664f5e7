/** What an agent asks its principal for: a passport over a key that was made where the agent lives (protocol, section 2). */
import { acceptableKey } from './ed25519/acceptance.js';
import { verifyKeyOf, verifySignature } from './ed25519/verify.js';
import { signatureBytes } from './hex.js';
import { keyNumber, parseAgentId, type AgentId } from './identity/did.js';
import { parsePublicKey } from './identity/keys.js';
import { canonicalizeWithout } from './json/canonical.js';
import { jsonOf, listOf, objectOf, ShapeError, textOf } from './json/shape.js';
import { isObject, type JsonObject } from './json/values.js';
import { MAX_ACTIONS, MAX_TEXT } from './limits.js';
import type { PassportDocument } from './passport.js';
import { parseTime } from './time.js';

/** How long a request may be signed after it was made, in ms. */
export const REQUEST_TERM_MS = 7 * 24 * 3_600_000;

/** A request as it is signed by the agent's own key. */
export interface PassportRequestDocument {
  readonly type: 'passport-request';
  readonly version: 1;
  readonly agent_id: string;
  readonly key_id: string;
  /** `ed25519:` and 64 hex digits. */
  readonly public_key: string;
  readonly actions: PassportDocument['actions'];
  readonly constraints: JsonObject;
  /** RFC 3339 UTC. */
  readonly requested_at: string;
  /** 32 hex digits: a request is signed once. */
  readonly nonce: string;
  /** The agent's, over the RFC 8785 bytes of all other members. */
  readonly signature: string;
}

/** A request that the holder of its key signed. What it asks for is the agent's word alone. */
export interface WellFormedRequest {
  readonly document: PassportRequestDocument;
  readonly agent: AgentId;
  /** ms since the epoch. */
  readonly requestedAt: number;
}

const MEMBERS = [
  ...['type', 'version', 'agent_id', 'key_id', 'public_key', 'actions', 'constraints', 'requested_at', 'nonce'],
  'signature',
];
const NONCE = /^[0-9a-f]{32,128}$/;

/** The bytes that the agent signs. */
export function passportRequestBytes(unsigned: Omit<PassportRequestDocument, 'signature'>): Uint8Array {
  return Buffer.from(canonicalizeWithout(unsigned as unknown as JsonObject, 'signature'), 'utf8');
}

/**
 * The request in a file's bytes. Its actions and constraints are judged with the passport that is made of them.
 * @throws ShapeError when it is no request, or its signature does not hold under the key that it names
 */
export function readPassportRequest(bytes: Uint8Array): WellFormedRequest {
  const json = jsonOf(bytes);
  const object = objectOf(json, 'the request', MEMBERS);
  if (object.type !== 'passport-request') throw new ShapeError('"type" is not "passport-request"');
  if (object.version !== 1) throw new ShapeError('"version" is not 1');
  const agent = parseAgentId(textOf(object, 'agent_id', MAX_TEXT));
  if (agent === null) throw new ShapeError('"agent_id" is not of the form did:web:<domain>:agents:<name>');
  if (keyNumber(agent.id, textOf(object, 'key_id', MAX_TEXT)) === null)
    throw new ShapeError('"key_id" is not of the form <agent_id>#key-<n>');
  listOf(object, 'actions', MAX_ACTIONS);
  if (!isObject(object.constraints)) throw new ShapeError('"constraints" is not an object');
  const requestedAt = parseTime(textOf(object, 'requested_at', 64));
  if (requestedAt === null) throw new ShapeError('"requested_at" is not an RFC 3339 time ending in Z');
  if (!NONCE.test(textOf(object, 'nonce', 128))) throw new ShapeError('"nonce" is not 32 to 128 lower-case hex digits');
  const raw = parsePublicKey(textOf(object, 'public_key', MAX_TEXT));
  const key = raw === null || !acceptableKey(raw) ? null : verifyKeyOf(raw);
  if (key === null) throw new ShapeError('"public_key" is not an acceptable Ed25519 public key');
  const signature = signatureBytes(textOf(object, 'signature', 128));
  const document = object as unknown as PassportRequestDocument;
  if (signature === null || !verifySignature(key, passportRequestBytes(document), signature))
    throw new ShapeError('its signature does not hold under the key that it names');
  return { document, agent, requestedAt };
}
