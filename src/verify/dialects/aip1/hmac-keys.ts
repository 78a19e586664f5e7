/** Keys that verifier and agent share, for HMACs at tier 0. */
import { toHex } from '../../../protocol/hex.js';

/** A shared key as it counts for one agent. */
export interface SharedKey {
  readonly bytes: Uint8Array;
  /** True where it speaks for more than this agent, so that each of them could be another. */
  readonly ofSeveral: boolean;
}

/** Shared keys bound to their agents by canonical id, and the one that speaks for every other agent; null when there is none. */
export function sharedKeys(
  bound: ReadonlyMap<string, Uint8Array>,
  unbound: Uint8Array | null,
): (agentId: string) => SharedKey | null {
  if (bound.size === 0 && unbound === null) return () => null;
  const counts = new Map<string, number>();
  for (const bytes of bound.values()) counts.set(toHex(bytes), (counts.get(toHex(bytes)) ?? 0) + 1);
  const general = unbound === null ? null : toHex(unbound);
  return (agentId) => {
    const own = bound.get(agentId);
    if (own === undefined) return unbound === null ? null : { bytes: unbound, ofSeveral: true };
    const text = toHex(own);
    return { bytes: own, ofSeveral: counts.get(text)! > 1 || text === general };
  };
}
