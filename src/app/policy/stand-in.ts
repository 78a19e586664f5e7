/** Throwaway keys that stand in for an agent's and its principal's, the same in every run, so that the same case gives the same bytes. */
import { publicKeyOf, signMessage } from '../../protocol/ed25519/sign.js';
import { verifyKeyOf } from '../../protocol/ed25519/verify.js';
import { sha256 } from '../../protocol/hash.js';
import { toHex } from '../../protocol/hex.js';
import { formatPublicKey } from '../../protocol/identity/keys.js';
import { canonicalizeWithout } from '../../protocol/json/canonical.js';
import type { JsonObject } from '../../protocol/json/values.js';
import { passportOf, type Passport } from '../../protocol/passport.js';
import type { PinnedKey } from '../../verify/context.js';

const AGENT_SEED = sha256('aip policy test: stands in for the agent');
const PRINCIPAL_SEED = sha256('aip policy test: stands in for the principal');

/**
 * The passport with a throwaway key of its principal, and of its agent where an unsigned intent has to be signed.
 * @throws ShapeError where it is none
 */
export function standIn(json: JsonObject, own: boolean): Passport {
  const agentKey = formatPublicKey(publicKeyOf(AGENT_SEED));
  const unsigned = { ...json, ...(own ? { public_key: agentKey } : {}) };
  const signature = signMessage(PRINCIPAL_SEED, Buffer.from(canonicalizeWithout(unsigned, 'issuer_signature')));
  return passportOf({ ...unsigned, issuer_signature: toHex(signature) });
}

/** What a draft leaves out, where no passport says it. */
const DRAFT_OF: JsonObject = {
  version: 1,
  agent_id: 'did:web:example.com:agents:draft',
  agent_name: 'draft',
  domain: 'example.com',
  principal: 'did:web:example.com',
  key_id: 'did:web:example.com:agents:draft#key-1',
  denied_actions: [],
  constraints: {},
  metadata: {},
  issued_at: '2026-01-01T00:00:00Z',
  expires_at: null,
  previous_keys: [],
  issuer_key_id: 'did:web:example.com#key-1',
};

/**
 * A draft as a passport: what `passport create --from` takes, and what `passport request` writes, say what the agent may do. The rest is that of
 * `like`, or of an agent that stands in. Anything else comes back as it is.
 */
export function filledUp(json: JsonObject, like: JsonObject | null): JsonObject {
  const { version, type, issuer_signature: signature, actions, constraints = {} } = json;
  const isRequest = type === 'passport-request';
  if (signature !== undefined || actions === undefined || (version !== undefined && !isRequest)) return json;
  const said = isRequest ? { actions, constraints } : json;
  return { ...DRAFT_OF, public_key: formatPublicKey(publicKeyOf(AGENT_SEED)), ...like, ...said };
}

/** The key of the principal that stands in, as it would be pinned. */
export function standInPins({ document }: Passport): readonly PinnedKey[] {
  return [{ keyId: document.issuer_key_id, key: verifyKeyOf(publicKeyOf(PRINCIPAL_SEED))! }];
}

/** The intent signed with the agent's throwaway key; what it leaves out is filled in. `index` makes the nonce, `at` is in ms since the epoch. */
export function signedAs(agentId: string, intent: JsonObject, index: number, at: number): JsonObject {
  const nonce = toHex(sha256(`aip policy test: nonce ${index}`).subarray(0, 16));
  const unsigned = { agent_id: agentId, params: {}, timestamp: Math.floor(at / 1000), nonce, ...intent };
  const signature = signMessage(AGENT_SEED, Buffer.from(canonicalizeWithout(unsigned, 'signature')));
  return { ...unsigned, signature: toHex(signature) };
}
