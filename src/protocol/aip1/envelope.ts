import { sha256Hex } from '../hash.js';
import { MAX_ACTION_LENGTH, MAX_TEXT } from '../limits.js';
import { ShapeError } from '../json/shape.js';
import type { JsonObject } from '../json/values.js';
import { BOUNDARIES, readBoundaries, type Boundaries } from './boundaries.js';
import { requiredList, oneOf, requiredText, textOrNull, requiredTime, timeOrNull } from './encoding/members.js';
import { isList, plainJson, type Value, type ValueObject } from './encoding/numbers.js';
import { PROOF, readProof, type ProofValue } from './proof.js';
import { filled, listed, nested, REQUIRED, shape, shapedBytes } from './encoding/shape-of.js';
import { signedSpellings } from './encoding/spellings.js';
import { canonicalId, ID_FORM } from '../identity/subject.js';

/** `@context` of every AIP-1 document. */
export const CONTEXT = 'https://aip.protocol/v1';
/** `protocol_version`; another one is E104. */
export const PROTOCOL_VERSION = '1.0.0';
/** An envelope without an expiry ends this long after its issue (RFC-001, section 14.3). */
const DEFAULT_LIFETIME_MS = 300_000;
/** Longest delegation chain: each link is a party that could have been asked instead. */
const MAX_DELEGATION = 32;

/** How much of RFC-001 is asked: 0, 1 or 2. */
export type Tier = 0 | 1 | 2;
const TIERS = ['tier_0', 'tier_1', 'tier_2'] as const;

const METHODS = ['self_reported', 'framework_registry', 'tee_hardware'] as const;

/** What an agent says of the software that it is. */
export interface Attestation {
  readonly method: (typeof METHODS)[number];
  readonly frameworkId: string | null;
  readonly buildHash: string | null;
  readonly promptHash: string | null;
}

/** One step by which a principal handed on the right to act. */
export interface DelegationLink {
  readonly from: string;
  readonly to: string;
  readonly scope: string;
  /** ms since the epoch. */
  readonly grantedAt: number;
  readonly expiresAt: number | null;
}

/** A well-formed envelope. Nothing in it is true before its proof holds. */
export interface Envelope {
  readonly agentId: string;
  readonly attestation: Attestation;
  readonly principal: string;
  readonly delegation: readonly DelegationLink[];
  readonly action: string;
  readonly target: string;
  /** Integers beyond 2^53 are strings of digits here. */
  readonly parameters: JsonObject;
  readonly boundaries: Boundaries;
  readonly tier: Tier;
  /** `nonce:` and hex digits, if it is well-formed. */
  readonly entropy: string;
  /** ms since the epoch. */
  readonly issuedAt: number;
  /** ms since the epoch; the earlier of what the document says and of its `ttl` after the issue. */
  readonly expiresAt: number;
  /** The text of `proof_value`, for the log. */
  readonly proofText: string;
  readonly proof: ProofValue;
  /** The reference's own text, which the proof is over unless another library made it. */
  readonly signedBytes: Uint8Array;
  /** Every text that the proof may be over, `signedBytes` first; made when asked for. */
  readonly spellings: () => Iterable<Uint8Array>;
  /** `sha256:` and the hash of the reference's text: what an approval and the log refer to. */
  readonly hash: string;
}

/** The document is an envelope of a protocol version that this verifier does not speak. */
export class VersionError extends Error {
  readonly found: string;
  constructor(found: string) {
    super(`protocol version ${JSON.stringify(found.slice(0, 64))}`);
    this.name = 'VersionError';
    this.found = found;
  }
}

const CLASSIFIER = shape('"intent_classifier"', { model: 'aip-classifier-v1', confidence_threshold: 0.95 });
const ATTESTATION = shape('"attestation"', {
  method: 'framework_registry',
  framework_id: null,
  build_hash: null,
  system_prompt_hash: null,
  registry_signature: null,
  intent_classifier: nested(CLASSIFIER, {}),
});
/** The form of the member `agent`. */
export const IDENTITY = shape('"agent"', {
  id: REQUIRED,
  version: '1.0.0',
  runtime: 'aip-sdk/0.1.0',
  attestation: nested(ATTESTATION, {}),
});
const LINK = shape('a delegation link', {
  from: REQUIRED,
  to: REQUIRED,
  scope: REQUIRED,
  boundary_monotonicity: true,
  granted_at: REQUIRED,
  expires_at: null,
});
/** The form of the member `principal`. */
export const PRINCIPAL = shape('"principal"', { type: 'organization', id: REQUIRED, delegation_chain: listed(LINK) });
const INTENT = shape('"intent"', { action: REQUIRED, target: '', parameters: {} });
const ENVELOPE = shape('the envelope', {
  '@context': CONTEXT,
  '@type': 'IntentEnvelope',
  protocol_version: PROTOCOL_VERSION,
  agent: nested(IDENTITY),
  principal: nested(PRINCIPAL),
  intent: nested(INTENT),
  boundaries: nested(BOUNDARIES),
  verification_tier: 'tier_1',
  entropy: REQUIRED,
  ttl: 300,
  issued_at: REQUIRED,
  expires_at: null,
  proof: nested(PROOF),
});

/** True for a document that means to be AIP-1: native intents are flat and have none of these members. */
export function isAip1(value: Value): boolean {
  if (typeof value !== 'object' || value === null || isList(value)) return false;
  return ['@type', '@context', 'protocol_version', 'intent', 'proof'].some((name) => value[name] !== undefined);
}

/**
 * The envelope in a parsed document.
 * @throws VersionError before anything else is looked at. @throws ShapeError when it is not an envelope.
 */
export function readEnvelope(value: Value): Envelope {
  if (typeof value === 'object' && value !== null && !isList(value)) {
    const version = value.protocol_version;
    if (typeof version === 'string' && version !== PROTOCOL_VERSION) throw new VersionError(version);
  }
  const object = filled(value, ENVELOPE);
  oneOf(object, '@context', [CONTEXT]);
  oneOf(object, '@type', ['IntentEnvelope']);
  oneOf(object, 'protocol_version', [PROTOCOL_VERSION]);
  const agent = readIdentity(object.agent as ValueObject);
  const principal = readPrincipal(object.principal as ValueObject);
  const intent = object.intent as ValueObject;
  const parameters = intent.parameters!;
  if (typeof parameters !== 'object' || parameters === null || isList(parameters)) {
    throw new ShapeError('"parameters" is not an object');
  }
  const boundaries = readBoundaries(object.boundaries as ValueObject);
  const tier = TIERS.indexOf(oneOf(object, 'verification_tier', TIERS)) as Tier;
  const issuedAt = requiredTime(object, 'issued_at');
  const lifetimeMs = lifetimeOf(object);
  const proof = object.proof as ValueObject;
  const signedBytes = shapedBytes(object, ENVELOPE);
  return {
    agentId: agent.id,
    attestation: agent.attestation,
    principal: principal.id,
    delegation: principal.delegation,
    action: requiredText(intent, 'action', MAX_ACTION_LENGTH),
    target: requiredText(intent, 'target', MAX_TEXT, 0),
    parameters: plainJson(parameters) as JsonObject,
    boundaries,
    tier,
    // Its form has a code of its own (E105), judged in its step.
    entropy: requiredText(object, 'entropy', MAX_TEXT, 0),
    issuedAt,
    // Both are the signer's own word, so the shorter one binds.
    expiresAt: Math.min(timeOrNull(object, 'expires_at') ?? issuedAt + DEFAULT_LIFETIME_MS, issuedAt + lifetimeMs),
    proof: readProof(proof),
    proofText: proof.proof_value as string,
    signedBytes,
    spellings: () => signedSpellings(signedBytes, object, value as ValueObject),
    hash: `sha256:${sha256Hex(signedBytes)}`,
  };
}

/** The member `agent`, read. */
export interface Identity {
  readonly document: ValueObject;
  readonly id: string;
  readonly attestation: Attestation;
}

/** The agent in an object of its shape. @throws ShapeError */
export function readIdentity(object: ValueObject): Identity {
  requiredText(object, 'version', 64, 0);
  requiredText(object, 'runtime', MAX_TEXT, 0);
  const attestation = object.attestation as ValueObject;
  const classifier = attestation.intent_classifier as ValueObject;
  requiredText(classifier, 'model', MAX_TEXT, 0);
  const threshold = classifier.confidence_threshold;
  if (typeof threshold !== 'number' || threshold < 0 || threshold > 1) {
    throw new ShapeError('"confidence_threshold" is not a number from 0 to 1');
  }
  textOrNull(attestation, 'registry_signature', MAX_TEXT);
  return {
    document: object,
    id: subjectOf(object, 'id'),
    attestation: {
      method: oneOf(attestation, 'method', METHODS),
      frameworkId: textOrNull(attestation, 'framework_id', MAX_TEXT),
      buildHash: textOrNull(attestation, 'build_hash', MAX_TEXT),
      promptHash: textOrNull(attestation, 'system_prompt_hash', MAX_TEXT),
    },
  };
}

/** The member `principal`, read. Nothing of it is believed. */
export interface PrincipalClaim {
  readonly document: ValueObject;
  readonly id: string;
  readonly delegation: readonly DelegationLink[];
}

/** The principal in an object of its shape. @throws ShapeError */
export function readPrincipal(object: ValueObject): PrincipalClaim {
  oneOf(object, 'type', ['organization', 'individual']);
  const links = requiredList(object, 'delegation_chain', MAX_DELEGATION) as readonly ValueObject[];
  return { document: object, id: subjectOf(object, 'id'), delegation: links.map(readLink) };
}

function readLink(link: ValueObject): DelegationLink {
  if (typeof link.boundary_monotonicity !== 'boolean') throw new ShapeError('"boundary_monotonicity" is not a boolean');
  return {
    from: subjectOf(link, 'from'),
    to: subjectOf(link, 'to'),
    scope: requiredText(link, 'scope', MAX_TEXT, 0),
    grantedAt: requiredTime(link, 'granted_at'),
    expiresAt: timeOrNull(link, 'expires_at'),
  };
}

/** An id is any name in the reference. It is read in its canonical spelling, and one that no order to stop could name is refused. */
function subjectOf(object: ValueObject, name: string): string {
  const id = canonicalId(requiredText(object, name, MAX_TEXT));
  if (id === null) throw new ShapeError(`"${name}" is not an id that could be named to stop it: ${ID_FORM}`);
  return id;
}

/** In ms. */
function lifetimeOf(object: ValueObject): number {
  const ttl = object.ttl;
  if (typeof ttl !== 'number' || !Number.isInteger(ttl) || ttl < 1 || ttl > 86_400) {
    throw new ShapeError('"ttl" is not a whole number of seconds from 1 to 86400');
  }
  return ttl * 1000;
}
