/** What a simulated mesh is made of: its time, its agents, passports and keys. */
import type { MeshEvent } from '../../../../src/mesh/log/event.js';
import { publicKeyOf, signMessage } from '../../../../src/protocol/ed25519/sign.js';
import { sha256Hex } from '../../../../src/protocol/hash.js';
import { toHex } from '../../../../src/protocol/hex.js';
import { formatPublicKey } from '../../../../src/protocol/identity/keys.js';
import { canonicalize } from '../../../../src/protocol/json/canonical.js';
import type { JsonObject } from '../../../../src/protocol/json/values.js';

/** When the simulation begins, ms since the epoch. */
export const BASE = Date.parse('2026-02-18T14:00:00.000Z');
export const BUDGET_MS = 7_000;
/** The agents that are stopped. */
export const AGENTS = ['did:web:acme.com:agents:a', 'did:web:acme.com:agents:b', 'did:web:other.org:agents:c'] as const;
/** All that is stopped. */
export const SUBJECTS = [...AGENTS, 'did:web:acme.com', '*'] as const;
/** The key of the first agent, which is also stopped by its id. */
export const KEY = formatPublicKey(publicKeyOf(new Uint8Array(32).fill(34)));
/** That key by itself and by its id. */
export const KEYS = [KEY, `${AGENTS[0]}#key-1`] as const;
/** The seed of the principal's key. */
export const ISSUER = new Uint8Array(32).fill(33);
/** Passports of the first agent, by serial. */
export const PASSPORTS = Array.from({ length: 12 }, (_, i) => passportOf(i + 1));

/** How the principal of the agents is registered. */
export const REGISTERED = {
  did: 'did:web:acme.com',
  publicKey: formatPublicKey(publicKeyOf(ISSUER)),
  addedAt: BASE,
  addedBy: 'simulation',
} as const;

function passportOf(serial: number): JsonObject {
  const body: JsonObject = {
    ...{ version: 1, serial, agent_id: AGENTS[0], agent_name: 'a', domain: 'acme.com', principal: 'did:web:acme.com' },
    ...{ key_id: KEYS[1], public_key: KEY, actions: ['send_email'], denied_actions: [], constraints: {}, metadata: {} },
    ...{
      issued_at: '2026-02-18T14:00:00Z',
      expires_at: null,
      previous_keys: [],
      issuer_key_id: 'did:web:acme.com#key-1',
    },
  };
  return { ...body, issuer_signature: toHex(signMessage(ISSUER, Buffer.from(canonicalize(body)))) };
}

/** Signatures of verifiers that cost nothing. */
export function cheapWord(publicKey: string, text: string): string {
  return sha256Hex(`${publicKey} ${text}`).repeat(2);
}

/** mulberry32: small, fast, and the same everywhere. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** An event, and when its commit ended. */
export interface Committed {
  readonly at: number;
  readonly event: MeshEvent;
}

/** What the mesh said from some moment on, until it was put back from a backup. */
export interface History {
  readonly since: number;
  readonly term: number;
  readonly log: Committed[];
}

export interface Acknowledged {
  readonly cmdId: string;
  readonly seq: number;
}
