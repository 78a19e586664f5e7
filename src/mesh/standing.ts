/** The state of a subject as the fold over its events. */
import { parseTime } from '../protocol/time.js';
import type { MeshEvent } from './log/event.js';

/** How a subject stands. */
export type Status = 'active' | 'suspended' | 'revoked';

/** The standing of one subject. */
export interface Standing {
  readonly subject: string;
  readonly status: Status;
  readonly reason: string | null;
  /** ms since the epoch. */
  readonly changedAt: number;
  readonly changedBy: string | null;
  /** ms since the epoch; only while suspended. */
  readonly suspendedUntil: number | null;
  /** Counts the events of this subject: a reinstatement names the version that it undoes. */
  readonly version: number;
  /** The event that last spoke of this subject. */
  readonly seq: number;
}

/**
 * The standing after `event`. Denies never weaken: a suspension of a revoked subject leaves it revoked, and a shorter
 * suspension leaves the longer end; both leave the later reason. An unknown kind of event denies, because what cannot be
 * understood is not a yes.
 */
export function nextStanding(before: Standing | null, event: MeshEvent): Standing {
  const denied = before !== null && before.status !== 'active';
  const base = {
    subject: event.agent_id,
    reason: event.reason,
    changedAt: parseTime(event.time) ?? 0,
    changedBy: event.revoked_by,
    version: event.version,
    seq: event.seq,
  };
  if (event.type === 'reinstatement') return { ...base, status: 'active', suspendedUntil: null };
  if (event.type === 'suspension' && !(denied && before.status === 'revoked')) {
    const until = event.suspended_until === null ? 0 : (parseTime(event.suspended_until) ?? 0);
    const earlier = denied ? (before.suspendedUntil ?? 0) : 0;
    return { ...base, status: 'suspended', suspendedUntil: Math.max(until, earlier) };
  }
  return { ...base, status: 'revoked', suspendedUntil: null };
}

/** True while the standing denies. A suspension ends by itself. */
export function deniesAt(standing: Standing, now: number): boolean {
  if (standing.status === 'active') return false;
  return standing.status === 'revoked' || standing.suspendedUntil === null || now < standing.suspendedUntil;
}

/** The status as of `now`: a suspension that has run out is `active`. */
export function statusAt(standing: Standing | null, now: number): Status {
  return standing === null || !deniesAt(standing, now) ? 'active' : standing.status;
}
