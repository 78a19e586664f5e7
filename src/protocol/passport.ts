import { canonicalize, canonicalizeWithout } from './json/canonical.js';
import { sha256Hex } from './hash.js';
import { lazy } from './lazy.js';
import { parseConstraints, type Constraints } from './constraints/grammar.js';
import { keyNumber, parseAgentId, parsePrincipalId, type AgentId } from './identity/did.js';
import { verifyKeyOf, type VerifyKey } from './ed25519/verify.js';
import { fromHex } from './hex.js';
import { parsePublicKey } from './identity/keys.js';
import { isResourceAction } from './naming/resources.js';
import { MAX_ACTION_LENGTH, MAX_ACTIONS, MAX_PREVIOUS_KEYS, MAX_TEXT } from './limits.js';
import { jsonOf, listOf, objectOf, ShapeError, textOf, timeOf } from './json/shape.js';
import { isObject, type Json, type JsonObject } from './json/values.js';
import { foundAt } from './json/found.js';

/** A passport as it is written (protocol, section 2). */
export interface PassportDocument {
  readonly version: 1;
  /** Counts the issues of this agent's passport, from 1; absent from passports of the first version. */
  readonly serial?: number;
  /** `did:web:<domain>:agents:<agent_name>`. */
  readonly agent_id: string;
  readonly agent_name: string;
  readonly domain: string;
  /** `did:web:<domain>`: who answers for the agent, and signs this. */
  readonly principal: string;
  /** The key that the agent signs with, `<agent_id>#key-<n>`. */
  readonly key_id: string;
  /** `ed25519:` and 64 hex digits. */
  readonly public_key: string;
  /** What the agent may do, by name; `params` is a JSON Schema that the params of an intent are held to. */
  readonly actions: readonly (string | { readonly name: string; readonly params?: JsonObject })[];
  /** What it may not do, whatever `actions` says. */
  readonly denied_actions: readonly string[];
  /** Limits by name: `aip help constraints`. */
  readonly constraints: JsonObject;
  /** For people and other programs: no decision reads it. */
  readonly metadata: JsonObject;
  /** RFC 3339 UTC. */
  readonly issued_at: string;
  /** RFC 3339 UTC; null for no expiry. */
  readonly expires_at: string | null;
  /** Rotated out, and verifying until `valid_until`. */
  readonly previous_keys: readonly PreviousKey[];
  /** The key of the principal, `<principal>#key-<n>`. */
  readonly issuer_key_id: string;
  /** 128 lower-case hex digits: the principal's, over the RFC 8785 bytes of all other members. */
  readonly issuer_signature: string;
}

/** A key that was rotated away, and until when it still verifies. */
export interface PreviousKey {
  /** `<agent_id>#key-<n>`. */
  readonly key_id: string;
  /** `ed25519:` and 64 hex digits. */
  readonly public_key: string;
  /** RFC 3339 UTC. */
  readonly valid_until: string;
}

/** A key of a passport, ready for use. */
export interface PassportKey {
  readonly keyId: string;
  readonly key: VerifyKey;
  /** ms since the epoch; null for the current key. */
  readonly validUntil: number | null;
}

/** A well-formed passport. Who signed it is a separate question, answered by `issuerOf`. */
export interface Passport {
  readonly document: PassportDocument;
  readonly agent: AgentId;
  /** 0 for a document without one. */
  readonly serial: number;
  /** `sha256:` and hex over the RFC 8785 bytes of the whole document, the signature included. */
  readonly hash: () => string;
  /** The RFC 8785 text of the whole document, the signature included. */
  readonly text: () => string;
  readonly currentKey: PassportKey;
  readonly previousKeys: readonly PassportKey[];
  /** Each declared action with the schema of its params, or null when it has none. */
  readonly actions: ReadonlyMap<string, JsonObject | null>;
  readonly deniedActions: ReadonlySet<string>;
  readonly constraints: Constraints;
  /** ms since the epoch. */
  readonly issuedAt: number;
  readonly expiresAt: number | null;
  /** The RFC 8785 bytes that the principal's signature is over. */
  readonly signedBytes: Uint8Array;
  readonly signature: Uint8Array;
}

const REQUIRED = [
  'version',
  'agent_id',
  'agent_name',
  'domain',
  'principal',
  'key_id',
  'public_key',
  'actions',
  'constraints',
  'issued_at',
  'issuer_key_id',
  'issuer_signature',
];
const OPTIONAL = ['serial', 'denied_actions', 'metadata', 'expires_at', 'previous_keys'];
/** The last serial that a passport can have. */
export const MAX_SERIAL = 2_147_483_647;
/** A former key verifies no longer than this after the passport was issued, in ms: its `valid_until` is what the principal signed then. */
const MAX_KEY_OVERLAP_MS = 30 * 24 * 3_600_000;
const ACTION = /^[A-Za-z0-9][A-Za-z0-9._:/-]*$/;
const SIGNATURE = /^[0-9a-f]{128}$/;

/** What an action's name is made of, in words. */
export const ACTION_NAME_RULE = 'letters, digits and "._:/-"; behind "resource:" a URI, which may end in "/*"';

/** True for a name that a passport may declare as an action: letters, digits and `. _ : / -`, or `resource:` and a pattern of URIs. */
export function isActionName(text: string): boolean {
  return text.length <= MAX_ACTION_LENGTH && (ACTION.test(text) || isResourceAction(text));
}

/**
 * Reads a passport from the bytes of its file.
 * @throws ShapeError with one reason; nothing of an unreadable passport is used.
 */
export function readPassport(bytes: Uint8Array): Passport {
  const json = jsonOf(bytes);
  return passportOf(json);
}

/** The passport in a kept text; null where it cannot be read. */
export function passportIn(text: string): Passport | null {
  try {
    return readPassport(Buffer.from(text));
  } catch (error) {
    if (error instanceof ShapeError) return null;
    throw error;
  }
}

/** The passport in a parsed document. @throws ShapeError */
export function passportOf(json: Json): Passport {
  const object = objectOf(json, 'the passport', REQUIRED, OPTIONAL);
  if (object.version !== 1) throw new ShapeError('"version" is not 1');
  const agent = parseAgentId(textOf(object, 'agent_id', MAX_TEXT));
  if (agent === null) throw new ShapeError('"agent_id" is not of the form did:web:<domain>:agents:<name>');
  if (object.agent_name !== agent.name) throw new ShapeError('"agent_name" is not the name in "agent_id"');
  if (object.domain !== agent.domain) throw new ShapeError('"domain" is not the domain in "agent_id"');
  const principal = parsePrincipalId(textOf(object, 'principal', MAX_TEXT));
  // A principal answers for its own domain only; else any pinned principal could issue passports in another's name.
  if (principal !== agent.domain)
    throw new ShapeError('"principal" is not did:web:<domain> of the agent\'s own domain');
  const keyId = textOf(object, 'key_id', MAX_TEXT);
  if (keyNumber(agent.id, keyId) === null) throw new ShapeError('"key_id" is not of the form <agent_id>#key-<n>');
  const issuerKeyId = textOf(object, 'issuer_key_id', MAX_TEXT);
  if (keyNumber(`did:web:${principal}`, issuerKeyId) === null) {
    throw new ShapeError('"issuer_key_id" is not of the form <principal>#key-<n>');
  }
  const { serial = 0 } = object;
  if (object.serial !== undefined && !isSerial(serial))
    throw new ShapeError(`"serial" is not a whole number from 1 to ${MAX_SERIAL}`);
  const issuedAt = timeOf(object, 'issued_at');
  const expiresAt = object.expires_at === undefined || object.expires_at === null ? null : timeOf(object, 'expires_at');
  if (expiresAt !== null && expiresAt <= issuedAt) throw new ShapeError('"expires_at" is not after "issued_at"');
  if (object.metadata !== undefined && !isObject(object.metadata)) throw new ShapeError('"metadata" is not an object');
  const signature = textOf(object, 'issuer_signature', MAX_TEXT);
  if (!SIGNATURE.test(signature)) throw new ShapeError('"issuer_signature" is not 128 lower-case hex digits');
  const previousKeys = (
    object.previous_keys === undefined ? [] : listOf(object, 'previous_keys', MAX_PREVIOUS_KEYS)
  ).map((entry) => previousKeyOf(entry, agent));
  const ids = [keyId, ...previousKeys.map((key) => key.keyId)];
  if (new Set(ids).size !== ids.length) throw new ShapeError('two keys have the same id');
  if (previousKeys.some(({ validUntil }) => validUntil! - issuedAt > MAX_KEY_OVERLAP_MS))
    throw new ShapeError('a previous key is valid for more than 30 days after "issued_at"');
  const text = lazy(() => canonicalize(object));
  return {
    document: {
      ...(object as unknown as PassportDocument),
      denied_actions: (object.denied_actions ?? []) as string[],
      metadata: object.metadata ?? {},
      expires_at: (object.expires_at ?? null) as string | null,
      previous_keys: (object.previous_keys ?? []) as unknown as PreviousKey[],
    },
    agent,
    serial: serial as number,
    hash: lazy(() => `sha256:${sha256Hex(text())}`),
    text,
    currentKey: { keyId, key: keyOf(object, 'public_key'), validUntil: null },
    previousKeys,
    actions: actionsOf(object),
    deniedActions: new Set(object.denied_actions === undefined ? [] : deniedOf(object)),
    constraints: constraintsOf(object),
    issuedAt,
    expiresAt,
    signedBytes: Buffer.from(canonicalizeWithout(object, 'issuer_signature'), 'utf8'),
    signature: fromHex(signature)!,
  };
}

function isSerial(value: Json): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_SERIAL;
}

/** The bytes a principal signs to issue a passport. */
export function passportBytes(unsigned: Omit<PassportDocument, 'issuer_signature'>): Uint8Array {
  return Buffer.from(canonicalizeWithout(unsigned as unknown as JsonObject, 'issuer_signature'), 'utf8');
}

function keyOf(object: JsonObject, name: string): VerifyKey {
  const bytes = parsePublicKey(textOf(object, name, 128));
  const key = bytes === null ? null : verifyKeyOf(bytes);
  if (key === null) throw new ShapeError(`"${name}" is not an acceptable Ed25519 public key`);
  return key;
}

function previousKeyOf(entry: Json, agent: AgentId): PassportKey {
  const object = objectOf(entry, 'an entry of "previous_keys"', ['key_id', 'public_key', 'valid_until']);
  const keyId = textOf(object, 'key_id', MAX_TEXT);
  if (keyNumber(agent.id, keyId) === null)
    throw new ShapeError('a previous "key_id" is not of the form <agent_id>#key-<n>');
  return { keyId, key: keyOf(object, 'public_key'), validUntil: timeOf(object, 'valid_until') };
}

function actionsOf(object: JsonObject): Map<string, JsonObject | null> {
  const actions = new Map<string, JsonObject | null>();
  for (const entry of listOf(object, 'actions', MAX_ACTIONS)) {
    const declared = typeof entry === 'string' ? { name: entry } : objectOf(entry, 'an action', ['name'], ['params']);
    const { name, params } = declared as { name: Json; params?: Json };
    if (typeof name !== 'string' || !isActionName(name)) {
      throw new ShapeError(`an action's name is not made of ${ACTION_NAME_RULE}`);
    }
    if (params !== undefined && !isObject(params))
      throw new ShapeError(`the params of action "${name}" are not a JSON Schema object`);
    if (actions.has(name)) throw new ShapeError(`action "${name}" is declared twice`);
    actions.set(name, params ?? null);
  }
  return actions;
}

function deniedOf(object: JsonObject): string[] {
  return listOf(object, 'denied_actions', MAX_ACTIONS).map((name) => {
    if (typeof name !== 'string' || !isActionName(name))
      throw new ShapeError('"denied_actions" holds something that is not an action name');
    return name;
  });
}

function constraintsOf(object: JsonObject): Constraints {
  if (!isObject(object.constraints)) throw new ShapeError('"constraints" is not an object');
  const parsed = parseConstraints(object.constraints);
  if (parsed.ok) return parsed.constraints;
  const { path, reason } = parsed.problems[0] ?? { path: '?', reason: 'not understood' };
  const found = foundAt(object.constraints, path);
  throw new ShapeError(`constraint "${path}": ${reason}${found === null ? '' : `; it is ${found}`}`);
}
