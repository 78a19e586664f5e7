/** Passports as they are published to a mesh, signed by keys that only tests know. */
import { publicKeyOf, signMessage } from '../../../src/protocol/ed25519/sign.js';
import { toHex } from '../../../src/protocol/hex.js';
import { formatPublicKey } from '../../../src/protocol/identity/keys.js';
import { canonicalize } from '../../../src/protocol/json/canonical.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';

const keyOf = (n: number): string => formatPublicKey(publicKeyOf(new Uint8Array(32).fill(n)));

/** Of the principal that signs, unless another one is given. */
export const ISSUER_SEED = new Uint8Array(32).fill(33);
export const ISSUER_KEY = keyOf(33);
/** The key that the agent signs with. */
export const AGENT_KEY = keyOf(34);
/** A key that it signed with before. */
export const EARLIER_KEY = keyOf(35);
/** A key that is nobody's. */
export const STRANGER_KEY = keyOf(36);

/** The passport `agentId` has with this serial; a member of `fields` that is undefined is left out. */
export function publishedPassport(
  agentId: string,
  serial: number,
  fields: object = {},
  seed: Uint8Array = ISSUER_SEED,
): JsonObject {
  const [principal, name] = agentId.split(':agents:') as [string, string];
  const members = {
    version: 1,
    serial,
    agent_id: agentId,
    agent_name: name,
    domain: principal.slice('did:web:'.length),
    principal,
    key_id: `${agentId}#key-1`,
    public_key: AGENT_KEY,
    actions: ['send_email'],
    denied_actions: [],
    constraints: {},
    metadata: {},
    issued_at: '2026-02-18T14:23:45Z',
    expires_at: null,
    previous_keys: [],
    issuer_key_id: `${principal}#key-1`,
    ...fields,
  };
  const body: JsonObject = Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
  return { ...body, issuer_signature: toHex(signMessage(seed, Buffer.from(canonicalize(body)))) };
}
