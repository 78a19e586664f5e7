/** How far an event has come: counted over everyone who should have it, not over those who happen to be connected. */
import type { Member, OnStale } from './member.js';

/** Where a verifier is with an event. */
export type Reach =
  /** It confirmed the event. */
  | 'applied'
  /** It listens, and has not confirmed yet. */
  | 'pending'
  /** It does not listen, and refuses everything since its copy grew too old. */
  | 'refusing'
  /** It does not listen, and may still accept by what it last knew. */
  | 'absent';

/** A verifier that should have listened and does not. */
export interface Absent {
  readonly verifier: string;
  readonly label: string;
  readonly keyId: string;
  readonly seq: number;
  /** ms since the epoch. */
  readonly lastSeenAt: number;
  readonly onStale: OnStale | null;
  readonly maxAgeMs: number | null;
  /** From when on it refuses everything, ms since the epoch; null where it goes by what it last knew. */
  readonly refusesSince: number | null;
}

/** How an event fares with all who should have it. */
export interface EventReach {
  readonly members: number;
  readonly applied: number;
  /** Those who listen and report. */
  readonly reporting: number;
  /** Of those, the ones that have not confirmed. */
  readonly late: readonly Member[];
  /** Those who do not listen and have not confirmed. */
  readonly absent: readonly Absent[];
  /** Those who may still accept what the event denies. */
  readonly unsettled: number;
  /** True when each one has applied it, or refuses. */
  readonly complete: boolean;
  /** When the last confirmation came here, by the server's `up` clock. */
  readonly lastAt: number | null;
  /** Of those who listen, the ones that do so at another server on the same store. */
  readonly elsewhere: number;
}

/** When a verifier that is not heard begins to refuse, ms since the epoch; null where it never does. */
function refusesFrom({ onStale, maxAgeMs, seenAt }: Pick<Member, 'onStale' | 'maxAgeMs' | 'seenAt'>): number | null {
  return onStale === 'deny' && maxAgeMs !== null ? seenAt + maxAgeMs : null;
}

/** How far an event has come to one member. */
export function reachOf(member: Member, listens: boolean, appliedSeq: number, seq: number, now: number): Reach {
  if (appliedSeq >= seq) return 'applied';
  if (listens) return 'pending';
  const from = refusesFrom(member);
  return from !== null && now >= from ? 'refusing' : 'absent';
}

/** A member that is missed, as reports show it. */
export function absentOf(member: Member): Absent {
  const { verifier, label, keyId, seq, onStale, maxAgeMs } = member;
  return {
    verifier,
    label,
    keyId,
    seq,
    lastSeenAt: member.seenAt,
    onStale,
    maxAgeMs,
    refusesSince: refusesFrom(member),
  };
}
