/** What the conformance cases are made of: fixed seeds, a fixed time, and one well-formed envelope to bend. */
import { bytesToSign, documentText, referenceTime, signDocument, withProof } from '../../../src/protocol/aip1/sign.js';
import { hmacOf } from '../../../src/protocol/aip1/hmac.js';
import { referenceText } from '../../../src/protocol/aip1/encoding/canonical.js';
import type { Value, ValueObject } from '../../../src/protocol/aip1/encoding/numbers.js';
import { unsignedMandate, type MandateRequest } from '../../../src/protocol/aip1/mandate.js';
import { publicKeyOf, signMessage } from '../../../src/protocol/ed25519/sign.js';
import { toHex } from '../../../src/protocol/hex.js';
import { sha256 } from '../../../src/protocol/hash.js';
import { passportBytes, type PassportDocument } from '../../../src/protocol/passport.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';

export const AT = '2026-02-14T12:00:00Z';
export const NOW = Date.parse(AT);
export const AGENT = 'did:web:acme.com:agents:procurement-bot';
export const PRINCIPAL = 'did:web:acme.com';

const seed = (byte: number) => new Uint8Array(32).fill(byte);
export const SEEDS = { agent: seed(0xaa), stranger: seed(0xbb), principal: seed(0xdd), issuer: seed(0xee) };
export const HMAC_KEY = seed(0xcc);
export const KEYS = Object.fromEntries(
  Object.entries(SEEDS).map(([name, each]) => [name, toHex(publicKeyOf(each))]),
) as Record<keyof typeof SEEDS, string>;

export const WIDE: ValueObject = {
  allowed_actions: ['transfer_funds', 'read_invoice'],
  denied_actions: [],
  monetary_limit: { per_transaction: 500, per_day: 5000, currency: 'USD' },
  data_access: [],
  geo_restriction: null,
  time_window: null,
};

/** A nonce that is as good as random for one case, and the same every time. */
export function nonceOf(name: string): string {
  return `nonce:${toHex(sha256(`aip-1 conformance ${name}`)).slice(0, 32)}`;
}

export function envelopeParts(name: string): Record<string, Value> {
  return {
    '@context': 'https://aip.protocol/v1',
    '@type': 'IntentEnvelope',
    protocol_version: '1.0.0',
    agent: {
      id: AGENT,
      version: '1.0.0',
      runtime: 'aip-sdk/0.1.0',
      attestation: {
        method: 'self_reported',
        framework_id: null,
        build_hash: null,
        system_prompt_hash: null,
        registry_signature: null,
        intent_classifier: { model: 'aip-classifier-v1', confidence_threshold: 0.95 },
      },
    },
    principal: {
      type: 'organization',
      id: PRINCIPAL,
      delegation_chain: [link(PRINCIPAL, AGENT)],
    },
    intent: {
      action: 'transfer_funds',
      target: 'did:web:vendor.com:agents:billing',
      parameters: { amount: 200, currency: 'USD' },
    },
    boundaries: WIDE,
    verification_tier: 'tier_1',
    entropy: nonceOf(name),
    ttl: 300,
    issued_at: AT,
    expires_at: null,
  };
}

export function link(from: string, to: string, more: Record<string, Value> = {}): ValueObject {
  return {
    from,
    to,
    scope: 'default',
    boundary_monotonicity: true,
    granted_at: '2026-01-01T00:00:00Z',
    expires_at: null,
    ...more,
  };
}

/** Members to replace, by their path: `{ 'intent.action': '' }`; undefined takes a member away. */
export type Bends = Readonly<Record<string, Value | undefined>>;

export function bent(document: ValueObject, bends: Bends): ValueObject {
  const copy = structuredClone(document) as Record<string, Value>;
  for (const [path, value] of Object.entries(bends)) {
    const names = path.split('.');
    const last = names.pop()!;
    const parent = names.reduce((at, name) => at[name] as Record<string, Value>, copy);
    if (value === undefined) delete parent[last];
    else parent[last] = value;
  }
  return copy;
}

/** A signed envelope, bent before it was signed. */
export function signed(name: string, bends: Bends = {}, by: Uint8Array = SEEDS.agent): ValueObject {
  return signDocument(bent(envelopeParts(name), bends), by, PRINCIPAL, NOW);
}

/** `document` with an HMAC for tier 0, in the principal's name. */
export function authenticated(document: ValueObject, key: Uint8Array, now: number): ValueObject {
  return withProof(document, hmacOf(key, bytesToSign(document)), PRINCIPAL, now);
}

export function macked(name: string, bends: Bends = {}, key: Uint8Array = HMAC_KEY): ValueObject {
  const document = bent(envelopeParts(name), { verification_tier: 'tier_0', ...bends });
  return authenticated(document, key, NOW);
}

/** Compact, as the file holds hundreds of them. */
export const text = (document: Value): string => referenceText(document, 'raw');
/** As the reference prints it: indented, its members in the order of their definition. */
export const printed = (document: Value): string => documentText(document);

/** A mandate with its proof. */
export function issued(request: MandateRequest, by: Uint8Array): ValueObject {
  return signDocument(unsignedMandate(request), by, request.issuer, request.now);
}

export interface MandateBends {
  readonly boundaries?: Bends;
  readonly subject?: string;
  readonly issuer?: string;
  readonly issuedAt?: number;
  readonly lifetimeMs?: number | null;
  readonly by?: Uint8Array;
}

export function mandate(bends: MandateBends = {}): ValueObject {
  const { subject = AGENT, issuer = PRINCIPAL, issuedAt = NOW - 3_600_000, lifetimeMs = 86_400_000 } = bends;
  return issued(
    {
      issuer,
      subject,
      boundaries: bent(WIDE, bends.boundaries ?? {}),
      now: issuedAt,
      lifetimeMs,
      id: new Uint8Array(16).fill(1),
    },
    bends.by ?? SEEDS.issuer,
  );
}

/** A native passport of the agent, signed by its principal. */
export function passport(more: Partial<PassportDocument> = {}): JsonObject {
  const unsigned = {
    version: 1 as const,
    agent_id: AGENT,
    agent_name: 'procurement-bot',
    domain: 'acme.com',
    principal: PRINCIPAL,
    key_id: `${AGENT}#key-1`,
    public_key: `ed25519:${KEYS.agent}`,
    actions: ['transfer_funds', 'read_invoice'],
    denied_actions: [],
    constraints: { monetary_limit: 100, currency: 'USD' },
    metadata: {},
    issued_at: referenceTime(NOW - 86_400_000),
    expires_at: null,
    previous_keys: [],
    issuer_key_id: `${PRINCIPAL}#key-1`,
    ...more,
  };
  return {
    ...unsigned,
    issuer_signature: toHex(signMessage(SEEDS.principal, passportBytes(unsigned))),
  } as unknown as JsonObject;
}
