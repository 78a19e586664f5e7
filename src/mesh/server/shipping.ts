/** How much each key may ship: one that makes entries up must not fill the disk faster than anyone can look; and how long it is kept. */
import { isCounted } from '../../protocol/log/attribution.js';
import type { LogTable, ShippedEntry } from '../log/store.js';
import type { ServerClock } from './http/exchange.js';

/** Most codes that are counted apart: a hook may refuse with any code, and a verifier may make codes up. */
const MAX_CODES = 200;

/** The decisions that verifiers have shipped since this server began, by result and code. */
export class Decisions {
  readonly #counts = new Map<string, { readonly result: string; readonly code: string; count: number }>();

  /** Counts those among `entries` that are decisions. */
  add(entries: readonly ShippedEntry[]): void {
    for (const entry of entries) {
      const { status, code } = entry;
      if (!isCounted(entry)) continue;
      if (status !== 'success' && status !== 'failed') continue;
      const result = status === 'success' ? 'accepted' : 'refused';
      const known = code ?? '';
      const named = this.#counts.has(`${result} ${known}`) || this.#counts.size < MAX_CODES ? known : 'other';
      const at = `${result} ${named}`;
      const before = this.#counts.get(at) ?? { result, code: named, count: 0 };
      before.count++;
      this.#counts.set(at, before);
    }
  }

  /** How many of each result and code; the code is empty for a yes. */
  counts(): Iterable<{ readonly result: string; readonly code: string; readonly count: number }> {
    return this.#counts.values();
  }
}

/** Bytes a second, and how many at once after a pause. */
const RATE_BYTES = 1024 * 1024;
const BURST_BYTES = 32 * 1024 * 1024;
const MAX_KEYS = 10_000;

/** The byte rate of every key that ships logs. */
export class ShippingRate {
  readonly #left = new Map<string, { bytes: number; at: number }>();
  /** Shipments that were refused because there was no room. */
  full = 0;
  /** Shipments that were refused because their key ships too much. */
  limited = 0;
  /** Shipments and checkpoints that were refused because they are of another history of a log that is held here. */
  forked = 0;
  /** Checkpoints that were refused because the mesh has seen a later one: the log was cut, or an older copy is in its place. */
  older = 0;

  /** True when `keyId` may ship `bytes` more now; `now` by the server's `up` clock, ms. */
  takes(keyId: string, bytes: number, now: number): boolean {
    const before = this.#left.get(keyId) ?? { bytes: BURST_BYTES, at: now };
    const left = Math.min(BURST_BYTES, before.bytes + ((now - before.at) * RATE_BYTES) / 1000);
    this.#left.delete(keyId);
    if (this.#left.size >= MAX_KEYS) this.#left.delete(this.#left.keys().next().value!);
    const takes = bytes <= left;
    this.#left.set(keyId, { bytes: takes ? left - bytes : left, at: now });
    if (!takes) this.limited++;
    return takes;
  }
}

/** How often is looked for entries that are old, in ms. */
const EXPIRY_MS = 60_000;

/** Lets shipped entries go that have been kept as long as they are to be. */
export class Expiry {
  #at = -Infinity;
  #busy = false;

  /** `keepMs`: how long after their arrival; null for as long as there is room. */
  tick(logs: Pick<LogTable, 'expire'>, keepMs: number | null, { up, wall }: Pick<ServerClock, 'up' | 'wall'>): void {
    if (keepMs === null || this.#busy || up() - this.#at < EXPIRY_MS) return;
    this.#at = up();
    this.#busy = true;
    // What happens to the logs is no reason to end: the next look tries again.
    void logs
      .expire(wall() - keepMs)
      .catch(() => 0)
      .finally(() => (this.#busy = false));
  }
}
