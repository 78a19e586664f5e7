/** Passports for measuring: one principal, one agent, as many serials as are asked for. */
import type { JsonObject } from '../../src/protocol/json/values.js';
import { ISSUER_KEY, publishedPassport } from '../kit/mesh/passports.js';

/** The principal that signs. */
export const PRINCIPAL = 'did:web:bench.example';
/** Whose passports they are. */
export const PUBLISHED_AGENT = `${PRINCIPAL}:agents:bot`;
/** The principal's key, `ed25519:` and hex. */
export const PRINCIPAL_KEY = ISSUER_KEY;

/** The agent's passport with this serial, signed. */
export function passportOfSerial(serial: number): JsonObject {
  return publishedPassport(PUBLISHED_AGENT, serial);
}
