import { sha256Hex } from '../hash.js';
import { MAX_ACTION_LENGTH, MAX_TEXT } from '../limits.js';
import { ShapeError } from '../shape.js';
import type { JsonObject } from '../values.js';
import { readBoundaries, type Boundaries } from './boundaries.js';
import { listOf, membersOf, oneOf, REQUIRED, textOf, textOrNull, timeOf, timeOrNull, type Members } from './members.js';
import { isList, plain, type Value, type ValueObject } from './numbers.js';
import { readProof, type ProofValue } from './proof.js';
import { signedText, signedSpellings } from './spellings.js';

export const CONTEXT = 'https://aip.protocol/v1';
export const VERSION = '1.0.0';
/** An envelope without an expiry ends this long after its issue (RFC-001, section 14.3). */
export const DEFAULT_LIFETIME_MS = 300_000;
/** Longest delegation chain: each link is a party that could have been asked instead. */
export const MAX_DELEGATION = 32;

export type Tier = 0 | 1 | 2;
const TIERS = ['tier_0', 'tier_1', 'tier_2'] as const;

export const METHODS = ['self_reported', 'framework_registry', 'tee_hardware'] as const;

export interface Attestation {
  readonly method: (typeof METHODS)[number];
  readonly frameworkId: string | null;
  readonly buildHash: string | null;
  readonly promptHash: string | null;
}

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
  /** ms since the epoch; what the document says, or issue and 300 s when it says nothing. */
  readonly expiresAt: number;
  /** The text of `proof_value`, for the log. */
  readonly proofText: string;
  readonly proof: ProofValue;
  /** Every text that the proof may be over, the reference's own first; made when asked for. */
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

const ENVELOPE: Members = {
  '@context': CONTEXT,
  '@type': 'IntentEnvelope',
  protocol_version: VERSION,
  agent: REQUIRED,
  principal: REQUIRED,
  intent: REQUIRED,
  boundaries: REQUIRED,
  verification_tier: 'tier_1',
  entropy: REQUIRED,
  ttl: 300,
  issued_at: REQUIRED,
  expires_at: null,
  proof: REQUIRED,
};
const CLASSIFIER: Members = { model: 'aip-classifier-v1', confidence_threshold: 0.95 };
const ATTESTATION: Members = {
  method: 'framework_registry',
  framework_id: null,
  build_hash: null,
  system_prompt_hash: null,
  registry_signature: null,
  intent_classifier: { model: 'aip-classifier-v1', confidence_threshold: 0.95 },
};
const AGENT: Members = { id: REQUIRED, version: '1.0.0', runtime: 'aip-sdk/0.1.0', attestation: {} };
const PRINCIPAL: Members = { type: 'organization', id: REQUIRED, delegation_chain: [] };
const LINK: Members = {
  from: REQUIRED,
  to: REQUIRED,
  scope: REQUIRED,
  boundary_monotonicity: true,
  granted_at: REQUIRED,
  expires_at: null,
};
const INTENT: Members = { action: REQUIRED, target: '', parameters: {} };

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
    if (typeof version === 'string' && version !== VERSION) throw new VersionError(version);
  }
  const object = membersOf(value, 'the envelope', ENVELOPE);
  oneOf(object, '@context', [CONTEXT]);
  oneOf(object, '@type', ['IntentEnvelope']);
  oneOf(object, 'protocol_version', [VERSION]);
  const agent = readIdentity(object.agent);
  const principal = readPrincipal(object.principal);
  const intent = membersOf(object.intent, '"intent"', INTENT);
  const parameters = intent.parameters!;
  if (typeof parameters !== 'object' || parameters === null || isList(parameters)) {
    throw new ShapeError('"parameters" is not an object');
  }
  const boundaries = readBoundaries(object.boundaries);
  const tier = TIERS.indexOf(oneOf(object, 'verification_tier', TIERS)) as Tier;
  lifetimeOf(object);
  const issuedAt = timeOf(object, 'issued_at');
  const filled = {
    ...object,
    agent: agent.document,
    principal: principal.document,
    intent,
    boundaries: boundaries.document,
  };
  const reference = signedText(filled);
  return {
    agentId: agent.id,
    attestation: agent.attestation,
    principal: principal.id,
    delegation: principal.delegation,
    action: textOf(intent, 'action', MAX_ACTION_LENGTH),
    target: textOf(intent, 'target', MAX_TEXT, 0),
    parameters: plain(parameters) as JsonObject,
    boundaries,
    tier,
    // Its form has a code of its own (E105), judged in its step.
    entropy: textOf(object, 'entropy', MAX_TEXT, 0),
    issuedAt,
    expiresAt: timeOrNull(object, 'expires_at') ?? issuedAt + DEFAULT_LIFETIME_MS,
    proofText: (object.proof as { proof_value?: string }).proof_value ?? '',
    proof: readProof(object.proof),
    spellings: () => signedSpellings(reference, filled, value as ValueObject),
    hash: `sha256:${sha256Hex(reference)}`,
  };
}

export interface Identity {
  readonly document: ValueObject;
  readonly id: string;
  readonly attestation: Attestation;
}

/** The member `agent`, or `identity` of the reference's passport. @throws ShapeError */
export function readIdentity(value: Value | undefined): Identity {
  const object = membersOf(value, '"agent"', AGENT);
  textOf(object, 'version', 64, 0);
  textOf(object, 'runtime', MAX_TEXT, 0);
  const attestation = membersOf(object.attestation, '"attestation"', ATTESTATION);
  const classifier = membersOf(attestation.intent_classifier, '"intent_classifier"', CLASSIFIER);
  textOf(classifier, 'model', MAX_TEXT, 0);
  const threshold = classifier.confidence_threshold;
  if (typeof threshold !== 'number' || threshold < 0 || threshold > 1) {
    throw new ShapeError('"confidence_threshold" is not a number from 0 to 1');
  }
  textOrNull(attestation, 'registry_signature', MAX_TEXT);
  return {
    document: { ...object, attestation: { ...attestation, intent_classifier: classifier } },
    id: subjectOf(object, 'id'),
    attestation: {
      method: oneOf(attestation, 'method', METHODS),
      frameworkId: textOrNull(attestation, 'framework_id', MAX_TEXT),
      buildHash: textOrNull(attestation, 'build_hash', MAX_TEXT),
      promptHash: textOrNull(attestation, 'system_prompt_hash', MAX_TEXT),
    },
  };
}

export interface PrincipalClaim {
  readonly document: ValueObject;
  readonly id: string;
  readonly delegation: readonly DelegationLink[];
}

/** The member `principal`. @throws ShapeError */
export function readPrincipal(value: Value | undefined): PrincipalClaim {
  const object = membersOf(value, '"principal"', PRINCIPAL);
  oneOf(object, 'type', ['organization', 'individual']);
  const links = listOf(object, 'delegation_chain', MAX_DELEGATION).map((entry) => {
    const link = membersOf(entry, 'a delegation link', LINK);
    if (typeof link.boundary_monotonicity !== 'boolean')
      throw new ShapeError('"boundary_monotonicity" is not a boolean');
    return link;
  });
  return {
    document: { ...object, delegation_chain: links },
    id: subjectOf(object, 'id'),
    delegation: links.map((link) => ({
      from: subjectOf(link, 'from'),
      to: subjectOf(link, 'to'),
      scope: textOf(link, 'scope', MAX_TEXT, 0),
      grantedAt: timeOf(link, 'granted_at'),
      expiresAt: timeOrNull(link, 'expires_at'),
    })),
  };
}

/** An id is any name in the reference; one that a terminal or a log would show as another is none. */
function subjectOf(object: ValueObject, name: string): string {
  const id = textOf(object, name, MAX_TEXT);
  if (!/^[\x21-\x7e]+$/.test(id)) throw new ShapeError(`"${name}" holds white space or characters beyond ASCII`);
  return id;
}

function lifetimeOf(object: ValueObject): void {
  const ttl = object.ttl;
  if (typeof ttl !== 'number' || !Number.isInteger(ttl) || ttl < 1 || ttl > 86_400) {
    throw new ShapeError('"ttl" is not a whole number of seconds from 1 to 86400');
  }
}
