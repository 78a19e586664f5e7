/** Passports for measuring: one principal, one agent, as many serials as are asked for. */
import { randomBytes } from 'node:crypto';
import { publicKeyOf, signMessage } from '../../src/protocol/ed25519/sign.js';
import { toHex } from '../../src/protocol/hex.js';
import { formatPublicKey } from '../../src/protocol/identity/keys.js';
import { canonicalize } from '../../src/protocol/json/canonical.js';
import type { JsonObject } from '../../src/protocol/json/values.js';

/** The principal that signs. */
export const PRINCIPAL = 'did:web:bench.example';
/** Whose passports they are. */
export const PUBLISHED_AGENT = `${PRINCIPAL}:agents:bot`;

const SEED = randomBytes(32);
/** The principal's key, `ed25519:` and hex. */
export const PRINCIPAL_KEY = formatPublicKey(publicKeyOf(SEED));
const AGENT_KEY = formatPublicKey(publicKeyOf(randomBytes(32)));

/** The agent's passport with this serial, signed. */
export function passportOfSerial(serial: number): JsonObject {
  const body: JsonObject = {
    version: 1,
    serial,
    agent_id: PUBLISHED_AGENT,
    agent_name: 'bot',
    domain: 'bench.example',
    principal: PRINCIPAL,
    key_id: `${PUBLISHED_AGENT}#key-1`,
    public_key: AGENT_KEY,
    actions: ['send_email'],
    denied_actions: [],
    constraints: {},
    metadata: {},
    issued_at: '2026-02-18T14:23:45Z',
    expires_at: null,
    previous_keys: [],
    issuer_key_id: `${PRINCIPAL}#key-1`,
  };
  return { ...body, issuer_signature: toHex(signMessage(SEED, Buffer.from(canonicalize(body)))) };
}
