/** Home's roster as its regions hold it: where home is lost, the one that is promoted knows who should have been listening. */
import { sha256Hex } from '../../protocol/hash.js';
import type { Member } from '../roster/member.js';

/** A verifier that should listen, as home tells it. */
export type ToldMember = Omit<Member, 'applied' | 'leftAt'>;

/** What home tells of its roster. */
export function toldMembers(members: readonly Member[]): readonly ToldMember[] {
  return members.map(({ applied: _, leftAt: __, ...told }) => told);
}

/** Names who is on the roster and what each does when it is stale; how far each is, and when it was seen, changes all the time. */
export function rosterDigest(members: readonly Member[]): string {
  const rows = members.map(({ verifier, label, keyId, program, onStale, maxAgeMs, ephemeral }) => [
    ...[verifier, label, keyId, program, onStale, maxAgeMs, ephemeral],
  ]);
  return sha256Hex(JSON.stringify(rows));
}

/**
 * The members that a promoted server begins with, beside its own. `own`: what it has kept of those who listened to it; `head`: the last
 * event that it holds.
 */
export function promotedMembers(
  told: readonly ToldMember[],
  own: readonly Member[],
  { head, now }: { readonly head: number; readonly now: number },
): readonly Member[] {
  const kept = new Map(own.map((member) => [member.verifier, member]));
  return told.map((each) => {
    const here = kept.get(each.verifier);
    const latest = here !== undefined && here.seenAt > each.seenAt ? here : { ...each, applied: here?.applied ?? null };
    return {
      ...latest,
      // What lies beyond the fork never was in this history: an event of this one would count as applied.
      seq: Math.min(latest.seq, head),
      // When home last proved something to it, only home knew: it may count as refusing only a whole age limit from now on.
      seenAt: Math.max(latest.seenAt, now),
      leftAt: null,
    };
  });
}
