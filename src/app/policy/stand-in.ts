/** Throwaway keys that stand in for those of an agent, its principal and approvers, the same in every run, so that the same case gives the same bytes. */
import { publicKeyOf, signMessage } from '../../protocol/ed25519/sign.js';
import { verifyKeyOf } from '../../protocol/ed25519/verify.js';
import { sha256 } from '../../protocol/hash.js';
import { toHex } from '../../protocol/hex.js';
import { formatPublicKey } from '../../protocol/identity/keys.js';
import { canonicalizeWithout } from '../../protocol/json/canonical.js';
import type { Json, JsonObject } from '../../protocol/json/values.js';
import { passportOf, type Passport } from '../../protocol/passport.js';
import type { PinnedKey } from '../../verify/context.js';
import { answerOf, type AttackedRequest } from '../redteam/approvals/answers.js';
import { approverPair, peopleIn, ttlIn, withApproversStandingIn } from '../redteam/approvals/people.js';
import { limitsOf } from '../redteam/limits.js';
import { SELF, type PersonsWord } from '../redteam/scene.js';
import { pairFrom, type Pair } from '../redteam/signing.js';

/** The seed of the key that stands in for an agent's. */
export const AGENT_SEED = sha256('aip policy test: stands in for the agent');
const AGENT_KEY = formatPublicKey(publicKeyOf(AGENT_SEED));
const PRINCIPAL_SEED = sha256('aip policy test: stands in for the principal');

/**
 * The passport with a throwaway key of its principal, and of its agent where an unsigned intent has to be signed.
 * @throws ShapeError where the document is no passport
 */
export function standIn(json: JsonObject, own: boolean): Passport {
  const unsigned = { ...json, ...(own ? { public_key: AGENT_KEY } : {}) };
  const signature = signMessage(PRINCIPAL_SEED, Buffer.from(canonicalizeWithout(unsigned, 'issuer_signature')));
  return passportOf({ ...unsigned, issuer_signature: toHex(signature) });
}

/** As `standIn`, and with throwaway keys of the approvers whom it names. @throws ShapeError where the document is no passport */
export function standInWithApprovers(json: JsonObject, own: boolean): Passport {
  return standIn(withApproversStandingIn(json, own ? AGENT_KEY : String(json['public_key'])), own);
}

/** Answers, as they are signed, of the persons with these ids to a request for approval of an intent. */
export function approvalsBy(
  ids: readonly string[],
  passport: Passport,
  raised: Pick<AttackedRequest, 'id' | 'verifier' | 'intent' | 'at'>,
): JsonObject[] {
  const document = JSON.parse(passport.text()) as JsonObject;
  const value = limitsOf(document).find(({ name }) => name === 'require_approval')?.value ?? true;
  const request = { ...raised, passport: document, ttlMs: ttlIn(value) };
  return ids.map((id) => answerOf(wordOf(id, value, document), request, keyNamed));
}

/** With the person's own key, as the passport says whose that is. */
function wordOf(id: string, value: Json, { principal, agent_id }: JsonObject): PersonsWord {
  const named = peopleIn(value)?.find((each) => each.id === id);
  if (named !== undefined) return { approver: id, key: named.key };
  if (id === principal) return { approver: id, key: SELF.principal };
  return { approver: id, key: id === agent_id ? SELF.agent : id };
}

function keyNamed(key: string): Pair {
  if (key === SELF.principal) return pairFrom(PRINCIPAL_SEED);
  const own = key === SELF.agent || key === AGENT_KEY;
  return own ? pairFrom(AGENT_SEED) : approverPair(key);
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
  return { ...DRAFT_OF, public_key: AGENT_KEY, ...like, ...said };
}

/** The key of the principal that stands in, as it would be pinned. */
export function standInPins({ document }: Passport): readonly PinnedKey[] {
  return [{ keyId: document.issuer_key_id, key: verifyKeyOf(publicKeyOf(PRINCIPAL_SEED))! }];
}

/** The nonce of the intent with this place in its case. */
export function standInNonce(index: number): Uint8Array {
  return sha256(`aip policy test: nonce ${index}`).subarray(0, 16);
}

/** The intent signed with the agent's throwaway key; what it leaves out is filled in. `index` makes the nonce, `at` is in ms since the epoch. */
export function signedAs(agentId: string, intent: JsonObject, index: number, at: number): JsonObject {
  const nonce = toHex(standInNonce(index));
  const unsigned = { agent_id: agentId, params: {}, timestamp: Math.floor(at / 1000), nonce, ...intent };
  const signature = signMessage(AGENT_SEED, Buffer.from(canonicalizeWithout(unsigned, 'signature')));
  return { ...unsigned, signature: toHex(signature) };
}
