/** Snapshots as they were last made, for all who ask. */
import { PAGE_EVENTS } from '../../limits.js';
import type { SnapshotKeeper } from './snapshot-keeper.js';

/** What the shelf needs of the server. */
export interface ShelfPorts {
  /** RFC 3339. */
  readonly now: () => string;
  /** A client further behind than this many events cannot follow from a snapshot. */
  readonly retained: number;
  readonly onFailure: (error: unknown) => void;
}

/** One snapshot a version, made again only when the last one is too far behind to follow from. */
export class SnapshotShelf {
  readonly #keeper: SnapshotKeeper;
  readonly #ports: ShelfPorts;
  readonly #made = new Map<1 | 2, { readonly seq: number; readonly pieces: Promise<readonly Uint8Array[]> }>();
  /** The keeper makes one at a time. */
  #making: Promise<unknown> = Promise.resolve();

  constructor(keeper: SnapshotKeeper, ports: ShelfPorts) {
    this.#keeper = keeper;
    this.#ports = ports;
  }

  /** The snapshot as `version` reads it, where the log is at `head`. */
  snapshot(version: 1 | 2, head: number): Promise<readonly Uint8Array[]> {
    const known = this.#made.get(version);
    // The first version cannot follow over an event that it does not know: its snapshot must be of the very head.
    const behind = version === 1 ? 0 : Math.min(PAGE_EVENTS, this.#ports.retained) - 1;
    if (known !== undefined && head - known.seq <= behind) return known.pieces;
    // One that is being made is waited for: what it lacks follows as events.
    if (known !== undefined && known.seq === Infinity) return known.pieces;
    const made = this.#making.then(() => this.#keeper.make(this.#ports.now(), version));
    this.#making = made.catch(() => undefined);
    const pieces = made.then((snapshot) => {
      this.#made.set(version, { seq: snapshot.seq, pieces });
      return snapshot.pieces;
    });
    this.#made.set(version, { seq: Infinity, pieces });
    pieces.catch((error: unknown) => {
      this.#made.delete(version);
      this.#ports.onFailure(error);
    });
    return pieces;
  }
}
