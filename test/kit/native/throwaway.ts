/** A verifier on a state of its own in memory, with the keys that stand in, whose log can be read. */
import { randomBytes } from 'node:crypto';
import { signedAs, standIn, standInPins } from '../../../src/app/policy/stand-in.js';
import type { Throwaway } from '../../../src/app/policy/cases.js';
import { verifyIntents, type VerifyOptions } from '../../../src/app/verification/intents.js';
import { canonicalize } from '../../../src/protocol/json/canonical.js';
import type { JsonObject } from '../../../src/protocol/json/values.js';
import type { Passport } from '../../../src/protocol/passport.js';
import type { Decision } from '../../../src/verify/decision.js';
import type { LocalState } from '../../../src/workspace/state.js';
import { throwawayVerifiers } from '../../../src/workspace/verification.js';
import type { World } from '../../../src/workspace/world.js';

/** A passport of three actions, of which nothing is limited but by `constraints`. */
export const refundPassport = (constraints: JsonObject, more: JsonObject = {}): JsonObject => ({
  ...{ version: 1, serial: 3, agent_id: 'did:web:acme.com:agents:bot', agent_name: 'bot', domain: 'acme.com' },
  ...{ principal: 'did:web:acme.com', key_id: 'did:web:acme.com:agents:bot#key-1' },
  public_key: 'ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29',
  actions: ['issue_refund', 'send_email', 'place_order'],
  constraints,
  ...{ issued_at: '2026-02-18T00:00:00Z', expires_at: null, issuer_key_id: 'did:web:acme.com#key-1' },
  ...more,
});

export interface Verifier {
  readonly state: LocalState;
  readonly passport: Passport;
  /** `at` in ms since the epoch. */
  judge(intent: JsonObject, at: number, options?: Partial<VerifyOptions>): Promise<Decision>;
}

/** `json` is a passport; its signature and its agent's key are those of the keys that stand in. */
export async function throwaway(json: JsonObject): Promise<Verifier & Throwaway> {
  const world = { random: (n: number) => new Uint8Array(randomBytes(n)), ticks: () => 0 } as unknown as World;
  const open = await throwawayVerifiers({ world });
  const passport = standIn(json, true);
  let now = 0;
  let index = 0;
  const opened = open({ passport, pins: standInPins(passport), clock: () => now });
  return {
    ...opened,
    passport,
    state: opened.deps.state as LocalState,
    judge: async (intent, at, options = {}) => {
      now = at;
      const signed = intent['signature'] === undefined ? signedAs(passport.agent.id, intent, index++, at) : intent;
      const [judgement] = await verifyIntents(opened.deps, { ...opened.options, ...options }, [
        { bytes: canonicalize(signed), source: null },
      ]);
      return judgement!.decision;
    },
  };
}
