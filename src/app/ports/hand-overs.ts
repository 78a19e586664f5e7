/** Where hooks leave their decisions for guards. */

/** How long a hook's decision may be taken over (ms). */
export const HAND_OVER_MS = 60_000;

/** An accepted decision of a hook. */
export interface HandOver {
  readonly intentHash: string;
  /** What its outcome is told with; null where there is none. */
  readonly token: string | null;
}

/** Where decisions are left for the guard. */
export interface HandOvers {
  /** @param key of `handOverKey`. @param now ms since the epoch */
  readonly leave: (key: string, left: HandOver, now: number) => void;
  /** The oldest under this key that is young enough; it is given once. Null when there is none. */
  readonly take: (key: string, now: number) => HandOver | null;
}
