/** What a store makes of shipped entries: decided from what it holds, inside the transaction that keeps them. */
import type { LogEnd, Shipment, Shipped, ShippedEntry } from './store.js';

/** The entries to keep, and where the log ends then; or why nothing is kept. */
export type ShipmentRuling =
  | { readonly kind: 'new'; readonly entries: readonly ShippedEntry[]; readonly end: LogEnd }
  | Extract<Shipped, { kind: 'taken' | 'gap' | 'fork' }>;

/**
 * A shipment is taken whole or not at all. `ends`: that of its log and that of its verifier's log, as far as they are held. `hashAt` gives the
 * hash of an entry of the log that is held; undefined for one that is gone.
 */
export function ruleShipment(
  { logId, verifier, keyId, at, entries }: Shipment,
  ends: readonly LogEnd[],
  hashAt: (seq: number) => string | undefined,
): ShipmentRuling {
  if (ends.some((end) => end.logId !== logId || end.verifier !== verifier)) return { kind: 'taken' };
  const [held] = ends;
  let fresh = entries;
  if (held !== undefined) {
    if (entries[0]!.seq > held.seq + 1) return { kind: 'gap', seq: held.seq };
    for (const { seq, hash, prevHash } of entries) {
      const known = seq <= held.seq ? hashAt(seq) : undefined;
      if ((known ?? hash) !== hash || (seq === held.seq + 1 && prevHash !== held.hash)) return { kind: 'fork', seq };
    }
    fresh = entries.filter(({ seq }) => seq > held.seq);
  }
  const { seq, hash } = fresh.at(-1) ?? held!;
  return { kind: 'new', entries: fresh, end: { logId, verifier, keyId, seq, hash, at } };
}
