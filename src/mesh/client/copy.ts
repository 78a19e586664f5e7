/** A verifier's copy of the mesh's state: the fold of the log as far as it was applied, and denies that must not be lost. */
import type { Checkpoint } from '../log/checkpoint.js';
import type { MeshEvent } from '../log/event.js';
import type { Head } from '../log/head.js';
import type { Snapshot } from '../log/snapshot.js';
import { markOf, type PassportMark } from '../passports.js';
import { deniesAt, nextStanding, type Standing } from '../standing.js';
import { EVERYONE, principalOf } from '../subject.js';
import { StandingIndex } from './standing-index.js';

/** What became of an event. */
export type EventOutcome =
  | { readonly kind: 'applied'; readonly standing: Standing | null; readonly passport: PassportMark | null }
  | { readonly kind: 'duplicate' }
  /** Events are missing before it; when it denies, it denies already. */
  | { readonly kind: 'gap' }
  /** The log is not the one that was followed so far. */
  | { readonly kind: 'fork'; readonly reason: string };

/** A deny beside the fold: one that came before its turn, or one of a history that the mesh no longer tells. */
export interface KeptDeny {
  readonly standing: Standing;
  /** The fold covers it from this seq on; null when only a reinstatement removes it. */
  readonly until: number | null;
}

/** Hashes remembered to notice that an event told again is another one. */
const REMEMBERED = 512;

/** What a client knows of the mesh: who is stopped, and up to which event. */
export class Copy {
  #position: Head | null = null;
  #agents = new StandingIndex();
  /** All other subjects: principals, keys, everyone, and agents whose id names no domain. Every check looks up some of them. */
  #above = new Map<string, Standing>();
  readonly #kept = new Map<string, KeptDeny>();
  readonly #hashes = new Map<number, string>();

  /** How far the log was applied; null before the first snapshot. */
  get position(): Head | null {
    return this.#position;
  }

  *standings(): Iterable<Standing> {
    yield* this.#agents.values();
    yield* this.#above.values();
  }

  kept(): Iterable<KeptDeny> {
    return this.#kept.values();
  }

  standing(subject: string): Standing | null {
    return this.#get(subject) ?? null;
  }

  /** Takes up a copy kept by an earlier process. */
  restore(position: Head, standings: Iterable<Standing>, kept: Iterable<KeptDeny>): void {
    this.#position = position;
    this.#fill(standings);
    this.#hashes.clear();
    this.#kept.clear();
    for (const deny of kept) this.#kept.set(deny.standing.subject, deny);
  }

  /** Takes an event whose hash and signature hold. */
  apply(event: MeshEvent): EventOutcome {
    const position = this.#position;
    if (position === null) return this.#keepDeny(event, { kind: 'gap' });
    const fork = this.#forkBy(event, position);
    if (fork !== null) return this.#keepDeny(event, { kind: 'fork', reason: fork });
    if (event.seq <= position.seq) return { kind: 'duplicate' };
    if (event.seq > position.seq + 1) return this.#keepDeny(event, { kind: 'gap' });
    const passport = markOf(event);
    const standing = passport === null ? nextStanding(this.#get(event.agent_id) ?? null, event) : null;
    if (standing !== null) this.#set(standing);
    this.#position = { logId: event.log_id, term: event.term, seq: event.seq, hash: event.hash };
    this.#remember(event.seq, event.hash);
    this.#release(event);
    return { kind: 'applied', standing, passport };
  }

  /** What contradicts this copy in a checkpoint whose signature holds; null when nothing does. */
  contradiction(checkpoint: Checkpoint): string | null {
    const position = this.#position;
    if (position === null) return null;
    if (checkpoint.log_id !== position.logId) return 'the mesh has another log';
    if (checkpoint.term < position.term)
      return `the mesh is at term ${checkpoint.term}, and ${position.term} was applied`;
    if (checkpoint.head < position.seq) return `the log ends at ${checkpoint.head}, and ${position.seq} was applied`;
    if (checkpoint.head === position.seq && checkpoint.hash !== position.hash) {
      return `event ${position.seq} is another one now`;
    }
    return null;
  }

  /**
   * Replaces the fold by a snapshot. A deny of the old copy that the snapshot neither holds nor has reinstated is kept until
   * a reinstatement removes it; the answer says why, when that is the sign of another history.
   */
  replace(snapshot: Snapshot): string | null {
    const before = this.#position;
    const { head } = snapshot;
    const denied = [...this.standings()].filter((standing) => standing.status !== 'active');
    this.#fill(snapshot.standings);
    let fork: string | null = null;
    if (before !== null) {
      if (before.logId !== head.logId) fork = 'the mesh has another log';
      else if (head.seq < before.seq) fork = `the log ends at ${head.seq}, and ${before.seq} was applied`;
      else if (head.seq === before.seq && head.hash !== before.hash) fork = `event ${head.seq} is another one now`;
    }
    const sameLog = before?.logId === head.logId;
    for (const old of denied) {
      const now = this.#get(old.subject);
      const reinstated = now !== undefined && sameLog && (fork === null ? now.version > old.version : lifts(now, old));
      if (reinstated || (now !== undefined && atLeast(now, old))) continue;
      fork ??= `the deny of ${old.subject} is gone without a reinstatement`;
      this.#kept.set(old.subject, { standing: old, until: null });
    }
    for (const [subject, deny] of this.#kept) {
      const now = this.#get(subject);
      if (sameLog && now !== undefined && lifts(now, deny.standing)) this.#kept.delete(subject);
      else if (fork === null) this.#cover(subject, deny, head.seq);
      else if (deny.until !== null) this.#kept.set(subject, { ...deny, until: null });
    }
    this.#position = head;
    this.#hashes.clear();
    this.#remember(head.seq, head.hash);
    return fork;
  }

  /** The standing that denies `agentId` at `now` (ms since the epoch), or null. Runs on every verification: lookups only. */
  denial(agentId: string, now: number, principal?: string): Standing | null {
    const own = this.#denied(agentId, now);
    if (own !== null || (this.#above.size === 0 && this.#kept.size === 0)) return own;
    return this.#denied(principal ?? principalOf(agentId), now) ?? this.#denied(EVERYONE, now);
  }

  #denied(subject: string, now: number): Standing | null {
    const standing = this.#get(subject);
    if (standing !== undefined && deniesAt(standing, now)) return standing;
    if (this.#kept.size === 0) return null;
    const kept = this.#kept.get(subject);
    return kept !== undefined && deniesAt(kept.standing, now) ? kept.standing : null;
  }

  #get(subject: string): Standing | undefined {
    return isAgentOfDomain(subject) ? this.#agents.get(subject) : this.#above.get(subject);
  }

  #set(standing: Standing): void {
    if (isAgentOfDomain(standing.subject)) this.#agents.set(standing);
    else this.#above.set(standing.subject, standing);
  }

  #fill(standings: Iterable<Standing>): void {
    this.#agents = new StandingIndex();
    this.#above = new Map();
    for (const standing of standings) this.#set(standing);
  }

  #forkBy(event: MeshEvent, position: Head): string | null {
    if (event.log_id !== position.logId) return 'an event of another log';
    if (event.seq === position.seq + 1) {
      if (event.prev_hash !== position.hash) return `event ${event.seq} does not follow the one that was applied`;
      if (event.term < position.term) return `event ${event.seq} is of an earlier term`;
      return null;
    }
    const known = this.#hashes.get(event.seq) ?? (event.seq === position.seq ? position.hash : undefined);
    return known !== undefined && known !== event.hash ? `event ${event.seq} is another one now` : null;
  }

  /** Whatever is wrong with an event's place, a deny that the mesh signed denies. */
  #keepDeny<T extends EventOutcome>(event: MeshEvent, verdict: T): T {
    // A passport out of turn comes again with the snapshot.
    if (event.type === 'reinstatement' || event.type === 'passport') return verdict;
    const before = this.#kept.get(event.agent_id);
    const forever = verdict.kind === 'fork' || (before !== undefined && before.until === null);
    const until = forever ? null : Math.max(before?.until ?? 0, event.seq);
    this.#kept.set(event.agent_id, { standing: nextStanding(before?.standing ?? null, event), until });
    return verdict;
  }

  #release(event: MeshEvent): void {
    const deny = this.#kept.get(event.agent_id);
    if (deny !== undefined && deny.until === null && event.type === 'reinstatement') this.#kept.delete(event.agent_id);
    if (this.#kept.size === 0) return;
    for (const [subject, kept] of this.#kept) this.#cover(subject, kept, event.seq);
  }

  /** The fold is at `seq`. Where it never heard of an event that was promised, the mesh has lost it: only a reinstatement ends the deny. */
  #cover(subject: string, deny: KeptDeny, seq: number): void {
    if (deny.until === null || deny.until > seq) return;
    if ((this.#get(subject)?.seq ?? 0) >= deny.until) this.#kept.delete(subject);
    else this.#kept.set(subject, { ...deny, until: null });
  }

  #remember(seq: number, hash: string): void {
    this.#hashes.set(seq, hash);
    if (this.#hashes.size > REMEMBERED) this.#hashes.delete(this.#hashes.keys().next().value!);
  }
}

function isAgentOfDomain(subject: string): boolean {
  return subject.includes(':agents:');
}

/**
 * True when `now` came about by a reinstatement after `old`, in whichever history that was: the versions of what both histories share are
 * no greater. As an event it would have lifted `old`, too.
 */
function lifts(now: Standing, old: Standing): boolean {
  return now.status === 'active' && now.version > old.version && now.changedAt > old.changedAt;
}

/** True when `now` denies at least as long as `old` did. */
function atLeast(now: Standing, old: Standing): boolean {
  if (now.status === 'revoked') return true;
  return (
    now.status === 'suspended' && old.status === 'suspended' && (now.suspendedUntil ?? 0) >= (old.suspendedUntil ?? 0)
  );
}
