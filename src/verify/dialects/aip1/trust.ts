/** What a verifier holds AIP-1 envelopes to beside the passports and pins that hold for every dialect. */
import type { Tier } from '../../../protocol/aip1/envelope.js';
import type { Mandate } from '../../../protocol/aip1/mandate.js';
import type { VerifyKey } from '../../../protocol/ed25519/verify.js';
import type { SharedKey } from './hmac-keys.js';

/** What the verifier was given as a mandate. */
export type MandateFinding =
  | { readonly status: 'none' }
  | { readonly status: 'unreadable'; readonly reason: string }
  | {
      readonly status: 'found';
      readonly mandate: Mandate;
      /** Named by the user for this mandate; null leaves the issuer to the pins. */
      readonly issuerKey: VerifyKey | null;
    };

/** What this verifier knows of frameworks, builds and prompts; null members are not asked about. */
export interface AttestationRegistry {
  readonly frameworks: ReadonlySet<string> | null;
  /** Build hashes by framework. */
  readonly builds: ReadonlyMap<string, string>;
  /** Hashes of system prompts by agent. */
  readonly prompts: ReadonlyMap<string, string>;
}

/** What envelopes are held to beside passports and pins. */
export interface EnvelopeTrust {
  /** A key that the user vouches for: it speaks for every agent without a known passport. */
  readonly publicKey: VerifyKey | null;
  /** A key that the user vouches for as this agent's; null, or absent, leaves the agent to the key above. */
  readonly boundKey?: (agentId: string) => VerifyKey | null;
  /** What is shared with an agent, for HMACs at tier 0; null for an agent that nothing is shared with. */
  readonly sharedKey: (agentId: string) => SharedKey | null;
  /** The mandate that the caller was given for an agent. */
  readonly mandate: (agentId: string) => MandateFinding;
  /** Refuses an envelope without a mandate (E405). */
  readonly requireMandate: boolean;
  /** Envelopes of a lower tier are judged at this one; a higher tier is never lowered. */
  readonly minTier: Tier;
  /** Null asks nothing about runtimes. */
  readonly registry: AttestationRegistry | null;
}

/** No key, no mandate and no registry: passports and pins decide alone. */
export const NO_ENVELOPE_TRUST: EnvelopeTrust = {
  publicKey: null,
  sharedKey: () => null,
  mandate: () => ({ status: 'none' }),
  requireMandate: false,
  minTier: 0,
  registry: null,
};
