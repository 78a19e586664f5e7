/** What the verifier asks and tells about an agent's past: the windows behind rates and daily limits. */

/** A question about an agent's past accepted intents inside a sliding window ending now. */
export type Meter =
  | {
      /** Counts accepted intents. */
      readonly kind: 'count';
      /** Count only these actions, together; null counts all. */
      readonly actions: readonly string[] | null;
      /** Count only actions that hold this thing, by `holdsThing`, so that the counter and the limit mean the same actions; null counts all. */
      readonly word: string | null;
      readonly windowMs: number;
      /** The limit asked about: there is room while fewer are counted. */
      readonly limit: number;
    }
  | {
      /** Sums accepted amounts in minor units. */
      readonly kind: 'sum';
      readonly currency: string;
      readonly windowMs: number;
      /** What would be added, and what all together may be, in minor units: there is room while the sum and this stay within it. */
      readonly asked: bigint;
      readonly limit: bigint;
    };

/** What a meter shows. */
export type MeterReading =
  | {
      readonly kind: 'count';
      /** Accepted intents in the window; more than `limit` where a passport was given a lower one since. */
      readonly used: number;
      /** When the window next has room, in ms since the epoch; null while it has room. */
      readonly roomAt: number | null;
    }
  | { readonly kind: 'sum'; /** Minor units. */ readonly spent: bigint };

/** What an accepted intent adds to the agent's history. */
export interface Usage {
  readonly agentId: string;
  readonly action: string;
  /** ms since the epoch. */
  readonly at: number;
  readonly currency: string | null;
  readonly amountMinor: bigint | null;
}

/** True where the window has room for what is asked, so that the constraint behind the meter holds. */
export function hasRoom(meter: Meter, reading: MeterReading): boolean {
  if (meter.kind === 'count') return reading.kind === 'count' && reading.used < meter.limit;
  return reading.kind === 'sum' && reading.spent + meter.asked <= meter.limit;
}
