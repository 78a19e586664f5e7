import type { PassportFinding, PinnedKey } from './context.js';
import type { EnvelopeTrust } from './dialects/aip1/trust.js';

/** Whose word counts: where a verifier finds passports and the keys of principals. */
export interface Trusting {
  readonly passport: (agentId: string) => PassportFinding;
  /** The pinned keys of a principal; empty when it is not pinned. */
  readonly pins: (principal: string) => readonly PinnedKey[];
  /** What AIP-1 needs beside these; nothing of the kind where it is absent. A dialect with needs of its own has a member here. */
  readonly envelopes?: EnvelopeTrust;
}
