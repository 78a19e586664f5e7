import { usage } from '../../app/failure.js';
import { readRegistry } from '../../app/verification/trust/attestation-registry.js';
import { plainParams } from '../../app/verification/plain-json.js';
import { mandateFinding, mandatesByAgent } from '../../app/verification/trust/mandates.js';
import { sharedKeys } from '../../verify/dialects/aip1/hmac-keys.js';
import type { EnvelopeTrust } from '../../verify/dialects/aip1/trust.js';
import { MIN_HMAC_KEY_BYTES } from '../../protocol/aip1/hmac.js';
import type { VerifyKey } from '../../protocol/ed25519/verify.js';
import { canonicalId } from '../../protocol/identity/subject.js';
import { ShapeError } from '../../protocol/json/shape.js';
import type { Json } from '../../protocol/json/values.js';
import { flagOption, listOption, onlyKnown } from './given.js';
import { publicKeyIn } from './public-key.js';

/** What envelopes of AIP-1 are held to, beside the passports and pins that hold for intents of both dialects. */
export interface EnvelopeOptions {
  /** Key of agents without a known passport, `ed25519:<hex>` or base64url; their own boundaries count, and the decision warns. */
  readonly publicKey?: string;
  /** Shared with agents, for tier 0; at least 32 bytes. It speaks for every agent, and the decision warns; `hmacKeys` bind. */
  readonly hmacKey?: Uint8Array;
  /** Keys shared with one agent each, by its id. */
  readonly hmacKeys?: Readonly<Record<string, Uint8Array>>;
  /** What principals allow agents beside what these declare: objects, JSON text, or the bytes of that text. */
  readonly mandates?: readonly (string | Uint8Array | object)[];
  /** Key the mandates are signed with. Default: that of the pinned principal. */
  readonly issuerKey?: string;
  /** Refuses an envelope without a mandate (E405). */
  readonly requireMandate?: boolean;
  /** Judges lower tiers at this one; a higher tier is never lowered. */
  readonly minTier?: 0 | 1 | 2;
  /** Known frameworks, their builds and the agents' prompts, for tiers 1 and 2; what is absent is not asked about. */
  readonly registry?: {
    readonly frameworks?: readonly string[];
    readonly builds?: Readonly<Record<string, string>>;
    readonly prompts?: Readonly<Record<string, string>>;
  };
}

const OPTIONS: ReadonlySet<string> = new Set([
  ...['publicKey', 'hmacKey', 'hmacKeys', 'mandates', 'issuerKey', 'requireMandate', 'minTier', 'registry'],
]);

/** What the option `envelopes` says of AIP-1 documents. @throws Failure USAGE */
export function envelopeTrustOf(options: EnvelopeOptions): EnvelopeTrust {
  if (typeof options !== 'object' || options === null) throw usage('"envelopes" is not an object.');
  onlyKnown(options, OPTIONS, '"envelopes"');
  const {
    publicKey,
    hmacKey,
    hmacKeys = {},
    mandates = [],
    issuerKey,
    requireMandate,
    minTier = 0,
    registry,
  } = options;
  if (![0, 1, 2].includes(minTier)) throw usage('"minTier" is not 0, 1 or 2.');
  const issuer = issuerKey === undefined ? null : keyOf(issuerKey, 'issuerKey');
  return {
    publicKey: publicKey === undefined ? null : keyOf(publicKey, 'publicKey'),
    sharedKey: sharedKeys(boundKeysOf(hmacKeys), hmacKey === undefined ? null : sharedKeyOf(hmacKey, 'hmacKey')),
    mandate: mandatesByAgent(listOption(mandates, 'mandates').map((each) => mandateFinding(bytesOf(each), issuer))),
    requireMandate: flagOption(requireMandate, 'requireMandate') ?? false,
    minTier,
    registry: registry === undefined ? null : registryOf(registry),
  };
}

function boundKeysOf(keys: unknown): Map<string, Uint8Array> {
  if (typeof keys !== 'object' || keys === null) throw usage('"hmacKeys" is not an object of keys by agent id.');
  const bound = new Map<string, Uint8Array>();
  for (const [name, bytes] of Object.entries(keys)) {
    const id = canonicalId(name);
    if (id === null) throw usage('"hmacKeys" names no agent.', 'did:web:<domain>:agents:<name>');
    bound.set(id, sharedKeyOf(bytes, 'hmacKeys'));
  }
  return bound;
}

function sharedKeyOf(bytes: unknown, name: string): Uint8Array {
  if (bytes instanceof Uint8Array && bytes.length >= MIN_HMAC_KEY_BYTES) return bytes;
  throw usage(`"${name}" is not at least ${MIN_HMAC_KEY_BYTES} bytes.`);
}

function registryOf(registry: unknown): EnvelopeTrust['registry'] {
  try {
    return readRegistry(registry as Json);
  } catch (error) {
    if (error instanceof ShapeError) throw usage(`"registry" is no attestation registry: ${error.reason}.`);
    throw error;
  }
}

function bytesOf(mandate: unknown): Uint8Array {
  if (mandate instanceof Uint8Array) return mandate;
  if (typeof mandate === 'string') return Buffer.from(mandate, 'utf8');
  if (typeof mandate !== 'object' || mandate === null) throw usage('A mandate is an object, its JSON text, or bytes.');
  return Buffer.from(JSON.stringify(plainParams(mandate, 'a mandate')), 'utf8');
}

const MOST_KEYS = 1024;
/** By their text: importing one costs as much as a verification. */
const known = new Map<string, VerifyKey>();

function keyOf(text: string, name: string): VerifyKey {
  const before = known.get(text);
  if (before !== undefined) return before;
  const key = publicKeyIn(text, `"${name}"`);
  if (known.size >= MOST_KEYS) known.clear();
  known.set(text, key);
  return key;
}
