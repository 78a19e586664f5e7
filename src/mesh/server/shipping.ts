/** How much each key may ship: one that makes entries up must not fill the disk faster than anyone can look. */

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
