/** Where passports are published for all machines of a fleet. */
import type { PassportDocument } from '../../protocol/passport.js';

/** The registry of a mesh: it keeps what a registered principal signed, and tells every machine that listens. */
export interface PassportRegistry {
  /**
   * Publishes a signed passport, and returns what is known of who has applied it.
   * Fails with NETWORK where the mesh cannot be reached or refuses; nothing is published then.
   */
  publish(document: PassportDocument): Promise<Published>;
}

/** What the mesh answered to a passport that was published. */
export interface Published {
  /** Place in the mesh's log. */
  readonly seq: number;
  /** Verifiers that confirmed having applied it. */
  readonly propagated_to: number;
  /** Verifiers that listen. */
  readonly connected: number;
}
